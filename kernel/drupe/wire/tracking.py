"""What is asked and answered about experiments, runs, metrics, params, tags and inputs."""

from __future__ import annotations

from attrs import field, frozen

from drupe.entities import DatasetInput, Experiment, Metric, ModelInput, ModelOutput, Param, Run, RunInfo, RunStatus, RunTag, ViewType
from drupe.entities.limits import STEP_MAX
from drupe.wire.shapes import Unread, bounded, needed

__all__ = [
    "CreateExperiment",
    "CreateRun",
    "DatasetSummaries",
    "DatasetSummary",
    "DeleteExperimentTag",
    "DeleteTag",
    "ExperimentCreated",
    "ExperimentFound",
    "ExperimentTag",
    "ExperimentsFound",
    "GetExperimentByName",
    "GetHistory",
    "GetHistoryBulk",
    "GetHistoryInterval",
    "GetRun",
    "HistoryFound",
    "LogBatch",
    "LogInputs",
    "LogMetric",
    "LogModel",
    "LogOutputs",
    "LogParam",
    "Nothing",
    "OneExperiment",
    "OneRun",
    "RunFound",
    "RunUpdated",
    "RunsFound",
    "SearchDatasets",
    "SearchExperiments",
    "SearchRuns",
    "SetExperimentTag",
    "SetTag",
    "UpdateExperiment",
    "UpdateRun",
]


@frozen
class Nothing:
    """An answer without fields."""


# --- experiments


@frozen
class ExperimentTag:
    """One tag."""

    key: str
    value: str = ""


@frozen
class CreateExperiment:
    """`artifact_location` unset: the server chooses."""

    name: str = needed()
    artifact_location: str | None = None
    tags: tuple[ExperimentTag, ...] = ()


@frozen
class ExperimentCreated:
    """The id that the server chose."""

    experiment_id: str


@frozen
class OneExperiment:
    """To read, delete or restore one."""

    experiment_id: str = needed()


@frozen
class GetExperimentByName:
    """Deleted ones are found too."""

    experiment_name: str = needed()


@frozen
class ExperimentFound:
    """One experiment."""

    experiment: Experiment


@frozen
class SearchExperiments:
    """`max_results` must be given, 1 to 50 000."""

    max_results: int | None = bounded(1, 50_000)
    page_token: str | None = None
    filter: str | None = None
    order_by: tuple[str, ...] = ()
    view_type: ViewType | None = None


@frozen
class ExperimentsFound:
    """One page."""

    experiments: tuple[Experiment, ...] = ()
    next_page_token: str | None = None


@frozen
class UpdateExperiment:
    """To rename one."""

    experiment_id: str = needed()
    new_name: str = needed()


@frozen
class SetExperimentTag:
    """To set one tag."""

    experiment_id: str = needed()
    key: str = needed()
    value: str = ""


@frozen
class DeleteExperimentTag:
    """To remove one tag."""

    experiment_id: str = needed()
    key: str = needed()


# --- runs


@frozen
class CreateRun:
    """Without an experiment the run goes to "0"."""

    experiment_id: str | None = None
    user_id: str | None = None
    run_name: str | None = None
    start_time: int | None = None
    tags: tuple[RunTag, ...] = ()
    run_id: str | None = None
    """An addition of ours: the id that a client has chosen, so that asking again makes no twin."""


@frozen
class RunFound:
    """One run."""

    run: Run


@frozen
class OneRun:
    """To delete or restore one."""

    run_id: str = needed()


@frozen
class GetRun:
    """To read one."""

    run_id: str | None = None
    run_uuid: str | None = None


@frozen
class SearchRuns:
    """`max_results` is 1 to 50 000, by default 1000."""

    experiment_ids: tuple[str, ...] = ()
    filter: str | None = None
    run_view_type: ViewType | None = None
    max_results: int | None = bounded(1, 50_000)
    order_by: tuple[str, ...] = ()
    page_token: str | None = None


@frozen
class RunsFound:
    """One page."""

    runs: tuple[Run, ...] = ()
    next_page_token: str | None = None


@frozen
class UpdateRun:
    """Only what is given changes."""

    run_id: str | None = None
    run_uuid: str | None = None
    status: RunStatus | None = None
    end_time: int | None = None
    run_name: str | None = None


@frozen
class RunUpdated:
    """The run's facts after the change."""

    run_info: RunInfo


@frozen
class LogMetric:
    """One point. `model_id` and the dataset also tie it to a logged model."""

    key: str = needed()
    value: float = needed()
    timestamp: int = needed()
    step: int = 0
    run_id: str | None = None
    run_uuid: str | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


@frozen
class LogParam:
    """One param; an empty value is a value."""

    key: str = needed()
    value: str = ""
    run_id: str | None = None
    run_uuid: str | None = None


@frozen
class SetTag:
    """One tag."""

    key: str = needed()
    value: str = ""
    run_id: str | None = None
    run_uuid: str | None = None


@frozen
class DeleteTag:
    """One tag."""

    run_id: str = needed()
    key: str = needed()


@frozen
class LogBatch:
    """At most 1000 metrics, 100 params, 100 tags, and 1000 of all together.

    `metrics` stay as they were parsed: `points.columns` takes them straight into columns, since servers take most of what they get here.
    """

    run_id: str = needed()
    metrics: Unread = field(factory=Unread)
    params: tuple[Param, ...] = ()
    tags: tuple[RunTag, ...] = ()


@frozen
class LogInputs:
    """Datasets and logged models that a run uses."""

    run_id: str = needed()
    datasets: tuple[DatasetInput, ...] = ()
    models: tuple[ModelInput, ...] = ()


@frozen
class LogOutputs:
    """Logged models that a run has made."""

    run_id: str = needed()
    models: tuple[ModelOutput, ...] = ()


@frozen
class LogModel:
    """How clients before 3.0 note a model among a run's artifacts: `model_json` is what its MLmodel file says, as JSON."""

    run_id: str = needed()
    model_json: str = needed()


# --- metric series


@frozen
class GetHistory:
    """A page of one metric's points; without `max_results` all of them."""

    metric_key: str = needed()
    run_id: str | None = None
    run_uuid: str | None = None
    page_token: str | None = None
    max_results: int | None = bounded(1, STEP_MAX)


@frozen
class GetHistoryBulk:
    """One metric of at most 100 runs, at most 25 000 points of each."""

    metric_key: str = needed()
    run_id: tuple[str, ...] = ()
    max_results: int | None = bounded(1, STEP_MAX)


@frozen
class GetHistoryInterval:
    """One metric of at most 100 runs between two steps, thinned to at most `max_results` points of each."""

    metric_key: str = needed()
    run_ids: tuple[str, ...] = ()
    start_step: int | None = None
    end_step: int | None = None
    max_results: int | None = bounded(1, STEP_MAX)


@frozen
class HistoryFound:
    """Points, ordered by time, then step, then value."""

    metrics: tuple[Metric, ...] = ()
    next_page_token: str | None = None


# --- datasets


@frozen
class SearchDatasets:
    """The datasets that runs of these 1 to 20 experiments use."""

    experiment_ids: tuple[str, ...] = ()


@frozen
class DatasetSummary:
    """One dataset in one context."""

    experiment_id: str
    name: str
    digest: str
    context: str = ""


@frozen
class DatasetSummaries:
    """All of them."""

    dataset_summaries: tuple[DatasetSummary, ...] = ()
