"""Reading a log while it goes from the run's own folder to where it stays: nobody looks again after the end of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.artifacts.repos import repo_for
from drupe.tracking.console.archive import clear_parts, keep_parts, stage_parts
from drupe.tracking.console.parts import FOLDER, prefix
from drupe.tracking.console.reading import ConsoleLog
from drupe.tracking.journal.places import STAGED


def to_artifacts(folder: Path, files: Path) -> None:
    keep_parts(folder / FOLDER, lambda: repo_for(files.as_uri()))
    clear_parts(folder / FOLDER)


def to_those_that_wait(folder: Path, files: Path) -> None:
    stage_parts(folder / FOLDER)


def away_with_the_artifacts_out_of_order(folder: Path, files: Path) -> None:
    clear_parts(folder / FOLDER)
    files.write_text("a file in the place of the folder")


@pytest.mark.parametrize(
    ("go", "told"),
    [(to_artifacts, ["the last"]), (to_those_that_wait, ["the last"]), (away_with_the_artifacts_out_of_order, [])],
    ids=lambda one: getattr(one, "__name__", None),
)
def test_what_was_printed_last_is_told_although_it_went_away_after_it_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, go: Callable[[Path, Path], None], told: list[str]
) -> None:
    folder, files = tmp_path / "run", tmp_path / "files"
    (folder / FOLDER).mkdir(parents=True)
    (folder / STAGED).mkdir()  # keeps the folder where it is
    (folder / FOLDER / "console.0001.log").write_text(f"{prefix(1, 'stdout')}the last\n")
    log = ConsoleLog(folder, lambda: repo_for(files.as_uri()))
    find = log._parts

    def find_and_lose_the_turn() -> dict[str, Path | None]:
        found = find()
        go(folder, files)
        return found

    monkeypatch.setattr(log, "_parts", find_and_lose_the_turn)
    assert [line.text for line in log.lines()] == told
    log.close()
