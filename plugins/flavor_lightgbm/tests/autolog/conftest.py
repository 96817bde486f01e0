"""A workspace of its own for every test, and what became of runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import drupe
from drupe.entities import Run
from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]


@pytest.fixture(autouse=True)
def workspace(drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Faults of autologging are errors here, unless a test says otherwise."""
    monkeypatch.setenv("DRUPE_STRICT_AUTOLOG", "1")
    return drupe_workspace


@pytest.fixture
def runs() -> Callable[[], list[Run]]:
    """A function that gives all runs, the oldest first."""
    return lambda: drupe.search_runs(order_by=["attributes.start_time ASC"], output_format="list", search_all_experiments=True)
