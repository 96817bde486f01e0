"""`drupe import` as people call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.cli.main import main

pytestmark = pytest.mark.usefixtures("drupe_workspace")


def test_it_says_what_came_over_and_what_did_not(unpack: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(unpack("db_3_17_2"))]) == 0
    told = capsys.readouterr()
    assert "MLflow database" in told.err
    for words in (
        "runs            10",
        "logged_models    2",
        "files           16",
        "80 points of metrics",
        "trace",
        "all is here as it was read",
    ):
        assert words in told.out


def test_json_has_all_of_the_report(unpack: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(unpack("mlruns_3_17_2")), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["runs"] == {"new": 10, "extended": 0, "unchanged": 0}
    assert found["verified"] is True
    assert found["logged_models"] == {"new": 2, "extended": 0, "unchanged": 0}
    assert (found["model_ties"], found["not_carried_over"]) == (2, [])


def test_a_dry_run_makes_no_store(unpack: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(unpack("mlruns_2_22_5")), "--dry-run", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["dry_run"], found["runs"]["new"], found["verified"]) == (True, 10, False)
    assert found["target"] == str(Path("drupe.db").absolute())  # where it would go
    assert not Path("drupe.db").exists()


def test_damage_makes_the_exit_code_one(unpack: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    store = unpack("mlruns_2_22_5")
    next(store.glob("[1-9]*/*/meta.yaml")).write_text("[")
    assert main(["import", str(store)]) == 1
    assert "not readable YAML" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["missing"], 1, "is not there"),
        (["ftp://host/x"], 3, "no import source for scheme 'ftp'"),
        (["http://127.0.0.1:9"], 1, "cannot be reached"),
        (["http://ada:secret@127.0.0.1:9"], 1, "cannot be reached"),
        (["sqlite:///missing.db"], 1, "is not there"),
        ([".", "--artifact-root", "nowhere"], 2, "not a folder"),
    ],
)
def test_what_cannot_be_is_one_clear_error(arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", *arguments]) == code
    told = capsys.readouterr().err
    assert words in told
    assert "secret" not in told
