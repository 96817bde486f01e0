"""The domain as frozen values: no I/O, no outside forms (those are in `codec`)."""

from drupe.entities.artifacts import FileInfo
from drupe.entities.damage import Damage, RepairReport, TableReport
from drupe.entities.enums import (
    LifecycleStage,
    ModelVersionStatus,
    RunStatus,
    SourceType,
    Stage,
    Stat,
    ViewType,
)
from drupe.entities.metrics import Metric, MetricSummary, Points, Series
from drupe.entities.page import Page, each, gather
from drupe.entities.registry import ModelVersion, RegisteredModel
from drupe.entities.runs import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LogBatch,
    NewRun,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunTag,
)
from drupe.entities.shipping import Heartbeat, Origin, ParamClash, Parcel, Receipt
from drupe.entities.whole import WholeModel, WholeRun

__all__ = [
    "Damage",
    "Dataset",
    "DatasetInput",
    "Experiment",
    "FileInfo",
    "Heartbeat",
    "InputTag",
    "LifecycleStage",
    "LogBatch",
    "Metric",
    "MetricSummary",
    "ModelVersion",
    "ModelVersionStatus",
    "NewRun",
    "Origin",
    "Page",
    "Param",
    "ParamClash",
    "Parcel",
    "Points",
    "Receipt",
    "RegisteredModel",
    "RepairReport",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunStatus",
    "RunTag",
    "Series",
    "SourceType",
    "Stage",
    "Stat",
    "TableReport",
    "ViewType",
    "WholeModel",
    "WholeRun",
    "each",
    "gather",
]
