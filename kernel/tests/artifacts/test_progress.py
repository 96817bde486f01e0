"""A bar is drawn for people at terminals and for nobody else."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from drupe.artifacts import trees
from drupe.artifacts.progress import progress_bar
from drupe.artifacts.trees import put_tree
from drupe.testing.memory_artifacts import MemoryArtifactRepo


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_label_amounts_and_the_file_at_work() -> None:
    terminal = Terminal()
    with progress_bar("uploading model", stream=terminal) as progress:
        assert progress is not None
        progress(0, 3_000_000, "")
        progress(3_000_000, 3_000_000, "weights [v2].bin")
    shown = terminal.getvalue()
    assert "uploading model" in shown
    assert "3.0/3.0 MB" in shown
    assert "weights" in shown


def test_a_pipe_shows_nothing() -> None:
    with progress_bar("uploading", stream=io.StringIO()) as progress:
        assert progress is None


def test_the_setting_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_PROGRESS", "0")
    with progress_bar("uploading", stream=Terminal()) as progress:
        assert progress is None


def test_small_copies_draw_nothing() -> None:
    terminal = Terminal()
    with progress_bar("uploading", from_bytes=1000, stream=terminal) as progress:
        assert progress is not None
        progress(0, 999, "")
        progress(999, 999, "a")
    assert terminal.getvalue() == ""


def test_the_bar_is_taken_down_when_the_copy_fails() -> None:
    terminal = Terminal()

    def copy() -> None:
        with progress_bar("uploading", stream=terminal) as progress:
            assert progress is not None
            progress(0, 10, "")
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        copy()
    assert terminal.getvalue().endswith("\x1b[?25h")  # the cursor is visible again


def test_a_big_upload_that_nobody_watches_draws_its_own_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"x" * 1000)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    put_tree(MemoryArtifactRepo(), tmp_path / "model")
    assert terminal.getvalue() == ""
    monkeypatch.setattr(trees, "BIG_BYTES", 1000)
    put_tree(MemoryArtifactRepo(), tmp_path / "model")
    assert "uploading model" in terminal.getvalue()


def test_rich_is_not_imported_until_a_bar_is_drawn() -> None:
    code = "import sys, drupe.artifacts, drupe.artifacts.progress; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
