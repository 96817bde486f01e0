"""Changing drupe.toml: comments stay, a file is replaced whole or not at all, and what cannot be read is left alone."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from drupe.errors import InvalidSettings
from drupe.settings.edit import set_value, unset_value


def test_a_value_is_set_where_it_belongs_and_all_else_stays(tmp_path: Path) -> None:
    file = tmp_path / "drupe.toml"
    file.write_text('# top\ntracking_uri = "a"  # why\n\n[plugins.x]\nb = 1  # one\n')
    set_value(file, ["tracking_uri"], "z")
    set_value(file, ["plugins", "x", "c"], True)
    set_value(file, ["plugins", "prefer", "drupe_artifact_repos.s3"], "store-s3")
    assert file.read_text() == (
        '# top\ntracking_uri = "z"  # why\n\n[plugins.x]\nb = 1  # one\nc = true\n\n[plugins.prefer]\n"drupe_artifact_repos.s3" = "store-s3"\n'
    )


def test_comments_beside_the_entries_of_a_list_stay(tmp_path: Path) -> None:
    file = tmp_path / "drupe.toml"
    file.write_text('[plugins]\ndisabled = [\n  "a", # slow\n  # once more\n  "b", # wrong\n]\n')
    set_value(file, ["plugins", "disabled"], ["a", "b", "c"])
    text = file.read_text()
    assert all(comment in text for comment in ("# slow", "# once more", "# wrong"))
    set_value(file, ["plugins", "disabled"], ["a", "c"])
    assert tomllib.loads(file.read_text()) == {"plugins": {"disabled": ["a", "c"]}}
    assert '"a", # slow' in file.read_text()
    set_value(file, ["plugins", "disabled"], [])
    assert tomllib.loads(file.read_text()) == {"plugins": {"disabled": []}}


def test_file_and_folders_are_made(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "drupe.toml"
    set_value(file, ["plugins", "store-x", "n"], 3)
    assert file.read_text() == "[plugins.store-x]\nn = 3\n"


def test_unsetting_removes_tables_that_are_empty_without_it(tmp_path: Path) -> None:
    file = tmp_path / "drupe.toml"
    set_value(file, ["run_id"], "r")
    set_value(file, ["plugins", "x", "n"], 3)
    assert unset_value(file, ["plugins", "x", "n"])
    assert file.read_text().strip() == 'run_id = "r"'
    assert not unset_value(file, ["plugins", "x", "n"])
    assert not unset_value(tmp_path / "none.toml", ["x"])


def test_a_file_that_cannot_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "drupe.toml"
    file.write_text("a = = b")
    with pytest.raises(InvalidSettings, match="cannot be read, so it is left as it is"):
        set_value(file, ["run_id"], "x")
    assert file.read_text() == "a = = b"


def test_nothing_can_be_set_below_a_value(tmp_path: Path) -> None:
    file = tmp_path / "drupe.toml"
    set_value(file, ["plugins"], 3)
    with pytest.raises(InvalidSettings, match="plugins is a value, so nothing can be set below it"):
        set_value(file, ["plugins", "x", "y"], 1)


def test_permissions_and_links_are_kept_and_no_temporary_file_is_left(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "drupe.toml"
    real.write_text("")
    real.chmod(0o640)
    link.symlink_to(real)
    set_value(link, ["run_id"], "x")
    assert (real.read_text(), real.stat().st_mode & 0o777, link.is_symlink()) == ('run_id = "x"\n', 0o640, True)
    assert sorted(os.listdir(tmp_path)) == ["drupe.toml", "real.toml"]


def test_a_failed_write_is_told_and_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "drupe.toml"
    set_value(file, ["run_id"], "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InvalidSettings, match="cannot be written: No space left on device"):
        set_value(file, ["run_id"], "new")
    assert (file.read_text(), os.listdir(tmp_path)) == ('run_id = "old"\n', ["drupe.toml"])
