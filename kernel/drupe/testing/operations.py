"""Random operations on a store, compared with the in-memory oracle; a failing series is cut down to the shortest that fails.

def test_random_operations_agree_with_the_oracle() -> None:
    compare_tracking_store(lambda folder: MyStore.open(Uri.parse(f"mine://{folder}/store")))
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from drupe.entities import ViewType
from drupe.extend.registry_store import RegistryStore
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import Field, Query
from drupe.testing.comparison import Pair
from drupe.testing.memory import MemoryRegistryStore, MemoryTrackingStore
from drupe.testing.operations_registry import RegistryOperations
from drupe.testing.operations_tracking import TrackingOperations
from drupe.testing.random_population import fill_registry, fill_tracking
from drupe.testing.random_queries import run_fields, run_queries, version_queries

__all__ = ["compare_registry_store", "compare_run_searches", "compare_tracking_store", "compare_version_searches"]


def compare_tracking_store(
    open_store: Callable[[Path], TrackingStore],
    *,
    examples: int = 30,
    steps: int = 40,
    is_durable: bool = True,
    is_random: bool = False,
    is_shrunk: bool = True,
) -> None:
    """Do `examples` series of `steps` random operations on a new store each, and on the oracle; raises AssertionError where they differ.

    `open_store` gets an empty folder and opens a new store in it; called again with the folder, it opens that store again (pass
    `is_durable=False` for a store that keeps nothing). The operations are the same in every session unless `is_random`.
    A series that fails is cut down to a short one, which may take minutes, unless not `is_shrunk`.
    """
    _compare(TrackingOperations, open_store, _settings(examples, is_random, is_shrunk, steps), is_durable)


def compare_registry_store(
    open_store: Callable[[Path], RegistryStore],
    *,
    examples: int = 30,
    steps: int = 40,
    is_durable: bool = True,
    is_random: bool = False,
    is_shrunk: bool = True,
) -> None:
    """The same for a registry store; see compare_tracking_store."""
    _compare(RegistryOperations, open_store, _settings(examples, is_random, is_shrunk, steps), is_durable)


def compare_run_searches(
    open_store: Callable[[Path], TrackingStore], *, runs: int = 60, examples: int = 300, is_random: bool = False, is_shrunk: bool = True
) -> None:
    """Put one random population of `runs` runs into a store and the oracle, and compare `examples` random searches of it.

    The population is drawn from a fixed seed; the searches are the same in every session unless `is_random`.
    """
    with tempfile.TemporaryDirectory(prefix="drupe-searches-") as folder:
        store = open_store(Path(folder))
        root = store.get_experiment("0").artifact_location.removesuffix("/0")
        both: Pair[TrackingStore] = Pair(store, MemoryTrackingStore(artifact_root=root))
        for one in (both.store, both.oracle):
            fill_tracking(one, runs=runs)

        @_settings(examples, is_random, is_shrunk)
        @given(
            run_queries,
            st.none() | st.lists(st.sampled_from(["0", "1", "2", "9"]), max_size=3),
            st.sampled_from(ViewType),
            run_fields,
            st.sampled_from([3, 1000]),
        )
        def compare(query: Query, experiments: list[str] | None, view: ViewType, fields: list[Field], limit: int) -> None:
            both.same(lambda one: one.search_runs(query, experiment_ids=experiments, view=view))
            both.same(lambda one: one.count_runs(query, experiment_ids=experiments, view=view))
            both.same(lambda one: one.run_columns(query, experiment_ids=experiments, view=view, fields=fields, limit=limit))

        _run(compare, store)


def compare_version_searches(
    open_store: Callable[[Path], RegistryStore], *, versions: int = 60, examples: int = 200, is_random: bool = False, is_shrunk: bool = True
) -> None:
    """The same for searches of model versions; see compare_run_searches."""
    with tempfile.TemporaryDirectory(prefix="drupe-searches-") as folder:
        both: Pair[RegistryStore] = Pair(open_store(Path(folder)), MemoryRegistryStore())
        for one in (both.store, both.oracle):
            fill_registry(one, versions=versions)

        @_settings(examples, is_random, is_shrunk)
        @given(version_queries)
        def compare(query: Query) -> None:
            both.same(lambda one: one.search_model_versions(query))

        _run(compare, both.store)


def _run(compare: Callable[[], None], store: TrackingStore | RegistryStore) -> None:
    try:
        compare()
    finally:
        store.close()


def _compare(machine: type[Any], open_store: Callable[[Path], Any], how: settings, is_durable: bool) -> None:
    with ExitStack() as folders:

        def start() -> Any:
            folder = Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="drupe-operations-")))
            return machine(lambda: open_store(folder), is_durable=is_durable)

        run_state_machine_as_test(cast(type[RuleBasedStateMachine], start), settings=how)


def _settings(examples: int, is_random: bool, is_shrunk: bool, steps: int = 1) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=not is_random,
        database=None,
        phases=(Phase.generate, Phase.shrink) if is_shrunk else (Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
