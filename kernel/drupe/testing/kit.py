"""What the kits share: leaving out tests by name, the fixtures that a persistent store provides, and short ways to write what tests do.

Not for plugin authors to import: they subclass `TrackingStoreKit` or `RegistryStoreKit`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from drupe.entities import LogBatch, NewRun, Points, Run
from drupe.extend.registry_store import RegistryStore
from drupe.extend.tracking_store import TrackingStore
from drupe.search.parse import parse
from drupe.search.query import Kind, Query
from drupe.uris import Uri

__all__ = [
    "StoreKit",
    "all_pages",
    "in_threads",
    "log",
    "make_pear",
    "new_run",
    "query_logged_models",
    "query_models",
    "query_runs",
    "query_versions",
    "tick",
]


class StoreKit:
    """Base of the store kits.

    `cannot` names the tests that this store does not pass, each with the reason; they are skipped and the reason shown. Three
    fixtures may be overridden: `store` must be, `reopen` by stores that outlive their process, `address` by stores that several
    processes may write to at once.
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def store(self) -> Any:
        """An open, empty store, closed afterwards."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `store` that yields an open, empty store")

    @pytest.fixture
    def reopen(self) -> Callable[[], Any]:
        """A function that closes `store` and opens the same one again, as another process would."""
        pytest.skip("this store keeps nothing once it is closed (no fixture `reopen`)")

    @pytest.fixture
    def address(self) -> Uri:
        """Where `store` is, for other processes to open with `type(store).open(address)`."""
        pytest.skip("this store is not for several processes (no fixture `address`)")

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_store_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []


def new_run(store: TrackingStore, experiment_id: str = "0", **given: Any) -> Run:
    """Create a run with the fields of NewRun that matter to the test."""
    return store.create_run(NewRun(experiment_id, **given))


def log(
    store: TrackingStore,
    run_id: str,
    metrics: Mapping[str, Iterable[tuple[int, int, float]]] | None = None,
    *,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log (step, timestamp, value) triples by metric key, params and tags in one batch."""
    columns = {key: Points.of(points) for key, points in (metrics or {}).items()}
    store.log_batch(run_id, LogBatch(columns, params or {}, tags or {}))


def query_runs(filter: str | None = None, order_by: Sequence[str] | None = None) -> Query:
    """The query that a filter and order text mean for runs."""
    return parse(Kind.RUNS, filter, order_by)


def query_logged_models(filter: str | None = None, order_by: Sequence[str] | None = None) -> Query:
    """The query that a filter and order text mean for logged models."""
    return parse(Kind.LOGGED_MODELS, filter, order_by)


def query_models(filter: str | None = None, order_by: Sequence[str] | None = None) -> Query:
    """The query that a filter and order text mean for registered models."""
    return parse(Kind.REGISTERED_MODELS, filter, order_by)


def query_versions(filter: str | None = None, order_by: Sequence[str] | None = None) -> Query:
    """The query that a filter and order text mean for model versions."""
    return parse(Kind.MODEL_VERSIONS, filter, order_by)


def make_pear(store: RegistryStore, versions: int) -> None:
    """The model `pear` with this many versions."""
    store.create_registered_model("pear")
    for number in range(1, versions + 1):
        store.create_model_version("pear", f"s3://bucket/{number}")


def all_pages(search: Callable[[str | None], Any], *, most: int = 1000) -> list[list[Any]]:
    """Every page of `search(page_token)`, from the first to the one without a token."""
    pages = [search(None)]
    while pages[-1].token is not None:
        assert len(pages) < most, f"still a page token after {most} pages"
        pages.append(search(pages[-1].token))
    return pages


def in_threads(work: Sequence[Callable[[], object]]) -> list[BaseException]:
    """Run all of `work` at the same time, each in its own thread; what was raised."""
    start = threading.Barrier(len(work))
    raised: list[BaseException] = []

    def run(part: Callable[[], object]) -> None:
        start.wait()
        try:
            part()
        except BaseException as fault:
            raised.append(fault)

    threads = [threading.Thread(target=run, args=(part,)) for part in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def tick() -> int:
    """Wait for the clock's next millisecond, so that times on either side of the call differ; returns it in ms."""
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == now:
        pass
    return now + 1
