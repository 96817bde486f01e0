"""Runs single tests of a kit without pytest's collection, and keeps what each must catch; for proving that a kit has teeth."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from drupe.errors import DrupeError

__all__ = ["Faults", "call", "check_mistyped_names_are_noticed", "complaint", "promises_of"]

Kind = TypeVar("Kind", bound=type)
ABOUT_THE_KIT = "test_what_is_left_out_are_tests_of_this_kit"


class NotGiven(BaseException):
    """A test of a kit asks for a fixture that its caller does not give. No Exception, which would count as the complaint that is waited for."""


class Faults(list[tuple[type, str]]):
    """Broken implementations, each with the name of the kit's test that must complain about it."""

    def caught_by(self, test: str) -> Callable[[Kind], Kind]:
        """A decorator that adds a broken implementation."""

        def note(kind: Kind) -> Kind:
            self.append((kind, test))
            return kind

        return note

    def each(self) -> pytest.MarkDecorator:
        """The arguments `kind` and `test` of a test that is run for each of them."""
        return pytest.mark.parametrize(("kind", "test"), self, ids=[f"{kind.__name__}-{test}" for kind, test in self])

    @property
    def tests(self) -> set[str]:
        """The tests that catch something."""
        return {test for _, test in self}


def promises_of(kit: type) -> set[str]:
    """The names of a kit's tests, but for the one that is about the kit itself."""
    return {name for name in dir(kit) if name.startswith("test_")} - {ABOUT_THE_KIT}


def call(kit: type, test: str, **fixtures: Any) -> None:
    """Run the test of that name with those of the fixtures that it asks for. Raises NotGiven."""
    method = getattr(kit(), test)
    wanted = inspect.signature(method).parameters
    if lacking := sorted(set(wanted) - set(fixtures)):
        raise NotGiven(f"{test} asks for {', '.join(lacking)}")
    method(**{name: fixtures[name] for name in wanted})


def check_mistyped_names_are_noticed(kit: type) -> None:
    """A test that is left out and does not exist is one that somebody believes is left out."""
    mistaken = type("Mistaken", (kit,), {"cannot": {"test_with_a_typing_error": "no reason"}})
    with pytest.raises(AssertionError):
        getattr(mistaken(), ABOUT_THE_KIT)()


def complaint(kit: type, test: str, open_store: Callable[[], Any], *, reopen: Callable[[Any], Any] | None = None) -> str | None:
    """What the test of that name says against the store, with every set of its parameters; None when it passes.

    Each set gets a store of its own, which is also the one that a test asks for with a feature; `reopen` makes the store that a test gets when it opens that one again. An exception that is no
    complaint (a mistake in the broken store, or in here) passes through.
    """
    function = getattr(kit(), test)
    for given in _parameters(function):
        store = open_store()
        fixtures = {
            **dict.fromkeys(("store", "exact", "beating", "modelling", "moving", "taking", "watched"), store),
            "reopen": lambda store=store: (reopen or _same)(store),
        }
        wanted = [name for name in inspect.signature(function).parameters if name not in given]
        try:
            function(**given, **{name: fixtures[name] for name in wanted})
        except (AssertionError, pytest.fail.Exception, DrupeError, LookupError) as fault:
            return f"{type(fault).__name__}: {fault}"
    return None


def _same(store: Any) -> Any:
    return store


def _parameters(function: Any) -> Iterator[dict[str, Any]]:
    """The parameter sets of `pytest.mark.parametrize`, one or several of them."""
    sets: list[dict[str, Any]] = [{}]
    for mark in getattr(function, "pytestmark", []):
        names, rows = mark.args[0], mark.args[1]
        several = [names] if isinstance(names, str) else list(names)
        sets = [{**one, **dict(zip(several, [row] if isinstance(names, str) else row, strict=True))} for one in sets for row in rows]
    yield from sets
