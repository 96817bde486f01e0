"""`drupe status` and `drupe doctor`: what they report, and their exit codes."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from drupe.client import Client


def by_check(told: Any) -> dict[str, dict[str, str]]:
    return {one["check"]: one for one in json.loads(told.out)}


def test_status_counts_what_the_store_holds(drupe_cli: Any, three_runs: list[str], store: Client) -> None:
    store.create_run("0")
    store.delete_run(three_runs[0])
    facts = json.loads(drupe_cli("status", "--json").out)
    assert (facts["experiments"], facts["runs"], facts["runs_running"], facts["runs_deleted"]) == (3, 3, 1, 1)
    assert facts["reachable"] is True
    assert facts["plugins"]["store-sqlite"] == "active"
    told = drupe_cli("status")
    assert "runs 3 (1 running, 1 deleted)" in [" ".join(line.split()) for line in told.lines]


def test_status_names_where_the_address_comes_from(drupe_cli: Any, monkeypatch: pytest.MonkeyPatch, workspace: Path) -> None:
    assert json.loads(drupe_cli("status", "--json").out)["tracking_uri_from"] == "default"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'x.db'}")
    facts = json.loads(drupe_cli("status", "--json").out)
    assert "MLFLOW_TRACKING_URI" in facts["tracking_uri_from"]
    assert facts["tracking_uri"].endswith("x.db")


def test_status_of_a_damaged_store_says_so_and_exits_1(drupe_cli: Any) -> None:
    Path("drupe.db").write_bytes(b"no database at all" * 100)
    told = drupe_cli("status")
    assert told.code == 1
    assert any(line.startswith("reachable") and "no: " in line for line in told.lines)
    assert Path("drupe.db").read_bytes() == b"no database at all" * 100


def test_status_shows_no_password(drupe_cli: Any) -> None:
    told = drupe_cli("status", "--tracking-uri", "gopher://ada:secret@host/x")
    assert told.code == 1
    assert "secret" not in told.out + told.err


def test_doctor_finds_nothing_wrong_in_a_good_place(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("doctor", "--json")
    found = by_check(told)
    assert told.code == 0
    assert {"python", "releases", "settings", "plugins", "store", "artifacts", "disk", "git"} <= set(found)
    assert all(one["verdict"] != "fail" for one in found.values())
    assert found["artifacts"]["found"].endswith("drupe-artifacts can be written")
    assert list(Path("drupe-artifacts").rglob(".drupe-doctor*")) == []


def test_doctor_prints_a_mark_per_line_and_a_sum(drupe_cli: Any) -> None:
    told = drupe_cli("doctor")
    assert told.lines[0].startswith("✓ python")
    assert told.lines[-1] == "everything works" or "warning" in told.lines[-1]


def test_doctor_names_a_damaged_store_goes_on_and_exits_1(drupe_cli: Any) -> None:
    Path("drupe.db").write_bytes(b"no database at all" * 100)
    told = drupe_cli("doctor", "--json")
    found = by_check(told)
    assert told.code == 1
    assert found["store"]["verdict"] == "fail"
    assert found["git"]["check"] == "git"


def test_doctor_shows_damage_that_a_store_finds_itself(
    drupe_cli: Any, three_runs: list[str], store: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(store.store), "find_damage", lambda self: ["page 7 is torn"])
    told = drupe_cli("doctor")
    assert told.code == 1
    assert "✗ store      page 7 is torn" in told.lines
    assert told.lines[-1].startswith("1 failure")


def test_doctor_warns_of_a_full_disk_and_a_missing_git(drupe_cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 20_000_000))
    monkeypatch.setattr(shutil, "which", lambda _: None)
    told = drupe_cli("doctor", "--json")
    found = by_check(told)
    assert (found["disk"]["verdict"], found["git"]["verdict"], told.code) == ("fail", "warn", 1)
    assert found["git"]["advice"] == "install git"


def test_doctor_finds_misspelt_environment_variables(drupe_cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_TRAKING_URI", "x")
    told = drupe_cli("doctor")
    assert told.code == 0
    assert "DRUPE_TRAKING_URI means nothing here" in told.out
    assert "did you mean DRUPE_TRACKING_URI?" in told.out
