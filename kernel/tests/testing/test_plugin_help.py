"""The help for plugin authors' own tests: the check of a front door, the workspace, the plugin that is not installed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import drupe
from drupe.extend import Offer, hookimpl
from drupe.loading import Plugin, catalog
from drupe.settings import settings
from drupe.testing.plugin import check_front_door, drupe_workspace, use_plugin

__all__ = ["drupe_workspace", "use_plugin"]

GOOD = '''"""A store for tests."""
from drupe.extend import Offer, hookimpl
DRUPE_API = "1.0"

@hookimpl
def drupe_tracking_stores():
    return [Offer("plum", load="drupe.testing.memory:MemoryTrackingStore", help="runs in memory", keys=("plum",))]
'''


@pytest.fixture
def front_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Writes a front door and returns its module's name, which no other test uses."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(text: str) -> str:
        name = f"door_of_{request.function.__name__}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def test_a_good_front_door_is_answered_with_its_plugin(front_door: Callable[[str], str]) -> None:
    plugin = check_front_door(front_door(GOOD))
    assert [(entry.hook, entry.offer.name) for entry in plugin.entries] == [("drupe_tracking_stores", "plum")]


def test_a_front_door_that_imports_a_library_breaks_a_rule(front_door: Callable[[str], str]) -> None:
    with pytest.raises(AssertionError, match=r"imports only.*it imports json"):
        check_front_door(front_door(GOOD.replace("DRUPE_API", "import json\nDRUPE_API", 1)))


def test_a_long_front_door_breaks_a_rule(front_door: Callable[[str], str]) -> None:
    with pytest.raises(AssertionError, match="fewer than 40 lines"):
        check_front_door(front_door(GOOD + "\n" * 40))


def test_a_front_door_without_an_api_version_breaks_a_rule(front_door: Callable[[str], str]) -> None:
    with pytest.raises(AssertionError, match="DRUPE_API"):
        check_front_door(front_door(GOOD.replace('DRUPE_API = "1.0"\n', "")))


def test_an_offer_that_cannot_be_loaded_breaks_a_rule(front_door: Callable[[str], str]) -> None:
    with pytest.raises(AssertionError, match=r"plum loads and keeps its contract: .*NoSuchStore"):
        check_front_door(front_door(GOOD.replace("MemoryTrackingStore", "NoSuchStore")))


def test_an_offer_of_another_contract_breaks_a_rule(front_door: Callable[[str], str]) -> None:
    with pytest.raises(AssertionError, match=r"is no subclass of drupe\.extend\.TrackingStore"):
        check_front_door(front_door(GOOD.replace("MemoryTrackingStore", "MemoryRegistryStore")))


def test_every_broken_rule_is_listed(front_door: Callable[[str], str]) -> None:
    text = GOOD.replace("DRUPE_API", "import json\nDRUPE_API", 1).replace("MemoryTrackingStore", "NoSuchStore") + "\n" * 40
    with pytest.raises(AssertionError) as raised:
        check_front_door(front_door(text))
    assert len([line for line in str(raised.value).splitlines() if line.startswith("  ")]) == 3


def test_the_workspace_hides_what_is_set_outside(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////elsewhere/precious.db")
    monkeypatch.setenv("DRUPE_TRACKING_URI", "sqlite:////elsewhere/precious.db")
    folder = request.getfixturevalue("drupe_workspace")
    assert Path.cwd() == folder
    assert list(folder.iterdir()) == []
    assert settings().get("tracking_uri") is None
    assert [name for name in os.environ if name.startswith("MLFLOW_")] == []


def test_a_plugin_that_is_not_installed_can_be_used(use_plugin: Callable[[str, Any], Plugin]) -> None:
    @hookimpl
    def drupe_tracking_stores() -> list[Offer]:
        return [Offer("plum", load="drupe.testing.memory:MemoryTrackingStore")]

    plugin = use_plugin("store-plum", SimpleNamespace(DRUPE_API="1.0", drupe_tracking_stores=drupe_tracking_stores))
    assert plugin.is_active
    drupe.set_tracking_uri("plum:here")
    with drupe.start_run(run_name="first"):
        drupe.log_metric("loss", 0.5)
    assert [run.data.metrics for run in drupe.search_runs(output_format="list")] == [{"loss": 0.5}]


def test_a_plugin_that_was_used_in_another_test_is_gone(drupe_workspace: Path) -> None:
    assert "store-plum" not in [plugin.name for plugin in catalog().plugins]
