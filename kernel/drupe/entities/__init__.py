"""The domain as frozen values: no I/O, no outside forms (those are in `codec`)."""

from drupe.entities.artifacts import FileInfo
from drupe.entities.columns import RunColumns, RunKey, RunKeys
from drupe.entities.damage import Damage, RepairReport, TableReport
from drupe.entities.enums import (
    Access,
    LifecycleStage,
    LoggedModelStatus,
    ModelVersionStatus,
    RunStatus,
    SourceType,
    Stage,
    Stat,
    ViewType,
)
from drupe.entities.latest import LatestPoints
from drupe.entities.logged_models import LoggedModel, NewLoggedModel
from drupe.entities.metrics import Metric, MetricSummary, ModelPoints, Points, Series
from drupe.entities.page import Page, each, gather
from drupe.entities.registry import ModelVersion, RegisteredModel
from drupe.entities.runs import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentActivity,
    InputTag,
    LogBatch,
    ModelInput,
    ModelOutput,
    NewRun,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from drupe.entities.shipping import Heartbeat, Origin, ParamClash, Parcel, Receipt
from drupe.entities.upkeep import Deleted, DeletedKind, ExperimentStorage, SchemaStep, SpaceReport, UpgradeReport
from drupe.entities.whole import WholeLoggedModel, WholeModel, WholeRun

__all__ = [
    "Access",
    "Damage",
    "Dataset",
    "DatasetInput",
    "Deleted",
    "DeletedKind",
    "Experiment",
    "ExperimentActivity",
    "ExperimentStorage",
    "FileInfo",
    "Heartbeat",
    "InputTag",
    "LatestPoints",
    "LifecycleStage",
    "LogBatch",
    "LoggedModel",
    "LoggedModelStatus",
    "Metric",
    "MetricSummary",
    "ModelInput",
    "ModelOutput",
    "ModelPoints",
    "ModelVersion",
    "ModelVersionStatus",
    "NewLoggedModel",
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
    "RunColumns",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunKey",
    "RunKeys",
    "RunOutputs",
    "RunStatus",
    "RunTag",
    "SchemaStep",
    "Series",
    "SourceType",
    "SpaceReport",
    "Stage",
    "Stat",
    "TableReport",
    "UpgradeReport",
    "ViewType",
    "WholeLoggedModel",
    "WholeModel",
    "WholeRun",
    "each",
    "gather",
]
