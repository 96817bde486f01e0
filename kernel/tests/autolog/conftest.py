"""The toy library, not imported yet, and the plugin that watches it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.entities import Run
from drupe.testing.plugin import drupe_workspace, use_plugin

from .toy import LIBRARY, ToyAutologger, front_door

__all__ = ["drupe_workspace", "use_plugin"]


@pytest.fixture
def library(drupe_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The toy library can be imported, and has not been."""
    (tmp_path / "toylib.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("toylib", None)
    yield "toylib"
    drupe.autolog(disable=True)
    sys.modules.pop("toylib", None)


@pytest.fixture
def toy(library: str, use_plugin: Callable[[str, Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy library is watched when it is asked for; faults are errors."""
    monkeypatch.setenv("DRUPE_STRICT_AUTOLOG", "1")
    plugin = use_plugin("toy-plugin", front_door(ToyAutologger))
    assert plugin.is_active, plugin.reason


@pytest.fixture
def runs() -> Callable[[], list[Run]]:
    """A function that gives all runs."""
    return lambda: drupe.search_runs(output_format="list", search_all_experiments=True)
