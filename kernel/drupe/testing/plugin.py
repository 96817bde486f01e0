"""For the tests of a plugin: a workspace that nothing from outside reaches, and the check of a front door.

In the plugin's `conftest.py`:

    from drupe.testing.plugin import drupe_workspace, use_plugin

    __all__ = ["drupe_workspace", "use_plugin"]
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import drupe.loading
import drupe.settings
from drupe.loading import Catalog, Plugin
from drupe.loading.check import check
from drupe.settings import Settings
from drupe.tracking import address, autolog, chosen, fluent

__all__ = ["check_front_door", "drupe_workspace", "use_plugin"]

_OURS = ("DRUPE_", "MLFLOW_")


@pytest.fixture
def drupe_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working folder, with no `DRUPE_` or `MLFLOW_` variable set and no settings file in reach.

    What drupe keeps for the process (settings, catalog, opened stores, the experiment in use, active runs) starts anew and is let
    go of at the end. Runs do not look at the installed packages, at git, nor at the machine, and no process watches what
    models import.
    """
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("DRUPE_CAPTURE_ENVIRONMENT", "false")
    monkeypatch.setenv("DRUPE_CAPTURE_GIT_DIFF", "false")
    monkeypatch.setenv("DRUPE_ENABLE_SYSTEM_METRICS_LOGGING", "false")
    monkeypatch.setenv("DRUPE_REQUIREMENTS_INFERENCE", "false")
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    _start_over()
    yield folder
    while fluent.active_run() is not None:
        fluent.end_run()
    _start_over()


@pytest.fixture
def use_plugin(drupe_workspace: Path) -> Callable[[str, Any], Plugin]:
    """A function (name, front door) that takes a plugin into the catalog as if it were installed, and tells what became of it.

    The front door is a module, or any object with hook implementations and `DRUPE_API`. It is gone after the test.
    """
    return lambda name, front: drupe.loading.catalog().add(name, front)


def check_front_door(module: str) -> Plugin:
    """Import the front door of that name and check the rules of the plugin boundary; the plugin when all are kept.

    It imports nothing but `drupe.extend`, has under 40 lines, sets `DRUPE_API` to a version that this drupe takes, and its offers are well
    formed and load what their contract asks for. Raises AssertionError that lists every broken rule.
    """
    with tempfile.TemporaryDirectory(prefix="drupe-front-door-") as folder:
        alone = Catalog.build(Settings.read(Path(folder), {"XDG_CONFIG_HOME": folder}), claims=())
        plugin = alone.add(module, import_module(module))
        broken = [f"  {finding.rule}: {finding.detail}" for finding in check(plugin) if not finding.is_kept]
    assert not broken, f"the front door {module} breaks these rules:\n" + "\n".join(broken)
    return plugin


def _start_over() -> None:
    autolog.reset()
    chosen.reset()
    address.close_stores()
    drupe.settings.reset()
    drupe.loading.reset()
