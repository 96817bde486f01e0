"""The console log of a run that has ended, asked for while it goes from the run's folder to the artifacts: its page asks no more then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import frozen

from drupe.artifacts.repos import repo_for
from drupe.entities import NewRun, RunStatus
from drupe.extend import ServedStore, WebRequest
from drupe.testing.memory import MemoryRegistryStore, MemoryTrackingStore
from drupe.tracking.console.archive import clear_parts, keep_parts
from drupe.tracking.console.parts import FOLDER
from drupe.tracking.journal.places import run_folder
from drupe.uris import ArtifactPath
from drupe_ui_web.run_log import RunLog

LINE = "2026-11-26T14:03:22.123Z stdout F "


@frozen
class Ended:
    """A run that has ended and whose log is still in its folder, in two parts."""

    log: RunLog
    run_id: str
    folder: Path
    files: Path

    def texts(self) -> list[str]:
        told = json.loads(self.log.log(WebRequest("GET", query={"run_id": self.run_id})).body)
        assert (told["is_over"], told["has_more"]) == (True, False)
        return [text for _, _, _, text in told["lines"]]

    def keep(self) -> None:
        keep_parts(self.folder, lambda: repo_for(self.files.as_uri()))


@pytest.fixture
def ended(tmp_path: Path) -> Ended:
    tracking = MemoryTrackingStore()
    run_id = tracking.create_run(NewRun("0")).info.run_id
    tracking.update_run(run_id, status=RunStatus.FAILED, end_time=5)
    address, files = f"sqlite:///{tmp_path}/runs.db", tmp_path / "files"
    folder = run_folder(address, run_id) / FOLDER
    folder.mkdir(parents=True)
    for number, text in ((1, "the first"), (2, "the last")):
        (folder / f"console.{number:04}.log").write_text(f"{LINE}{text}\n")
    store = ServedStore(
        tracking, MemoryRegistryStore(), lambda uri: (repo_for(files.as_uri()), ArtifactPath()), lambda kind, **about: None, address
    )
    return Ended(RunLog(store), run_id, folder, files)


def test_the_log_is_read_from_the_artifacts_when_it_went_there_after_it_was_found_in_the_folder(
    ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = ended.log._parts

    def find_and_lose_the_turn(*given: object, **more: object) -> object:
        found = find(*given, **more)  # type: ignore[arg-type]
        ended.keep()
        clear_parts(ended.folder)
        return found

    monkeypatch.setattr(ended.log, "_parts", find_and_lose_the_turn)
    assert ended.texts() == ["the first", "the last"]


def test_parts_that_have_left_the_folder_are_told_with_those_that_are_about_to(ended: Ended) -> None:
    ended.keep()
    (ended.folder / "console.0001.log").unlink()
    assert ended.texts() == ["the first", "the last"]


def test_what_lies_in_the_folder_is_told_also_when_the_artifacts_cannot_be_asked(ended: Ended) -> None:
    ended.files.write_text("a file in the place of the folder")
    assert ended.texts() == ["the first", "the last"]
