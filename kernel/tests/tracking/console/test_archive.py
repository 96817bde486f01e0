"""Parts of a log on their way to the artifacts, of which others may be quicker to take care."""

from __future__ import annotations

from pathlib import Path

from drupe.artifacts.repos import repo_for
from drupe.extend import ArtifactRepo
from drupe.tracking.console.archive import clear_parts, keep_parts
from drupe.uris import ArtifactPath


def test_parts_that_another_reader_has_put_away_meanwhile_are_no_fault(tmp_path: Path) -> None:
    folder, files = tmp_path / "logs", tmp_path / "files"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"console.000{number}.log").write_text(f"part {number}\n")

    def open_repo() -> ArtifactRepo:
        keep_parts(folder, lambda: repo_for(files.as_uri()))
        clear_parts(folder)
        return repo_for(files.as_uri())

    keep_parts(folder, open_repo)
    assert [one.path for one in repo_for(files.as_uri()).list(ArtifactPath(("logs",)))] == [
        "logs/console.0001.log",
        "logs/console.0002.log",
    ]
