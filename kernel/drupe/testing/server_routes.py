"""The conformance kit of server routes: what every implementation of `drupe.extend.ServerRoutes` must do.

A plugin's test module subclasses the kit and names its class; nothing else is needed:

    class TestMyRoutes(ServerRoutesKit):
        @pytest.fixture
        def implementation(self):
            return MyRoutes

The routes are asked as a server asks them, with a store in memory behind them. What they answer is for the plugin's own tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pytest

from drupe.entities import NewRun, ViewType
from drupe.errors import DrupeError
from drupe.extend import Access, ArtifactRepo, ServedStore, ServerRoutes, WebReply, WebRequest, WebRoute
from drupe.search import Kind, parse
from drupe.testing.kit import in_threads
from drupe.testing.memory_artifacts import MemoryArtifactRepo
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe.uris import ArtifactPath

__all__ = ["ServerRoutesKit"]

HOSTILE = (
    "",
    "..",
    "../../etc/passwd",
    "%2e%2e",
    "a\x00b",
    "<script>alert(1)</script>",
    "ключ 🍑",
    "x" * 5000,
    "-1",
    "9" * 30,
    "NaN",
    "[]",
)
BODIES = (
    b"",
    b"{}",
    b"[1]",
    b"{",
    b'"text"',
    b"\xff\xfe",
    b'{"a":' * 3000,
    b'{"filter": 7, "experiments": {}, "limit": -1, "runs": [null]}',
)
_FIELD = re.compile(r"\{(\w+)(?:\.\.\.)?\}")


class ServerRoutesKit:
    """Subclass it as `Test…` and override the fixture `implementation`, and `settings` where the routes cannot do without.

    `cannot` names tests that these routes do not pass, each with the reason; they are skipped and the reason shown.
    """

    cannot: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def implementation(self) -> type[ServerRoutes]:
        """The class under test."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `implementation` that gives the class of routes")

    @pytest.fixture
    def settings(self) -> Any:
        """An instance of the offer's settings class, or None."""
        return None

    @pytest.fixture
    def store(self) -> ServedStore:
        """An experiment with one run, in memory."""
        tracking, registry = MemoryTrackingStore(), MemoryRegistryStore()
        experiment = tracking.create_experiment("kit")
        tracking.create_run(NewRun(experiment_id=experiment.experiment_id, run_name="one", start_time=1))
        repo = MemoryArtifactRepo()

        def files(address: str) -> tuple[ArtifactRepo, ArtifactPath]:
            return repo, ArtifactPath()

        return ServedStore(tracking, registry, files, lambda kind, **ids: None, "memory://", "0.0")

    @pytest.fixture
    def opened(self, implementation: type[ServerRoutes], store: ServedStore, settings: Any) -> Iterator[ServerRoutes]:
        """The opened routes, closed afterwards."""
        opened = implementation.open(store, settings)
        yield opened
        opened.close()

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_routes_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    def test_there_are_routes_and_each_is_well_formed(self, opened: ServerRoutes) -> None:
        routes = list(opened.routes())
        assert routes
        assert [fault for route in routes for fault in route.faults()] == []

    def test_no_route_hides_behind_another_of_the_same_form(self, opened: ServerRoutes) -> None:
        forms = [(route.method, _FIELD.sub("{}", route.path)) for route in opened.routes()]
        assert sorted(form for form in forms if forms.count(form) > 1) == []

    def test_another_process_of_the_server_has_the_same_routes(
        self, opened: ServerRoutes, implementation: type[ServerRoutes], store: ServedStore, settings: Any
    ) -> None:
        other = implementation.open(store, settings)
        told = [[(route.method, route.path, route.access) for route in routes.routes()] for routes in (opened, other)]
        other.close()
        assert told[0] == told[1]

    def test_closing_twice_is_harmless(self, implementation: type[ServerRoutes], store: ServedStore, settings: Any) -> None:
        opened = implementation.open(store, settings)
        opened.close()
        opened.close()

    def test_whatever_is_asked_is_answered_or_refused_as_the_clients_fault(self, opened: ServerRoutes) -> None:
        for route in opened.routes():
            for text in HOSTILE:
                for body in BODIES if route.method != "GET" else (b"",):
                    _ask(route, text, body)

    def test_reading_routes_change_nothing(self, opened: ServerRoutes, store: ServedStore) -> None:
        before = _content(store)
        for route in opened.routes():
            if route.access is Access.READ:
                for text in HOSTILE:
                    _ask(route, text, b"{}")
        assert _content(store) == before

    def test_routes_that_read_are_asked_by_several_threads_at_once(self, opened: ServerRoutes) -> None:
        reading = [route for route in opened.routes() if route.access is Access.READ]

        def ask_all() -> None:
            for route in reading:
                _ask(route, "1", b"{}")

        assert in_threads([ask_all] * 4) == []


def _ask(route: WebRoute, text: str, body: bytes) -> None:
    """Ask once; a refusal must be a 4xx, and an answer a WebReply whose parts can be read."""
    fields = dict.fromkeys(_FIELD.findall(route.path), text)
    query = dict.fromkeys(("run_id", "path", "name", "experiments", "filter", "offset", "limit", "id"), text)
    try:
        reply = route.answer(WebRequest(route.method, fields, query, {"host": "localhost"}, body))
    except DrupeError as refusal:
        if not (400 <= refusal.http_status < 500 or refusal.http_status in (501, 503)):
            asked = f"{route.method} {route.path}, asked with {text[:50]!r} and {body[:50]!r}"
            raise AssertionError(f"{asked}, blames the server: {refusal}") from refusal
        return
    assert isinstance(reply, WebReply), (route.path, type(reply))
    assert 200 <= reply.status < 600
    assert isinstance(reply.body, bytes)
    if reply.parts is not None:
        assert route.access is Access.READ, f"{route.path} writes, and has parts"
        assert all(isinstance(part, bytes) for part in reply.parts)


def _content(store: ServedStore) -> Any:
    runs = store.tracking.search_runs(parse(Kind.RUNS), experiment_ids=None, view=ViewType.ALL)
    return [*runs], [*store.tracking.search_experiments(parse(Kind.EXPERIMENTS), view=ViewType.ALL)]
