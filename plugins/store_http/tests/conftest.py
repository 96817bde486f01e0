"""Servers for tests: `served` gives an empty one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from drupe.testing.plugin import drupe_workspace
from plugins.store_http.tests.serving import Nursery, Served

__all__ = ["drupe_workspace"]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


@pytest.fixture
def served(nursery: Nursery) -> Iterator[Served]:
    taken = nursery.take()
    yield taken
    nursery.give_back(taken)
