"""Every promise of the kit for server routes has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Lock
from typing import Any, Self

import pytest

from drupe.entities import LogBatch
from drupe.errors import InvalidValue, StoreCorrupt
from drupe.extend import Access, ServedStore, ServerRoutes, WebReply, WebRequest, WebRoute
from drupe.search import Kind, parse
from drupe.testing.server_routes import ServerRoutesKit

from .kit_runner import Faults, call, check_mistyped_names_are_noticed, promises_of


class Correct(ServerRoutes):
    """Tells how many experiments there are, and renames one; the broken ones below differ in one thing each."""

    def __init__(self, store: ServedStore) -> None:
        self.store = store

    @classmethod
    def open(cls, store: ServedStore, settings: Any = None) -> Self:
        return cls(store)

    def routes(self) -> Sequence[WebRoute]:
        return [
            WebRoute("GET", "experiments/count", self.count),
            WebRoute("POST", "experiments/{id}/name", self.rename, Access.WRITE),
        ]

    def count(self, request: WebRequest) -> WebReply:
        return WebReply.of_form({"count": len(self.store.tracking.search_experiments(parse(Kind.EXPERIMENTS)))})

    def rename(self, request: WebRequest) -> WebReply:
        name = request.form().get("name")
        if not isinstance(name, str):
            raise InvalidValue("name must be text")
        self.store.tracking.rename_experiment(request.fields["id"], name)
        return WebReply.of_form({})


class TestCorrect(ServerRoutesKit):
    @pytest.fixture
    def implementation(self) -> type[ServerRoutes]:
        return Correct


FAULTS = Faults()
WAIT_S = 30


@FAULTS.caught_by("test_there_are_routes_and_each_is_well_formed")
class HasNone(Correct):
    def routes(self) -> Sequence[WebRoute]:
        return []


@FAULTS.caught_by("test_there_are_routes_and_each_is_well_formed")
class WritesOnGet(Correct):
    def routes(self) -> Sequence[WebRoute]:
        return [WebRoute("GET", "count", self.count, Access.WRITE)]


@FAULTS.caught_by("test_no_route_hides_behind_another_of_the_same_form")
class TwoNamesForOneField(Correct):
    def routes(self) -> Sequence[WebRoute]:
        return [WebRoute("GET", "of/{a}", self.count), WebRoute("GET", "of/{b}", self.count)]


@FAULTS.caught_by("test_another_process_of_the_server_has_the_same_routes")
class NumbersItsRoutes(Correct):
    made = 0

    def __init__(self, store: ServedStore) -> None:
        super().__init__(store)
        type(self).made += 1
        self.number = self.made

    def routes(self) -> Sequence[WebRoute]:
        return [WebRoute("GET", f"count{self.number}", self.count)]


@FAULTS.caught_by("test_closing_twice_is_harmless")
class ClosesOnce(Correct):
    is_open = True

    def close(self) -> None:
        assert self.is_open
        self.is_open = False


@FAULTS.caught_by("test_whatever_is_asked_is_answered_or_refused_as_the_clients_fault")
class Trusts(Correct):
    def rename(self, request: WebRequest) -> WebReply:
        self.store.tracking.rename_experiment(request.fields["id"], request.form()["name"])
        return WebReply.of_form({})


@FAULTS.caught_by("test_whatever_is_asked_is_answered_or_refused_as_the_clients_fault")
class BlamesItself(Correct):
    def rename(self, request: WebRequest) -> WebReply:
        raise StoreCorrupt("out of order")


@FAULTS.caught_by("test_whatever_is_asked_is_answered_or_refused_as_the_clients_fault")
class AnswersWithADict(Correct):
    def count(self, request: WebRequest) -> WebReply:
        return {"count": 1}  # type: ignore[return-value]


@FAULTS.caught_by("test_reading_routes_change_nothing")
class CountsVisits(Correct):
    def count(self, request: WebRequest) -> WebReply:
        (run,) = self.store.tracking.search_runs(parse(Kind.RUNS), experiment_ids=None)
        self.store.tracking.log_batch(run.info.run_id, LogBatch(tags={"visited": "yes"}))
        return super().count(request)


@FAULTS.caught_by("test_routes_that_read_are_asked_by_several_threads_at_once")
class AnswersOneAtATime(Correct):
    def __init__(self, store: ServedStore) -> None:
        super().__init__(store)
        self.lock, self.was_busy = Lock(), Event()

    def count(self, request: WebRequest) -> WebReply:
        if not self.lock.acquire(blocking=False):
            self.was_busy.set()
            raise RuntimeError("busy")
        try:
            self.was_busy.wait(WAIT_S)  # it takes so long that others ask meanwhile
        finally:
            self.lock.release()
        return super().count(request)


def run(kind: type[ServerRoutes], test: str) -> None:
    kit = ServerRoutesKit()
    store = ServerRoutesKit.store.__wrapped__(kit)  # type: ignore[attr-defined]
    opened = kind.open(store)
    call(ServerRoutesKit, test, implementation=kind, settings=None, store=store, opened=opened)


@FAULTS.each()
def test_a_broken_set_of_routes_is_caught_by_the_named_test(kind: type[ServerRoutes], test: str) -> None:
    with pytest.raises(Exception):  # noqa: B017 - whatever a test complains with
        run(kind, test)


def test_every_promise_is_proved_to_have_teeth() -> None:
    assert promises_of(ServerRoutesKit) == FAULTS.tests


def test_a_name_that_is_left_out_and_does_not_exist_is_noticed() -> None:
    check_mistyped_names_are_noticed(ServerRoutesKit)
