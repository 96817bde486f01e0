"""The contract of a tracking store: where experiments, runs, metric series, params, tags and inputs are kept.

Values go in and out as `drupe.entities`; filters arrive as a typed `Query`, never as text. The conformance kit is
`drupe.testing.tracking_store`. Artifacts and registered models have contracts of their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

from drupe.entities import (
    Damage,
    DatasetInput,
    Experiment,
    ExperimentActivity,
    Heartbeat,
    LifecycleStage,
    LogBatch,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelInput,
    ModelOutput,
    NewLoggedModel,
    NewRun,
    Page,
    Parcel,
    Points,
    Receipt,
    RepairReport,
    Run,
    RunColumns,
    RunInfo,
    RunKeys,
    RunStatus,
    Series,
    ViewType,
    WholeLoggedModel,
    WholeRun,
)
from drupe.errors import StoreCorrupt, UnsupportedFeature
from drupe.extend.activity import activity_one_by_one
from drupe.extend.columns import columns_by_pages, keys_by_pages
from drupe.extend.features import Feature, Support
from drupe.extend.moving import Moving
from drupe.extend.shipping import ship_in_parts
from drupe.extend.upkeep import Progress, Upkeep
from drupe.extend.watching import Watching
from drupe.search.query import Field, Query
from drupe.uris import Uri

__all__ = ["Progress", "TrackingStore", "outcome_of"]


def outcome_of(call: Callable[[], Any]) -> Any:
    """What a call returns, or the exception that it raises."""
    try:
        return call()
    except Exception as fault:
        return fault


class TrackingStore(Moving, Watching, Upkeep, ABC):
    """Experiments and runs in one place. How it is looked after is for `upkeep`, moving runs for `moving`, hearing of changes for `watching`.

    Every method may be called from several threads at once and, where CONCURRENT_PROCESSES is declared, from several processes. A method
    either does all of its work or raises and has done none of it. Limits and name rules are those of `drupe.entities.limits`.
    """

    features: ClassVar[Mapping[Feature, Support]] = {}

    @classmethod
    @abstractmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        """Open the store at `uri`, creating it where that is its way; `settings` is an instance of the offer's settings class.

        Raises StoreUnavailable, StoreCorrupt, StoreSchema or StoreReadOnly, and leaves what it found as it was.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections. Closing twice is harmless; using a closed store opens it again or raises StoreUnavailable."""

    # --- experiments

    @abstractmethod
    def create_experiment(self, name: str, *, artifact_location: str | None = None, tags: Mapping[str, str] | None = None) -> Experiment:
        """Create an experiment; its id is the next decimal number.

        `artifact_location` None becomes `<artifact root>/<id>`. Raises AlreadyExists when an active or deleted experiment has that name,
        InvalidName, ValueTooLong. Experiment "0", `Default`, exists from the start.
        """

    @abstractmethod
    def get_experiment(self, experiment_id: str) -> Experiment:
        """Read one experiment, deleted or not. Raises ExperimentNotFound; InvalidValue when the id is not a decimal number."""

    @abstractmethod
    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Read the experiment of that name, deleted or not; None when there is none."""

    @abstractmethod
    def search_experiments(
        self, query: Query, *, view: ViewType = ViewType.ACTIVE_ONLY, limit: int = 1000, page_token: str | None = None
    ) -> Page[Experiment]:
        """One page of the experiments that the query finds, in its order. `limit` is 1..50_000. Raises InvalidPageToken."""

    @abstractmethod
    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give an active experiment another name. Raises ExperimentNotFound, WrongLifecycle, AlreadyExists, InvalidName."""

    @abstractmethod
    def set_experiment_stage(self, experiment_id: str, stage: LifecycleStage) -> None:
        """Delete or restore an experiment, and with it all of its runs.

        Raises ExperimentNotFound when there is none, and also when it is in that stage already.
        """

    @abstractmethod
    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of an active experiment; the last write wins. Raises ExperimentNotFound, WrongLifecycle, InvalidName, ValueTooLong."""

    @abstractmethod
    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag of an active experiment. Raises ExperimentNotFound, WrongLifecycle, TagNotFound."""

    def experiment_activity(self, experiment_ids: Sequence[str], *, view: ViewType = ViewType.ACTIVE_ONLY) -> dict[str, ExperimentActivity]:
        """What runs these experiments have, deleted ones or not; experiments that are not there have none. `view` is of the runs.

        Raises InvalidValue when an id is not a decimal number. Here each experiment is asked for by itself; a store that can count all of them
        together should.
        """
        return activity_one_by_one(self, experiment_ids, view)

    # --- runs

    @abstractmethod
    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run in an active experiment.

        Its artifact address is `<experiment's location>/<run id>/artifacts`; its name is kept as the tag `mlflow.runName` too. Tags of a
        new run are stored without name checks, as MLflow does. Raises ExperimentNotFound, WrongLifecycle, AlreadyExists (the given run
        id is another run's), InvalidValue (`run_name` and the tag `mlflow.runName` differ).
        """

    @abstractmethod
    def get_run(self, run_id: str) -> Run:
        """Read a run, deleted or not, with its data, summaries, inputs and outputs. Raises RunNotFound."""

    @abstractmethod
    def search_runs(
        self,
        query: Query,
        *,
        experiment_ids: Sequence[str] | None,
        view: ViewType = ViewType.ACTIVE_ONLY,
        limit: int = 1000,
        page_token: str | None = None,
        summaries: bool = True,
    ) -> Page[Run]:
        """One page of the runs that the query finds in these experiments, in its order.

        `experiment_ids` None means all experiments; an empty sequence, or unknown ids, find nothing. `view` looks at the run's own stage.
        `limit` is 1..50_000. Without `summaries` the caller shows latest points only, and a store may know no more of the runs' series
        (`LatestPoints`) if that is quicker. Raises InvalidPageToken; InvalidValue when an id is not a decimal number.
        """

    def run_columns(
        self,
        query: Query,
        *,
        experiment_ids: Sequence[str] | None,
        view: ViewType = ViewType.ACTIVE_ONLY,
        fields: Sequence[Field] = (),
        limit: int = 100_000,
    ) -> RunColumns:
        """The ids of all the runs that the query finds, in its order, and one column aligned with them for each field.

        For tables, charts and exports, which want a few fields of many runs. Metrics are floats, their COUNT too. The attributes are those that runs
        are searched by, and `experiment_id` and `lifecycle_stage`. `limit` is 1..1_000_000; experiments and `view` as in `search_runs`. Raises
        InvalidQuery (a field of datasets, an unknown attribute, more than 2000 fields), InvalidValue (also for an answer of more than ten million
        values). Here whole runs are read page by page; a store that can read columns should.
        """
        return columns_by_pages(self, query, experiment_ids=experiment_ids, view=view, fields=fields, limit=limit)

    def run_keys(
        self, *, experiment_ids: Sequence[str] | None, view: ViewType = ViewType.ACTIVE_ONLY, prefix: str = "", limit: int = 1000
    ) -> RunKeys:
        """Which metrics, params and tags the runs of these experiments have, those that most runs have first, equals by name.

        Only names that begin with `prefix` are told, and at most `limit` (1..50_000) of each kind. So that it is quick among a million runs, a store
        looks at the newest only, some thousands or more, and says at how many. Raises InvalidValue.
        """
        return keys_by_pages(self, experiment_ids=experiment_ids, view=view, prefix=prefix, limit=limit)

    @abstractmethod
    def update_run(
        self, run_id: str, *, status: RunStatus | None = None, end_time: int | None = None, run_name: str | None = None
    ) -> RunInfo:
        """Change only what is given. Renaming sets the tag `mlflow.runName`. Raises RunNotFound, WrongLifecycle (the run is deleted)."""

    @abstractmethod
    def set_run_stage(self, run_id: str, stage: LifecycleStage) -> None:
        """Delete or restore one run; doing so again changes nothing. Raises RunNotFound."""

    @abstractmethod
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        """Write metrics, params and tags of an active run, all or nothing.

        A point equal in step, timestamp and value to one that is there is dropped; every other is kept. A param that exists with the
        same text is left; with another, ParamConflict. Tags are replaced; `mlflow.runName` renames the run. There is no upper limit
        on the number of points. Points in `model_points` go to the run as all others do, and each logged model keeps the latest for every key, run
        and dataset. Raises RunNotFound, WrongLifecycle, InvalidName, InvalidValue (also for an unknown or deleted logged model), ValueTooLong;
        UnsupportedFeature for `model_points` where LOGGED_MODELS is not declared.
        """

    @abstractmethod
    def delete_run_tag(self, run_id: str, key: str) -> None:
        """Remove a tag of an active run. Raises RunNotFound, WrongLifecycle, TagNotFound."""

    @abstractmethod
    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        """Tie datasets to an active run. One that is already tied changes nothing: its first tags, schema and profile stay.

        A dataset is described once per experiment: where another run of it has tied the same name and digest, that description is kept.
        Raises RunNotFound, WrongLifecycle, ValueTooLong.
        """

    # --- metric series

    @abstractmethod
    def metric_history(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> Page[Metric]:
        """One page of the logged values of one metric, ordered by timestamp, then step, then value (NaN as 0).

        `limit` is 1..50_000. An unknown key or run is an empty page, not an error: it may not have been logged yet.
        Raises InvalidPageToken.
        """

    def history_columns(self, run_id: str, key: str, *, limit: int = 25_000, page_token: str | None = None) -> tuple[Points, str | None]:
        """The page that `metric_history` gives, in columns, and its token: for stores that read columns quicker than objects."""
        page = self.metric_history(run_id, key, limit=limit, page_token=page_token)
        return Points.of((metric.step, metric.timestamp, metric.value) for metric in page), page.token

    @abstractmethod
    def metric_bulk(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str] | None = None,
        *,
        buckets: int | None = None,
        first_step: int | None = None,
        last_step: int | None = None,
    ) -> list[Series]:
        """The series of many runs at once, each sorted by step, timestamp, value; `keys` None means every metric.

        Only points with `first_step` <= step <= `last_step` are looked at. With `buckets` (>= 1), a series that has more than 3 x `buckets` of
        them is cut into ranges of steps, and each non-empty one keeps its lowest, highest and last point; NaN is kept only as the last, or
        where there is nothing else. All ranges have the same width, a power of two, and begin at its multiples: the narrowest width that
        makes at most `buckets` ranges between the first and last step of the series or of what was asked for, whichever is narrower.
        So every point that is shown was logged, no spike is lost, and a series that grows keeps its ranges until they double.
        Unknown runs and keys, and series without a point between the steps, are left out.
        """

    # --- logged models, where LOGGED_MODELS is declared; a store that does not raises UnsupportedFeature in all of these

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Create a PENDING logged model in an active experiment.

        Its artifact address is `<experiment's location>/models/<model id>/artifacts`, and the run that made it need not be known here; with an
        `artifact_path` it is `<the run's address>/<path>`, of an active run of that experiment. A store that cannot choose says where by what
        it returns. Raises ExperimentNotFound, RunNotFound, WrongLifecycle, AlreadyExists (the given id is another model's), InvalidName,
        InvalidPath, InvalidValue, ValueTooLong.
        """
        self._has_no_logged_models()

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Read a logged model. Raises LoggedModelNotFound, also for a deleted one unless `allow_deleted`."""
        self._has_no_logged_models()

    def search_logged_models(
        self, query: Query, *, experiment_ids: Sequence[str] | None, limit: int = 50, page_token: str | None = None
    ) -> Page[LoggedModel]:
        """One page of the logged models that the query finds in these experiments, in its order; deleted ones never.

        `experiment_ids` None means all experiments; an empty sequence, or unknown ids, find nothing. `limit` is 1..50_000. Raises
        InvalidPageToken; InvalidValue when an id is not a decimal number.
        """
        self._has_no_logged_models()

    def set_logged_model_status(self, model_id: str, status: LoggedModelStatus, *, message: str | None = None) -> LoggedModel:
        """Say whether its files are in place; without a `message` the one that was there is gone. Raises LoggedModelNotFound, ValueTooLong."""
        self._has_no_logged_models()

    def delete_logged_model(self, model_id: str) -> None:
        """Delete a logged model for all but `allow_deleted`; doing so again changes nothing. Raises LoggedModelNotFound."""
        self._has_no_logged_models()

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> LoggedModel:
        """Set tags; the last write wins. Raises LoggedModelNotFound, InvalidName, ValueTooLong."""
        self._has_no_logged_models()

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag. Raises LoggedModelNotFound, TagNotFound."""
        self._has_no_logged_models()

    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        """Add params, all or nothing. One that exists with the same text is left; with another, ParamConflict.

        Raises LoggedModelNotFound, ParamConflict, InvalidName, ValueTooLong.
        """
        self._has_no_logged_models()

    def log_model_inputs(self, run_id: str, models: Sequence[ModelInput]) -> None:
        """Tie logged models to an active run that uses them; one that is tied already changes nothing.

        Raises RunNotFound, WrongLifecycle, LoggedModelNotFound.
        """
        self._has_no_logged_models()

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        """Tie logged models to an active run that has made them; one that is tied already keeps its first step.

        Raises RunNotFound, WrongLifecycle, LoggedModelNotFound, InvalidValue.
        """
        self._has_no_logged_models()

    def _has_no_logged_models(self) -> NoReturn:
        raise UnsupportedFeature(f"{type(self).__name__} keeps no logged models", feature=Feature.LOGGED_MODELS.name)

    # --- shipping: what a journal brings. The defaults work with the methods above and keep neither origins nor heartbeats

    def shipped_to(self, writer: str) -> int:
        """The position up to which this writer's journal is in the store; 0 for a writer that the store does not know."""
        return 0

    def ship(self, parcel: Parcel) -> Receipt:
        """Write all that a range of a journal holds, and that it was taken, in one transaction: either all of it or nothing.

        A parcel that ends at or before `shipped_to` does nothing (`is_repeat`). One that does not start there raises OriginGap, which
        carries the position. A param that has another value already is left as it is and told as a clash. `new` follows `create_run`: it
        makes the run, or finds the one that the same request has made. Raises also RunNotFound, WrongLifecycle, AlreadyExists, and
        InvalidName, InvalidValue, ValueTooLong for what could not be logged either. Exactly once holds where ORIGINS is declared;
        here a parcel is written part by part.
        """
        return ship_in_parts(self, parcel)

    def beat(self, beats: Sequence[Heartbeat]) -> None:
        """Keep the latest sign of life of each run and writer. Unknown runs and those that have ended are left out."""

    def heartbeats(self, run_ids: Sequence[str] | None = None) -> list[Heartbeat]:
        """The latest signs of life of those of these runs (None: of all) that are RUNNING; they go when a run ends."""
        return []

    # --- taking in what was in another store; where IMPORTS is declared

    def import_experiment(self, experiment: Experiment) -> Experiment:
        """Keep an experiment as it was elsewhere, with its id, stage, times and tags; returns it as it is here.

        An empty id becomes the next number, an empty `artifact_location` `<artifact root>/<id>`, a time that is None now. Ids have at most 18
        digits. Raises AlreadyExists when the id or the name is taken, InvalidName, InvalidValue, ValueTooLong.
        """
        raise UnsupportedFeature(f"{type(self).__name__} cannot keep the ids of another store", feature=Feature.IMPORTS.name)

    def import_runs(self, runs: Sequence[WholeRun]) -> None:
        """Keep runs as they were elsewhere, with their ids, stages, times, data, inputs and whole series; all of them or none.

        Their experiments may be deleted. An empty `artifact_uri` becomes `<experiment's location>/<run id>/artifacts`; a name is kept as the tag
        `mlflow.runName` where that is not set, and names of tags are not checked. A run that is here already gets what it lacks: points, params,
        tags and inputs, and status and end time while it has not ended; all that is here stays as it is, and so do stages and names.
        Raises ExperimentNotFound, AlreadyExists (the id belongs to a run of another experiment), InvalidName, InvalidValue, ValueTooLong.
        """
        raise UnsupportedFeature(f"{type(self).__name__} cannot keep the ids of another store", feature=Feature.IMPORTS.name)

    def import_logged_models(self, models: Sequence[WholeLoggedModel]) -> None:
        """Keep logged models as they were elsewhere, with their ids, stages, times, tags, params, metrics and ties to runs; all of them or none.

        Where LOGGED_MODELS is declared too. Their experiments may be deleted, and so may the runs. Runs come first: metrics of runs that are not
        here and ties to them are left out. An empty `artifact_location` becomes `<experiment's location>/models/<model id>/artifacts`. A model that
        is here already gets what it lacks: tags, params, ties, metrics that are later than its own, the later time of change, and status and message
        while it is PENDING; all else that is here stays as it is, its stage too. One that was deleted here is left alone. Raises ExperimentNotFound, AlreadyExists
        (the id belongs to a model of another experiment), InvalidName, InvalidValue, ValueTooLong.
        """
        raise UnsupportedFeature(f"{type(self).__name__} cannot keep the ids of another store", feature=Feature.IMPORTS.name)

    # --- many calls at once

    def apply(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Run these calls of methods of this store, in order, and make all that they write last together.

        Each sees what those before it wrote. What it returns is at its place in the result, or the exception that it raised. For servers,
        to which one sync of the disk for many requests is worth more than all else. Where GROUP_COMMIT is declared, each call is all or
        nothing whatever its steps are, and what keeps all of them from lasting, such as StoreFull, is raised and none of them is written.
        Here every method that is called lasts by itself.
        """
        return [outcome_of(call) for call in calls]

    # --- looking after it; a store overrides these where it knows better

    def count_runs(self, query: Query, *, experiment_ids: Sequence[str] | None = None, view: ViewType = ViewType.ACTIVE_ONLY) -> int:
        """How many runs the query finds. Here they are read page by page; a store that can count without reading them should."""
        count, token = 0, None
        while True:
            page = self.search_runs(query, experiment_ids=experiment_ids, view=view, page_token=token)
            count += len(page)
            token = page.token
            if token is None:
                return count

    def size_bytes(self) -> int | None:
        """How much disk the store takes, artifacts not included; None where that is not known."""
        return None

    def find_damage(self) -> list[str]:
        """What is broken in the stored data, a sentence each; may take seconds. Empty when nothing was found, or nothing can be checked."""
        return []

    @classmethod
    def verify(cls, uri: Uri, settings: Any = None, *, progress: Progress | None = None) -> list[Damage]:
        """All that is broken in the store at `uri`, which may be too damaged to be opened; reads everything and writes nothing.

        Here the store is opened and `find_damage` asked. Raises what `open` raises, but for StoreCorrupt: that is what was looked for.
        """
        try:
            store = cls.open(uri, settings)
            try:
                return [Damage(uri.text, told) for told in store.find_damage()]
            finally:
                store.close()
        except StoreCorrupt as fault:
            return [Damage(uri.text, fault.message)]

    @classmethod
    def repair(cls, uri: Uri, settings: Any = None, *, target: Path | None = None, progress: Progress | None = None) -> RepairReport:
        """Put all that is readable of a damaged store into a new one, and that in the place of the damaged one, which is kept beside it.

        With `target`, a path where nothing is yet, the new one is left there and the damaged one stays as it is. Raises UnsupportedFeature
        where REPAIR is not declared, StoreBusy while others have the store open, AlreadyExists, StoreFull.
        """
        raise UnsupportedFeature(f"{cls.__name__} cannot repair what it keeps; restore a backup", feature=Feature.REPAIR.name)
