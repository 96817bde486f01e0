"""Switching autologging on and off, for all libraries or one, before the library is imported or after."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.entities import Run
from drupe.errors import InvalidSettings, NoProvider
from drupe.extend import Autologger
from drupe.tracking.autolog import autolog_library

from .toy import ToyAutologger, front_door

Runs = Callable[[], list[Run]]


def test_a_library_is_watched_from_its_import_on(toy: None, runs: Runs) -> None:
    drupe.autolog()
    assert "toylib" not in sys.modules
    importlib.import_module("toylib").train([1])
    assert len(runs()) == 1


def test_a_library_that_is_imported_already_is_watched_at_once(toy: None, runs: Runs) -> None:
    toylib = importlib.import_module("toylib")
    toylib.train([1])
    drupe.autolog()
    toylib.train([1])
    assert len(runs()) == 1


def test_waiting_leaves_the_import_system_as_it_was(toy: None) -> None:
    before = list(sys.meta_path)
    drupe.toy.autolog()
    assert len(sys.meta_path) == len(before) + 1
    toylib = importlib.import_module("toylib")
    assert sys.meta_path == before
    assert "exec_module" not in vars(toylib.__spec__.loader)
    sys.modules.pop("toylib")
    drupe.toy.autolog()
    drupe.toy.autolog(disable=True)
    assert sys.meta_path == before


def test_a_library_that_cannot_be_imported_fails_as_it_does_without_us_and_may_be_tried_again(
    toy: None, tmp_path: Path, runs: Runs
) -> None:
    text = (tmp_path / "toylib.py").read_text()
    (tmp_path / "toylib.py").write_text("raise RuntimeError('half installed')")
    drupe.autolog()
    with pytest.raises(RuntimeError, match="half installed"):
        importlib.import_module("toylib")
    (tmp_path / "toylib.py").write_text(text + "# longer, so that it is read anew\n")
    importlib.invalidate_caches()
    importlib.import_module("toylib").train([1])
    assert len(runs()) == 1


def test_options_of_one_library_go_before_those_of_all(toy: None, runs: Runs) -> None:
    drupe.toy.autolog(extra_tags={"from": "one"})
    drupe.autolog(extra_tags={"from": "all"})
    toylib = importlib.import_module("toylib")
    toylib.train([1])
    drupe.toy.autolog(disable=True)
    drupe.autolog(extra_tags={"from": "all"})
    toylib.train([1])
    assert sorted(run.data.tags["from"] for run in runs()) == ["all", "one"]


def test_options_stand_in_settings_too(toy: None, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_TOY_PLUGIN__DISABLE", "true")
    drupe.autolog()
    importlib.import_module("toylib").train([1])
    assert runs() == []
    drupe.toy.autolog(disable=False)
    importlib.import_module("toylib").train([1])
    assert len(runs()) == 1


def test_options_may_be_given_in_mlflows_order(toy: None, runs: Runs) -> None:
    drupe.toy.autolog(False, True, True, True, True)
    importlib.import_module("toylib").train([1])
    assert runs() == []
    with pytest.raises(InvalidSettings, match="takes at most 11 options"):
        drupe.toy.autolog(*[False] * 12)


def test_excluded_libraries_are_left_alone(toy: None, runs: Runs) -> None:
    drupe.autolog(exclude_flavors=["toy"])
    drupe.autolog(exclude_flavors=["toylib"])
    importlib.import_module("toylib").train([1])
    assert runs() == []


def test_disabling_all_ends_what_was_turned_on_by_itself(toy: None, runs: Runs) -> None:
    drupe.toy.autolog()
    toylib = importlib.import_module("toylib")
    drupe.autolog(disable=True)
    toylib.train([1])
    assert runs() == []


def test_a_library_that_nobody_watches_is_named(drupe_workspace: Path) -> None:
    with pytest.raises(NoProvider, match=r"autologging of 'pears' is not possible: no autologger for module 'pears'; installed: "):
        autolog_library("pears")
    with pytest.raises(AttributeError, match="pears"):
        drupe.pears.autolog()


class Unbuildable(ToyAutologger):
    """An autologger that fails after it began."""

    def install(self, patches: Any, options: Any) -> None:
        super().install(patches, options)
        raise RuntimeError("not today")


def test_an_autologger_that_cannot_start_takes_back_what_it_did_and_stops_nobody(
    library: str, use_plugin: Callable[[str, Any], Any], runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    use_plugin("toy-plugin", front_door(Unbuildable))
    drupe.autolog()
    assert importlib.import_module("toylib").train([1]).sum_ == 1
    assert runs() == []
    assert [record.getMessage() for record in caplog.records] == [
        "autologging of toy: starting failed: RuntimeError: not today (said once; the program goes on)"
    ]


def test_a_plugin_without_settings_takes_the_options_of_all(library: str, use_plugin: Callable[[str, Any], Any], runs: Runs) -> None:
    use_plugin("toy-plugin", front_door(ToyAutologger, options=""))
    drupe.toy.autolog(extra_tags={"a": "b"})
    importlib.import_module("toylib").train([1])
    assert [run.data.tags["a"] for run in runs()] == ["b"]


def test_two_plugins_for_one_library_are_one_warning(
    toy: None, use_plugin: Callable[[str, Any], Any], runs: Runs, caplog: pytest.LogCaptureFixture
) -> None:
    use_plugin("rival-plugin", front_door(ToyAutologger))
    drupe.autolog()
    importlib.import_module("toylib").train([1])
    assert runs() == []
    assert len([record for record in caplog.records if "rival-plugin and toy-plugin each offer an autologger" in record.getMessage()]) == 1


def test_the_contract_cannot_be_left_half_done() -> None:
    with pytest.raises(TypeError, match="install"):
        type("Half", (Autologger,), {})()
