"""The tracking half of `drupe.Client`: experiments, runs and what is logged to them, under MLflow's method names and argument order.

Stateless but for the two addresses: it knows no active run (that is `fluent`) and no files (that is `artifact_client`).
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    LogBatch,
    Metric,
    ModelInput,
    ModelPoints,
    NewRun,
    Page,
    Param,
    Points,
    Run,
    RunStatus,
    RunTag,
    ViewType,
    gather,
)
from drupe.entities.limits import check_limit, check_metric, check_param, check_tag
from drupe.errors import ExperimentNotFound, InvalidValue
from drupe.extend import Event, RunDeleted, RunEnded, RunMoved, RunRestored, RunStarted, TrackingStore
from drupe.loading import catalog
from drupe.search import Kind, parse
from drupe.tracking.address import get_tracking_uri, tracking_store
from drupe.tracking.columns import points_from
from drupe.tracking.crashes import Crash, take_back
from drupe.tracking.journal import outbox
from drupe.tracking.journal.adoption import catch_up
from drupe.tracking.offline import OfflineStore
from drupe.tracking.reaper import look_after
from drupe.tracking.series_forms import in_form
from drupe.uris import redact

__all__ = ["TrackingClient", "dataset_input", "now_ms", "texts"]

HISTORY_PAGE = 50_000


def now_ms() -> int:
    """The wall clock in ms since the epoch."""
    return time.time_ns() // 1_000_000


def texts(values: Mapping[str, Any] | None) -> dict[str, str]:
    """`values` with every value as text; an empty dict for None. Raises InvalidValue for what is no dict."""
    if not isinstance(values, Mapping | None):
        raise InvalidValue(f"tags and params are dicts of name and value, not {type(values).__name__}")
    return {key: str(value) for key, value in (values or {}).items()}


class TrackingClient:
    """Experiments and runs at one address. `clock` gives ms since the epoch."""

    def __init__(self, tracking_uri: str | None = None, *, clock: Callable[[], int] = now_ms) -> None:
        self._tracking_uri = str(tracking_uri) if tracking_uri else None
        self._clock = clock
        self._offline: OfflineStore | None = None

    @property
    def tracking_uri(self) -> str:
        """The address of the tracking store in use."""
        return self._tracking_uri or get_tracking_uri()

    @property
    def store(self) -> TrackingStore:
        """The opened store behind `tracking_uri`; it has all that this process has logged before."""
        uri = self.tracking_uri
        if self._offline is not None and not outbox.has_shipped(uri):
            return self._offline
        self._offline = None
        store = tracking_store(uri)
        catch_up(uri, store)
        return store

    @property
    def is_offline(self) -> bool:
        """True while what is logged is kept in journals only."""
        return isinstance(self.store, OfflineStore)

    def go_offline(self) -> None:
        """Work with the journals beside the store from now on, because it cannot be reached. Raises StoreUnavailable when they cannot be made."""
        uri = self.tracking_uri
        self._offline = OfflineStore(uri, lambda: tracking_store(uri))

    def tell(self, kind: type[Event], **fields: Any) -> None:
        """Tell observers of something that has happened in this store."""
        catalog().notify(kind(store=redact(self.tracking_uri), **fields))

    # --- experiments

    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None) -> str:
        """Create an experiment and return its id. Raises AlreadyExists, InvalidName."""
        return self.store.create_experiment(name, artifact_location=artifact_location, tags=texts(tags)).experiment_id

    def get_experiment(self, experiment_id: str | int) -> Experiment:
        """Read an experiment, deleted or not. Raises ExperimentNotFound."""
        return self.store.get_experiment(str(experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Read the experiment of that name, deleted or not; None when there is none."""
        return self.store.get_experiment_by_name(name)

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        """One page of experiments; default order is newest first."""
        query = parse(Kind.EXPERIMENTS, filter_string, order_by)
        limit = check_limit(1000 if max_results is None else max_results)
        return self.store.search_experiments(query, view=_view(view_type), limit=limit, page_token=page_token)

    def rename_experiment(self, experiment_id: str | int, new_name: str) -> None:
        """Give an experiment another name."""
        self.store.rename_experiment(str(experiment_id), new_name)

    def delete_experiment(self, experiment_id: str | int) -> None:
        """Move an experiment and its runs to the trash."""
        self.store.set_experiment_stage(str(experiment_id), LifecycleStage.DELETED)

    def restore_experiment(self, experiment_id: str | int) -> None:
        """Take an experiment and all of its runs out of the trash."""
        self.store.set_experiment_stage(str(experiment_id), LifecycleStage.ACTIVE)

    def set_experiment_tag(self, experiment_id: str | int, key: str, value: Any) -> None:
        """Set a tag on an experiment."""
        self.store.set_experiment_tags(str(experiment_id), {key: str(value)})

    def delete_experiment_tag(self, experiment_id: str | int, key: str) -> None:
        """Remove a tag of an experiment. Raises TagNotFound."""
        self.store.delete_experiment_tag(str(experiment_id), key)

    # --- runs

    def create_run(
        self,
        experiment_id: str | int,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Create a RUNNING run; `start_time` is in ms, now by default."""
        own_tags = texts(tags)
        run = self.store.create_run(
            NewRun(
                experiment_id=str(experiment_id),
                run_id=uuid.uuid4().hex,  # so that a repeated request makes no twin
                run_name=run_name,
                user_id=own_tags.get("mlflow.user", ""),
                start_time=self._clock() if start_time is None else start_time,
                tags=own_tags,
            )
        )
        self.tell(RunStarted, run=run)
        return run

    def get_run(self, run_id: str) -> Run:
        """Read a run, deleted or not. Raises RunNotFound."""
        return self._looked_after().get_run(run_id)

    def get_parent_run(self, run_id: str) -> Run | None:
        """The run that this one is nested in, or None."""
        parent = self.get_run(run_id).data.tags.get("mlflow.parentRunId")
        return self.get_run(parent) if parent else None

    def search_runs(
        self,
        experiment_ids: Sequence[str] | None = None,
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[Run]:
        """One page of runs. `experiment_ids` None searches all experiments, an empty list none. Raises InvalidQuery."""
        ids = None if experiment_ids is None else _ids(experiment_ids)
        query = parse(Kind.RUNS, filter_string, order_by)
        return self._looked_after().search_runs(
            query, experiment_ids=ids, view=_view(run_view_type), limit=check_limit(max_results), page_token=page_token
        )

    def look_after_runs(self) -> None:
        """Mark runs whose processes are dead, as every reader does at most every ten seconds; see `reaper`."""
        self._looked_after()

    def _looked_after(self) -> TrackingStore:
        store = self.store
        if not isinstance(store, OfflineStore):
            look_after(self.tracking_uri, store, ended=lambda run_id, status: self.tell(RunEnded, run_id=run_id, status=status))
        return store

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Change a run's status or name."""
        self.store.update_run(run_id, status=None if status is None else _status(status), run_name=name)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """End a run: FINISHED unless another `status` is given, now unless `end_time` (ms) is given."""
        ended = _status(status) if status else RunStatus.FINISHED
        self.store.update_run(run_id, status=ended, end_time=self._clock() if end_time is None else end_time)
        self.tell(RunEnded, run_id=run_id, status=ended)

    def resume_run(self, run_id: str, tags: Mapping[str, Any] | None = None) -> Run:
        """Set an existing run RUNNING again, with these tags added. Raises RunNotFound, WrongLifecycle."""
        self.store.update_run(run_id, status=RunStatus.RUNNING)
        if tags:
            self.store.log_batch(run_id, LogBatch(tags=texts(tags)))
        run = self.store.get_run(run_id)
        if Crash.of(run.data.tags) is not None:
            take_back(self.store, run)
            run = self.store.get_run(run_id)
        self.tell(RunStarted, run=run, is_resumed=True)
        return run

    def delete_run(self, run_id: str) -> None:
        """Move a run to the trash."""
        self.store.set_run_stage(run_id, LifecycleStage.DELETED)
        self.tell(RunDeleted, run_id=run_id)

    def restore_run(self, run_id: str) -> None:
        """Take a run out of the trash."""
        self.store.set_run_stage(run_id, LifecycleStage.ACTIVE)
        self.tell(RunRestored, run_id=run_id)

    def move_runs(self, run_ids: Sequence[str], experiment_id: str) -> None:
        """Put runs into another experiment, all or none; see `TrackingStore.move_runs`. Raises UnsupportedFeature for MLflow's servers."""
        self.store.move_runs(run_ids, experiment_id)
        for run_id in dict.fromkeys(run_ids):
            self.tell(RunMoved, run_id=run_id, experiment_id=experiment_id)

    # --- logging

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> None:
        """Log one point; `timestamp` in ms (now by default), `step` 0 by default. `synchronous` is accepted for MLflow's sake.

        With `model_id` the point is that logged model's too, measured on the dataset of this name and digest.
        """
        moment = self._clock() if timestamp is None else timestamp
        self.log_batch(run_id, [Metric(key, value, moment, step or 0, None, model_id, dataset_name, dataset_digest)])

    def log_points(
        self,
        run_id: str,
        metrics: Mapping[str, float],
        *,
        timestamp: int | None = None,
        step: int | None = None,
        model_id: str | None = None,
        dataset: Dataset | Any = None,
    ) -> None:
        """Log one point of each of several metrics, together: all of them are kept or none.

        With `model_id` they are that logged model's too, and the run is tied to it; `dataset` is what they were measured on.
        """
        moment = self._clock() if timestamp is None else timestamp
        used = None if dataset is None else dataset_input(dataset)
        on = (None, None) if used is None else (used.dataset.name, used.dataset.digest)
        points = [Metric(key, value, moment, step or 0, None, model_id, *on) for key, value in metrics.items()]
        if used is not None:
            self.store.log_inputs(run_id, [used])
        if model_id is not None:
            run = self.store.get_run(run_id)
            if model_id not in {one.model_id for one in run.outputs.model_outputs}:
                self.store.log_model_inputs(run_id, [ModelInput(model_id)])
        self.log_batch(run_id, points)

    def log_series(self, run_id: str, key: str, steps: Any, values: Any, timestamps: Any = None) -> None:
        """Log many points of one metric: lists, arrays, tensors or columns of one length; `timestamps` in ms, now for all by default.

        All are kept or none. Raises InvalidValue, which names the first bad place.
        """
        points = points_from(key, steps, values, timestamps, now=self._clock())
        self.store.log_batch(run_id, LogBatch(metrics={key: points}))

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Log a param and return its value. Raises ParamConflict when it has another value already."""
        name, text = check_param(key, value)
        self.store.log_batch(run_id, LogBatch(params={name: text}))
        return value

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> None:
        """Set a tag on a run."""
        name, text = check_tag("run tag", key, value, limit=None)
        self.store.log_batch(run_id, LogBatch(tags={name: text}))

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag of a run. Raises TagNotFound."""
        self.store.delete_run_tag(run_id, key)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> None:
        """Log metrics, params and tags together: all of them are kept or none. A param key may stand in it once.

        A metric with a `model_id` is that logged model's too.
        """
        columns: dict[str, Points] = {}
        of_models: dict[tuple[str, str, str | None, str | None], Points] = {}
        for metric in metrics:
            name, number, time_ms, step = check_metric(metric.key, metric.value, metric.timestamp, metric.step)
            if metric.model_id:
                place = (metric.model_id, name, metric.dataset_name, metric.dataset_digest)
                of_models.setdefault(place, Points()).append(step, time_ms, number)
            else:
                columns.setdefault(name, Points()).append(step, time_ms, number)
        pairs = [check_param(param.key, param.value) for param in params]
        twice = sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        if twice:
            raise InvalidValue(f"params {', '.join(twice)} stand more than once in one batch; each may be logged once", keys=twice)
        self.store.log_batch(
            run_id,
            LogBatch(
                metrics=columns,
                params=dict(pairs),
                tags=dict(check_tag("run tag", tag.key, tag.value, limit=None) for tag in tags),
                model_points=tuple(ModelPoints(*place[:2], points, *place[2:]) for place, points in of_models.items()),
            ),
        )

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput] | None = None, models: Sequence[ModelInput] | None = None) -> None:
        """Tie datasets and logged models to a run that uses them."""
        if datasets or not models:
            self.store.log_inputs(run_id, list(datasets or ()))
        if models:
            self.store.log_model_inputs(run_id, list(models))

    def log_input(self, run_id: str, dataset: Dataset | Any, context: str | None = None, tags: Mapping[str, Any] | None = None) -> None:
        """Tie one dataset to a run; `context` says what for, such as "training". It is made by `drupe.data`, or describes itself like MLflow's."""
        self.log_inputs(run_id, [dataset_input(dataset, context, tags)])

    # --- reading series

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """Every logged value of a metric, ordered by timestamp, step, value; [] for one that was never logged."""
        return gather(lambda limit, token: self.store.metric_history(run_id, key, limit=limit, page_token=token), page_size=HISTORY_PAGE)

    def get_metric_series(
        self,
        run_ids: Sequence[str],
        keys: Sequence[str] | None = None,
        buckets: int | None = None,
        range: tuple[int | None, int | None] | None = None,
        as_: str = "list",
    ) -> Any:
        """The series of many runs at once, each sorted by step, then time; `keys` None means every metric. Unknown runs and keys are left out.

        `range` holds the first and the last step that matter, both inclusive, None for no bound. With `buckets`, a series of more than three
        times as many points is sampled for a chart: the steps are cut into at most that many ranges, and each keeps its lowest, highest and
        last point, so that no spike is lost. `as_` is "list" (of Series), "numpy" (a dict from run id and key to arrays of steps, timestamps
        and values), "arrow" or "pandas" (a table of all points). Raises InvalidValue, MissingRequirement.
        """
        first, last = (None, None) if range is None else range
        bounds = {name: bound for name, bound in (("first_step", first), ("last_step", last)) if bound is not None}
        wanted = None if keys is None else _listed(keys)
        return in_form(as_, self.store.metric_bulk(_listed(run_ids), wanted, buckets=buckets, **bounds))

    def find_experiment(self, name_or_id: str) -> Experiment:
        """The experiment of that name, else of that id. Raises ExperimentNotFound."""
        found = self.store.get_experiment_by_name(name_or_id)
        if found is None and name_or_id.isdecimal():
            found = self.store.get_experiment(name_or_id)
        if found is None:
            raise ExperimentNotFound(f"no experiment is named {name_or_id!r}; `drupe experiments list` shows all", name=name_or_id)
        return found


