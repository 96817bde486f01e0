"""Commands in a folder where nobody has made a store or chosen one: those that only read make none."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

READING = (
    ("runs", "list"),
    ("runs", "show", "abcd"),
    ("runs", "compare", "abcd", "efgh"),
    ("experiments", "list"),
    ("experiments", "search", "name LIKE 'a%'"),
    ("experiments", "get", "churn"),
    ("metrics", "list", "abcd"),
    ("metrics", "show", "abcd", "loss"),
    ("artifacts", "list", "abcd"),
    ("artifacts", "cat", "abcd/notes.txt"),
    ("models", "list"),
    ("models", "show", "models:/churn@champion"),
    ("registry", "list"),
    ("registry", "show", "churn"),
    ("registry", "versions"),
    ("status",),
    ("doctor",),
)


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_reading_makes_no_store(drupe_cli: Any, workspace: Path, words: tuple[str, ...]) -> None:
    told = drupe_cli(*words)
    assert list(workspace.iterdir()) == []
    assert "no store yet" in told.err or words in (("status",), ("doctor",))
    assert "Traceback" not in told.err


def test_lists_are_empty_and_valid_in_every_form(drupe_cli: Any) -> None:
    told = drupe_cli("runs", "list", "--json")
    assert (told.code, json.loads(told.out)) == (0, [])
    told = drupe_cli("runs", "list", "--output", "csv")
    assert (told.code, told.out.count("\n"), told.out[:7]) == (0, 1, "run_id,")


def test_messages_name_the_file_that_would_be_made(drupe_cli: Any, workspace: Path) -> None:
    assert f"no active runs in {workspace / 'drupe.db'}" in drupe_cli("runs", "list").err


def test_the_empty_store_shows_where_artifacts_would_go_and_is_gone_afterwards(
    drupe_cli: Any, workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    (default,) = json.loads(drupe_cli("experiments", "list", "--json").out)
    assert default["artifact_location"] == f"file://{workspace}/drupe-artifacts/0"
    assert set(tmp_path.iterdir()) == before


def test_status_and_doctor_say_that_there_is_no_store_yet(drupe_cli: Any, workspace: Path) -> None:
    told = drupe_cli("status", "--json")
    assert (told.code, json.loads(told.out)["exists"]) == (0, False)
    assert "the first run makes it" in drupe_cli("status").out
    told = drupe_cli("doctor")
    assert told.code == 0
    assert f"✓ store      there is none yet: the first run makes {workspace / 'drupe.db'}" in told.lines


def test_writing_makes_the_store_and_reading_then_finds_it(drupe_cli: Any, workspace: Path) -> None:
    drupe_cli("experiments", "create", "churn")
    told = drupe_cli("experiments", "list", "--output", "csv")
    assert (workspace / "drupe.db").exists()
    assert told.err == ""
    assert "churn" in told.out


def test_a_chosen_store_is_made_even_by_reading(drupe_cli: Any, workspace: Path) -> None:
    told = drupe_cli("runs", "list", "--tracking-uri", "sqlite:///other.db")
    assert (told.code, told.err) == (0, "no active runs in sqlite:///other.db\n")
    assert (workspace / "other.db").exists()


@pytest.mark.parametrize("name", ["with space", "no. #1", "why?", "100%", "%41", "naïve 数据"])
def test_the_default_store_stands_in_the_working_folder_whatever_its_name(
    drupe_cli: Any, workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = workspace / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert drupe_cli("experiments", "create", "churn").code == 0
    assert (folder / "drupe.db").exists()
    assert list(workspace.iterdir()) == [folder]
