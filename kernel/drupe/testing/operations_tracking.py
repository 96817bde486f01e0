"""Random operations on a tracking store, each compared with the oracle's answer.

The names are few, so that operations meet: the same experiments, runs and keys are made, changed, deleted and searched over and over.
An operation has at most one fault, since the contract does not say which of two is told first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from drupe.entities import (
    Dataset,
    DatasetInput,
    Heartbeat,
    InputTag,
    LifecycleStage,
    LogBatch,
    NewRun,
    Origin,
    Parcel,
    Points,
    RunStatus,
    ViewType,
)
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import Field, Query
from drupe.testing.comparison import Pair
from drupe.testing.kit import all_pages, query_runs
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.testing.operations_logged_models import LoggedModelOperations
from drupe.testing.random_queries import experiment_queries, run_fields, run_queries, texts, values

__all__ = ["TrackingOperations"]

_RUN_IDS = ["r0", "r1", "r2", "r3"]
_METRICS = ["loss", "acc", "loss.min", "a/b"]
_EXPERIMENT_IDS = ["0", "1", "2", "3", "9"]

_experiments = st.sampled_from(_EXPERIMENT_IDS)
_names = st.sampled_from(["a", "b", "A", "ab", "Default"])
_runs = st.sampled_from([*_RUN_IDS, *_RUN_IDS, "zz"])
_writers = st.sampled_from(["v", "w"])
_near = st.integers(-4, 6)
_stages = st.sampled_from(LifecycleStage)
_views = st.sampled_from(ViewType)
_tags = st.dictionaries(st.sampled_from(["t", "u"]), texts, max_size=2)
_points = st.lists(st.tuples(st.integers(-2, 4), st.integers(0, 3), values), min_size=1, max_size=6).map(Points.of)
_batches = st.builds(
    LogBatch,
    st.dictionaries(st.sampled_from(_METRICS), _points, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(["p", "q"]), st.sampled_from(["", "a", "A"]), max_size=2),
    st.dictionaries(st.sampled_from(["t", "u", "mlflow.runName"]), texts.filter(bool), max_size=2),
)
_faults = st.sampled_from(
    [
        LogBatch({"loss": Points.of([(0, 1, 0.5)]), "a//b": Points.of([(0, 1, 0.5)])}),
        LogBatch({"loss": Points.of([(0, 1, 0.5), (0, -1, 0.5)])}),
        LogBatch({"loss": Points.of([(9, 1, 0.5)])}, {"good": "1", "../up": "x"}),
        LogBatch({}, {}, {"t": "x", "": "x"}),
        LogBatch({}, {"good": "1"}, {"u": "x", "long": "x" * 1_000_001}),
    ]
)
_inputs = st.lists(
    st.builds(
        lambda name, digest, source, context: DatasetInput(
            Dataset(name, digest, "local", source), (InputTag("mlflow.data.context", context),) if context else ()
        ),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["1", "ab"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from(["", "a", "b"]),
    ),
    max_size=3,
)


class TrackingOperations(LoggedModelOperations):
    """`open_store` opens the store under test and, called again, the same store."""

    def __init__(self, open_store: Callable[[], TrackingStore], *, is_durable: bool) -> None:
        super().__init__()
        self._open_store, self._is_durable = open_store, is_durable
        store = open_store()
        root = store.get_experiment("0").artifact_location.removesuffix("/0")
        self._both: Pair[TrackingStore] = Pair(store, MemoryTrackingStore(artifact_root=root))

    @initialize(tags=_tags, batches=st.tuples(_batches, _batches, _batches))
    def start_with_something(self, tags: dict[str, str], batches: tuple[LogBatch, ...]) -> None:
        """Two experiments and three runs, so that most operations meet something."""
        self.create_experiment("a", tags)
        for number, experiment in enumerate(["0", "1", "1"]):
            self.create_run(_RUN_IDS[number], experiment, tags, number)
            self.log_batch(_RUN_IDS[number], batches[number])

    # --- experiments

    @rule(name=_names, tags=_tags)
    def create_experiment(self, name: str, tags: dict[str, str]) -> None:
        self._both.same(lambda store: store.create_experiment(name, tags=tags))

    @rule(experiment=_experiments, name=_names)
    def rename_experiment(self, experiment: str, name: str) -> None:
        self._both.same(lambda store: store.rename_experiment(experiment, name))

    @rule(experiment=_experiments, stage=_stages)
    def move_experiment(self, experiment: str, stage: LifecycleStage) -> None:
        self._both.same(lambda store: store.set_experiment_stage(experiment, stage))

    @rule(experiment=_experiments, tags=_tags)
    def tag_experiment(self, experiment: str, tags: dict[str, str]) -> None:
        self._both.same(lambda store: store.set_experiment_tags(experiment, tags))

    @rule(experiment=_experiments, key=st.sampled_from(["t", "u"]))
    def untag_experiment(self, experiment: str, key: str) -> None:
        self._both.same(lambda store: store.delete_experiment_tag(experiment, key))

    @rule(experiment=_experiments, name=_names)
    def read_experiments(self, experiment: str, name: str) -> None:
        self._both.same(lambda store: store.get_experiment(experiment))
        self._both.same(lambda store: store.get_experiment_by_name(name))

    # --- runs

    @rule(run=st.sampled_from(_RUN_IDS), experiment=st.sampled_from(["0", "0", "1", "2"]), tags=_tags, start=st.integers(0, 3))
    def create_run(self, run: str, experiment: str, tags: dict[str, str], start: int) -> None:
        made = self._made(run)
        if made is not None:  # either the same call again, or one for another time
            new = made if tags else NewRun(made.experiment_id, run, made.run_name, made.user_id, made.start_time + 100, made.tags)
        else:
            new = NewRun(experiment, run, f"{run}a", "ab" if start % 2 else "a", start, tags)
        if made is None or self._both.oracle.get_experiment(made.experiment_id).lifecycle_stage == LifecycleStage.ACTIVE:
            self._both.same(lambda store: store.create_run(new))

    def _made(self, run: str) -> NewRun | None:
        oracle = self._both.oracle
        assert isinstance(oracle, MemoryTrackingStore)
        return oracle.made_by(run)

    @rule(
        run=_runs,
        status=st.none() | st.sampled_from(RunStatus),
        end_time=st.none() | st.integers(0, 3),
        name=st.none() | texts.filter(bool),
    )
    def update_run(self, run: str, status: RunStatus | None, end_time: int | None, name: str | None) -> None:
        self._both.same(lambda store: store.update_run(run, status=status, end_time=end_time, run_name=name))

    @rule(run=_runs, stage=_stages)
    def move_run(self, run: str, stage: LifecycleStage) -> None:
        self._both.same(lambda store: store.set_run_stage(run, stage))

    @rule(run=_runs, batch=_batches)
    def log_batch(self, run: str, batch: LogBatch) -> None:
        self._both.same(lambda store: store.log_batch(run, batch))

    @rule(run=st.sampled_from(_RUN_IDS), batch=_faults)
    def log_a_faulty_batch(self, run: str, batch: LogBatch) -> None:
        if self._is_active(run):
            self._both.same(lambda store: store.log_batch(run, batch))
            self._both.same(lambda store: store.get_run(run))

    def _is_active(self, run: str) -> bool:
        return self._made(run) is not None and self._both.oracle.get_run(run).info.lifecycle_stage == LifecycleStage.ACTIVE

    @rule(run=_runs, key=st.sampled_from(["t", "u"]))
    def untag_run(self, run: str, key: str) -> None:
        self._both.same(lambda store: store.delete_run_tag(run, key))

    @rule(run=_runs, datasets=_inputs)
    def log_inputs(self, run: str, datasets: list[DatasetInput]) -> None:
        self._both.same(lambda store: store.log_inputs(run, datasets))

    @rule(run=_runs)
    def read_run(self, run: str) -> None:
        self._both.same(lambda store: store.get_run(run))

    # --- series

    @rule(run=_runs, key=st.sampled_from([*_METRICS, "nothing"]), limit=st.integers(1, 5))
    def read_history(self, run: str, key: str, limit: int) -> None:
        self._both.same(lambda store: _pages(lambda token: store.metric_history(run, key, limit=limit, page_token=token)))

    @rule(runs=st.lists(_runs, unique=True), keys=st.none() | st.lists(st.sampled_from(_METRICS), unique=True))
    def read_many_series(self, runs: list[str], keys: list[str] | None) -> None:
        self._both.same(lambda store: store.metric_bulk(runs, keys))

    @rule(runs=st.lists(_runs, unique=True), buckets=st.none() | st.integers(1, 3), first=st.none() | _near, last=st.none() | _near)
    def read_sampled_series(self, runs: list[str], buckets: int | None, first: int | None, last: int | None) -> None:
        self._both.same(lambda store: store.metric_bulk(runs, buckets=buckets, first_step=first, last_step=last))

    # --- shipping

    @precondition(lambda self: self._has(Feature.ORIGINS))
    @rule(
        run=_runs,
        writer=_writers,
        ahead=st.sampled_from([0, 0, 0, 0, -1, 1]),
        length=st.integers(0, 3),
        batch=_batches,
        removed=st.lists(st.sampled_from(["t", "u", "never"]), max_size=2).map(tuple),
        datasets=_inputs.map(tuple),
        status=st.none() | st.sampled_from(RunStatus),
        end_time=st.none() | st.integers(0, 3),
    )
    def ship(self, run: str, writer: str, ahead: int, length: int, **given: Any) -> None:
        start = max(0, self._both.oracle.shipped_to(writer) + ahead)
        origin = Origin(writer, start, start + length)
        given["inputs"], given["removed_tags"] = given.pop("datasets"), given.pop("removed")
        self._both.same(lambda store: store.ship(Parcel(run, origin, **given)))
        self._both.same(lambda store: store.shipped_to(writer))

    @precondition(lambda self: self._has(Feature.ORIGINS))
    @rule(run=st.sampled_from(_RUN_IDS), writer=_writers, batch=_batches, tags=_tags)
    def ship_a_new_run(self, run: str, writer: str, batch: LogBatch, tags: dict[str, str]) -> None:
        new = self._made(run) or NewRun("0", run, f"{run}a", "a", 1, tags)
        start = self._both.oracle.shipped_to(writer)
        self._both.same(lambda store: store.ship(Parcel(run, Origin(writer, start, start + 1), new, batch)))

    @precondition(lambda self: self._has(Feature.HEARTBEATS))
    @rule(run=_runs, writer=_writers, at=st.integers(0, 9))
    def beat(self, run: str, writer: str, at: int) -> None:
        self._both.same(lambda store: store.beat([Heartbeat(run, writer, at, 1, "h", at, "b")]))

    @precondition(lambda self: self._has(Feature.HEARTBEATS))
    @rule(runs=st.none() | st.lists(_runs, unique=True))
    def read_beats(self, runs: list[str] | None) -> None:
        self._both.same(lambda store: sorted(store.heartbeats(runs), key=str))

    def _has(self, feature: Feature) -> bool:
        return self._both.store.features.get(feature) is Support.FULL

    # --- searches

    @rule(query=run_queries, experiments=st.none() | st.lists(_experiments, max_size=3), view=_views, limit=st.integers(1, 4))
    def search_runs(self, query: Query, experiments: list[str] | None, view: ViewType, limit: int) -> None:
        found = self._both.same(lambda store: store.search_runs(query, experiment_ids=experiments, view=view))
        pages = self._both.same(
            lambda store: _pages(
                lambda token: store.search_runs(query, experiment_ids=experiments, view=view, limit=limit, page_token=token)
            )
        )
        assert [run for page in pages for run in page] == found

    @rule(query=run_queries, fields=run_fields, experiments=st.none() | st.lists(_experiments, max_size=3), view=_views)
    def read_columns(self, query: Query, fields: list[Field], experiments: list[str] | None, view: ViewType) -> None:
        self._both.same(lambda store: store.run_columns(query, experiment_ids=experiments, view=view, fields=fields))
        self._both.same(lambda store: store.run_keys(experiment_ids=experiments, view=view))

    @rule(query=experiment_queries, view=_views, limit=st.integers(1, 3))
    def search_experiments(self, query: Query, view: ViewType, limit: int) -> None:
        self._both.same(lambda store: _pages(lambda token: store.search_experiments(query, view=view, limit=limit, page_token=token)))

    # --- lasting

    @precondition(lambda self: self._is_durable)
    @rule()
    def reopen(self) -> None:
        self._both.store.close()
        self._both.store = self._open_store()

    def teardown(self) -> None:
        """Compare all that is left, once more through a new opening where the store outlives its process."""
        if self._is_durable:
            self.reopen()
        try:
            self._both.same(lambda store: store.search_runs(query_runs(), experiment_ids=None, view=ViewType.ALL))
            self._both.same(lambda store: store.metric_bulk(_RUN_IDS))
            self._compare_logged_models()
            for number in _EXPERIMENT_IDS:
                self._both.same(lambda store, number=number: store.get_experiment(number))  # type: ignore[misc]
        finally:
            self._both.store.close()


def _pages(search: Callable[[str | None], Any]) -> list[list[Any]]:
    return [list(page) for page in all_pages(search)]