def dataset_input(dataset: Dataset | Any, context: str | None = None, tags: Mapping[str, Any] | None = None) -> DatasetInput:
    """A dataset as used by a run; see `TrackingClient.log_input`. Raises InvalidValue for what does not describe data."""
    noted = texts(tags)
    if context is not None:
        noted["mlflow.data.context"] = context
    return DatasetInput(_described(dataset), tuple(InputTag(key, value) for key, value in noted.items()))


def _ids(experiment_ids: Sequence[str]) -> list[str]:
    if isinstance(experiment_ids, str):  # also a sequence of texts: of its letters
        return [experiment_ids]
    return [str(experiment_id) for experiment_id in experiment_ids]


def _listed(texts_: Sequence[str]) -> list[str]:
    return [texts_] if isinstance(texts_, str) else list(texts_)  # a text is also a sequence of texts: of its letters


def _described(dataset: Dataset | Any) -> Dataset:
    if isinstance(dataset, Dataset):
        return dataset
    describe = getattr(dataset, "to_dict", None)  # MLflow's datasets describe themselves with it
    try:
        facts = describe() if callable(describe) else {}
        return Dataset(**{field: facts[field] for field in ("name", "digest", "source_type", "source", "schema", "profile")})
    except (KeyError, TypeError) as fault:
        raise InvalidValue(
            f"log_input takes what drupe.data.from_pandas or from_numpy returns, not {type(dataset).__module__}.{type(dataset).__qualname__}"
        ) from fault


def _view(view_type: int) -> ViewType:
    try:
        return ViewType(view_type)
    except ValueError as fault:
        raise InvalidValue(f"view type {view_type!r} is not one; use {', '.join(f'ViewType.{view.name}' for view in ViewType)}") from fault


def _status(status: str) -> RunStatus:
    try:
        return RunStatus(status)
    except ValueError as fault:
        raise InvalidValue(f"run status {status!r} is not one; use {', '.join(RunStatus)}") from fault
