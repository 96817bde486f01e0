"""Runs single tests of a kit against a store, without pytest's collection; for proving that a kit has teeth."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drupe.errors import DrupeError

__all__ = ["complaint"]


def complaint(kit: type, test: str, open_store: Callable[[], Any], *, reopen: Callable[[Any], Any] | None = None) -> str | None:
    """What the test of that name says against the store, with every set of its parameters; None when it passes.

    Each set gets a store of its own, which is also the one that a test asks for with a feature; `reopen` makes the store that a test gets when it opens that one again. An exception that is no
    complaint (a mistake in the broken store, or in here) passes through.
    """
    function = getattr(kit(), test)
    for given in _parameters(function):
        store = open_store()
        fixtures = {
            **dict.fromkeys(("store", "exact", "beating", "modelling", "taking"), store),
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
