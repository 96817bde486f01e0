"""`drupe store`: verify and repair from the shell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe import settings
from drupe.client import Client
from drupe.testing.memory import MemoryTrackingStore
from drupe.tracking.address import close_stores
from drupe.uris import Uri


@pytest.fixture
def damaged(three_runs: list[str], store: Client) -> Path:
    """The store in the working folder, with its last page ruined."""
    close_stores()
    file = Path("drupe.db")
    file.write_bytes(file.read_bytes()[:-4096] + b"\xff" * 4096)
    return file


def test_a_whole_store_passes(drupe_cli: Any, three_runs: list[str]) -> None:
    close_stores()
    told = drupe_cli("store", "verify")
    assert (told.code, told.out) == (0, "")
    assert told.err.endswith("drupe.db: no damage was found\n")
    assert json.loads(drupe_cli("store", "verify", "--json").out) == []
    repaired = drupe_cli("store", "repair")
    assert repaired.code == 0
    assert "nothing was changed" in repaired.err


def test_damage_is_listed_and_the_exit_code_is_1(drupe_cli: Any, damaged: Path) -> None:
    told = drupe_cli("store", "verify")
    assert told.code == 1
    assert told.lines[0].startswith("DAMAGE")
    assert told.lines[-1].startswith("drupe store repair makes a whole store")
    found = json.loads(drupe_cli("store", "verify", "--json").out)
    assert {one["place"] for one in found} == {str(damaged.absolute())}


def test_a_repair_lists_what_was_kept_and_leaves_a_store_that_works(drupe_cli: Any, damaged: Path, three_runs: list[str]) -> None:
    told = drupe_cli("store", "repair", "--json")
    report = json.loads(told.out)
    assert report["place"] == str(damaged.absolute())
    assert Path(report["damaged"]).exists()
    assert {one["table"]: one["kept"] + one["rebuilt"] for one in report["tables"]}["runs"] == 3
    assert told.code == (1 if any(one["lost"] for one in report["tables"]) else 0)
    close_stores()
    assert {run["info"]["run_id"] for run in json.loads(drupe_cli("runs", "list", "--json").out)} == set(three_runs)
    close_stores()
    assert drupe_cli("store", "verify").code == 0


def test_a_repair_into_another_file_leaves_the_damaged_one(drupe_cli: Any, damaged: Path) -> None:
    before = damaged.read_bytes()
    told = drupe_cli("store", "repair", f"sqlite:///{damaged.absolute()}", "--to", "rescued.db")
    assert told.lines[0].split() == ["TABLE", "KEPT", "REBUILT", "LOST"]
    assert told.lines[-1].endswith("rescued.db is whole")
    assert damaged.read_bytes() == before
    assert Path("rescued.db").exists()


def test_where_there_is_no_store_there_is_nothing_to_verify(drupe_cli: Any) -> None:
    told = drupe_cli("store", "verify")
    assert told.code == 1
    assert "there is no store yet" in told.err
    assert not Path("drupe.db").exists()


def test_one_store_is_enough(drupe_cli: Any) -> None:
    told = drupe_cli("store", "verify", "sqlite:///a.db", "--tracking-uri", "sqlite:///b.db")
    assert told.code == 2
    assert "given twice" in told.err


def test_a_store_that_knows_nothing_of_repair_still_verifies(drupe_cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = Uri.parse("memory://")
    monkeypatch.setattr(MemoryTrackingStore, "find_damage", lambda self: ["it is getting late"])
    (found,) = MemoryTrackingStore.verify(uri)
    assert str(found).endswith("it is getting late")
    with pytest.raises(Exception, match="cannot repair what it keeps"):
        MemoryTrackingStore.repair(uri)


@pytest.fixture
def damaged_journal(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What an offline trainer left, with one of its records ruined."""
    monkeypatch.setenv("DRUPE_OFFLINE", "1")
    settings.reset()
    with drupe.start_run():
        for step in range(50):
            drupe.log_metric("loss", 0.5, step=step)
    monkeypatch.delenv("DRUPE_OFFLINE")
    settings.reset()
    close_stores()
    (journal,) = (workspace / "drupe-journals").rglob("*.journal")
    content = bytearray(journal.read_bytes())
    content[-400:-396] = b"\xff\xff\xff\xff"
    journal.write_bytes(content)
    return journal


def test_damaged_journals_are_listed_and_repaired_with_their_store(drupe_cli: Any, damaged_journal: Path) -> None:
    Client().get_experiment("0")  # makes the store, which warns of the journal
    close_stores()
    (found,) = json.loads(drupe_cli("store", "verify", "--json").out)
    assert found["place"] == str(damaged_journal)
    told = drupe_cli("store", "repair")
    assert told.code == 1
    assert told.lines[2].split()[:2] == ["journal", "records"]
    close_stores()
    assert drupe_cli("store", "verify").code == 0
    assert drupe_cli("sync").code == 0
    (run,) = json.loads(drupe_cli("runs", "list", "--json").out)
    assert run["data"]["metrics"][0]["key"] == "loss"
    assert len(Client().get_metric_history(run["info"]["run_id"], "loss")) == 49
