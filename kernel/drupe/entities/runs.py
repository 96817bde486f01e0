"""Experiments and runs as frozen values, with MLflow's attribute names. No I/O."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from drupe import lazy
from drupe.entities.enums import LifecycleStage, RunStatus
from drupe.entities.metrics import MetricSummary, ModelPoints, Points

__all__ = [
    "Dataset",
    "DatasetInput",
    "Experiment",
    "ExperimentActivity",
    "InputTag",
    "LogBatch",
    "ModelInput",
    "ModelOutput",
    "NewRun",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunTag",
]


@frozen
class Experiment:
    """A named collection of runs. Times are ms since the epoch; the id is a decimal text."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage = LifecycleStage.ACTIVE
    creation_time: int | None = None
    last_update_time: int | None = None
    tags: Mapping[str, str] = field(factory=dict)

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        found: str | None = lazy.load("drupe.notebook:html_of")(self)
        return found


@frozen
class ExperimentActivity:
    """How many runs an experiment has, and when the newest of them began, in ms since the epoch; None without any."""

    runs: int = 0
    newest_start: int | None = None


@frozen
class RunInfo:
    """What identifies a run and where it is in its life. Times are ms since the epoch."""

    run_id: str
    experiment_id: str
    run_name: str
    user_id: str
    status: RunStatus
    start_time: int
    end_time: int | None
    lifecycle_stage: LifecycleStage
    artifact_uri: str

    @property
    def run_uuid(self) -> str:
        """MLflow's older name of `run_id`."""
        return self.run_id


@frozen
class Param:
    """One param as text, for `Client.log_batch`."""

    key: str
    value: str


@frozen
class RunTag:
    """One tag of a run, for `Client.log_batch`."""

    key: str
    value: str


@frozen
class RunData:
    """What was logged. `metrics` holds each metric's latest value; `summaries` what else is known of its series."""

    metrics: Mapping[str, float] = field(factory=dict)
    params: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    summaries: Mapping[str, MetricSummary] = field(factory=dict)


@frozen
class Dataset:
    """A description of data, identified within its experiment by name and digest. `schema` and `profile` are JSON texts."""

    name: str
    digest: str
    source_type: str = ""
    source: str = ""
    schema: str | None = None
    profile: str | None = None


@frozen
class InputTag:
    """A tag on the use of a dataset by a run; `mlflow.data.context` says what for."""

    key: str
    value: str


@frozen
class DatasetInput:
    """A dataset as used by one run."""

    dataset: Dataset
    tags: tuple[InputTag, ...] = ()


@frozen
class ModelInput:
    """A logged model that a run uses."""

    model_id: str


@frozen
class ModelOutput:
    """A logged model that a run has made, and the step at which it did."""

    model_id: str
    step: int = 0


@frozen
class RunInputs:
    """What went into a run; models in the order in which they were created."""

    dataset_inputs: tuple[DatasetInput, ...] = ()
    model_inputs: tuple[ModelInput, ...] = ()


@frozen
class RunOutputs:
    """What came out of a run; models in the order in which they were created."""

    model_outputs: tuple[ModelOutput, ...] = ()


@frozen
class Run:
    """A run as read at one moment; changes do not show up in it."""

    info: RunInfo
    data: RunData = field(factory=RunData)
    inputs: RunInputs = field(factory=RunInputs)
    outputs: RunOutputs = field(factory=RunOutputs)

    def _repr_html_(self) -> str | None:
        """What notebooks show."""
        found: str | None = lazy.load("drupe.notebook:html_of")(self)
        return found


@frozen
class NewRun:
    """What a store needs to create a run.

    `run_id` is made by the store when None (32 hex digits); a given one must be new, or belong to an identical earlier call, which is
    then answered again instead of making a twin. `run_name` None lets the store invent `adjective-noun-number`.
    """

    experiment_id: str
    run_id: str | None = None
    run_name: str | None = None
    user_id: str = ""
    start_time: int = 0
    tags: Mapping[str, str] = field(factory=dict)


@frozen
class LogBatch:
    """Everything that one call, or one drained journal, writes to a run: columns of points by metric key, params and tags.

    Points in `model_points` are points of the run too, whether or not `metrics` has them. A store checks all of it before it writes any of it.
    """

    metrics: Mapping[str, Points] = field(factory=dict)
    params: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    model_points: tuple[ModelPoints, ...] = ()
