"""`drupe store upgrade | backup | restore | vacuum` and `drupe gc` from the shell, on the store in the working folder."""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.client import Client
from drupe.errors import RunNotFound
from drupe.tracking.address import close_stores

Seen = Callable[[], dict[str, Any]]


@pytest.fixture
def kept(store: Client, three_runs: list[str], tmp_path: Path) -> list[str]:
    """Three runs, each with a file; nobody has the store open."""
    for number, run_id in enumerate(three_runs):
        store.log_text(run_id, f"file {number}", "notes/told.txt")
    close_stores()
    return three_runs


def text_of(run_id: str) -> str:
    client = Client()
    found = Path(client.download_artifacts(run_id, "notes/told.txt")).read_text()
    close_stores()
    return found


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_what_was_backed_up_is_put_back_with_its_files(drupe_cli: Any, kept: list[str], name: str) -> None:
    told = drupe_cli("store", "backup", name, "--artifacts", "--json")
    assert told.code == 0, told.err
    assert (json.loads(told.out)["files"], json.loads(told.out)["left_out"]) == (4, [])
    before = Client().get_run(kept[1])
    Client().set_tag(kept[1], "later", "x")
    close_stores()
    for folder, _, files in os.walk("drupe-artifacts"):
        if "told.txt" in files:
            (Path(folder) / "told.txt").unlink()
    told = drupe_cli("store", "restore", name, "--replace", "--json")
    assert told.code == 0, told.err
    report = json.loads(told.out)
    assert report["artifacts"] == {"new": 3, "unchanged": 0, "overwritten": []}
    assert Path(report["replaced"]).name.startswith("drupe.db.replaced-")
    assert Client().get_run(kept[1]) == before
    close_stores()
    assert [text_of(run_id) for run_id in kept] == ["file 0", "file 1", "file 2"]
    assert Client(f"sqlite:///{report['replaced']}").get_run(kept[1]).data.tags["later"] == "x"


def test_a_linked_backup_shares_the_files_and_keeps_them_when_others_take_their_place(drupe_cli: Any, kept: list[str]) -> None:
    assert drupe_cli("store", "backup", "linked", "--artifacts", "--link").code == 0
    (linked, *_) = [path for path in Path("linked/artifacts").rglob("told.txt") if kept[0] in str(path)]
    assert linked.stat().st_nlink == 2
    Client().log_text(kept[0], "something else", "notes/told.txt")
    close_stores()
    assert linked.read_text() == "file 0"
    assert drupe_cli("store", "restore", "linked", "--dry-run").code == 0
    refused = drupe_cli("store", "restore", "linked", "sqlite:///other.db")
    assert refused.code == 1
    assert "other files are where artifacts of the backup belong" in refused.err
    assert not Path("other.db").exists()


def test_a_store_that_is_there_is_not_overwritten_unless_that_is_said(drupe_cli: Any, kept: list[str]) -> None:
    drupe_cli("store", "backup", "b")
    told = drupe_cli("store", "restore", "b")
    assert told.code == 1
    assert "--replace" in told.err
    assert drupe_cli("store", "restore", "b", "sqlite:///new.db").code == 0
    assert Client("sqlite:///new.db").get_run(kept[0]).info.run_id == kept[0]
    close_stores()
    assert drupe_cli("store", "backup", "b").code == 1


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_damaged_backup_is_told_file_by_file_and_changes_nothing(drupe_cli: Any, kept: list[str], name: str) -> None:
    drupe_cli("store", "backup", name, "--artifacts")
    content = Path("drupe.db").read_bytes()
    if name.endswith(".tar"):
        with tarfile.open(name) as tar:
            at = tar.getmember(
                "artifacts/1/" + next(m.name for m in tar.getmembers() if m.name.startswith("artifacts/1/"))[12:]
            ).offset_data
        with Path(name).open("r+b") as opened:
            opened.seek(at)
            opened.write(b"FILE")
    else:
        next(Path(name).rglob("told.txt")).write_text("FILE 0")
    for words in (("--dry-run",), ("--replace",)):
        told = drupe_cli("store", "restore", name, *words)
        assert told.code == 1
        assert "told.txt" in told.err
    assert Path("drupe.db").read_bytes() == content


@pytest.mark.parametrize("how", ["cut", "no manifest", "not one", "a way out"])
def test_what_is_no_whole_backup_is_refused(drupe_cli: Any, kept: list[str], how: str) -> None:
    name = "b.tar" if how == "cut" else "b"
    drupe_cli("store", "backup", name, "--artifacts")
    if how == "cut":
        os.truncate(name, Path(name).stat().st_size // 2)
    elif how == "no manifest":
        Path("b/manifest.json").unlink()
    elif how == "not one":
        Path("b/manifest.json").write_text('{"format": 7}')
    else:
        manifest = Path("b/manifest.json")
        manifest.write_text(re.sub(r"artifacts/(\d)/", r"artifacts/\1/../../", manifest.read_text()))
    told = drupe_cli("store", "restore", name, "sqlite:///new.db")
    assert told.code in (1, 2)
    assert "Traceback" not in told.err
    assert not Path("new.db").exists()


def test_nothing_to_back_up_makes_no_store(drupe_cli: Any) -> None:
    for words in (("backup", "b"), ("upgrade",), ("vacuum",), ("upgrade", "sqlite:///mistyped.db"), ("vacuum", "sqlite:///mistyped.db")):
        told = drupe_cli("store", *words)
        assert told.code == 1, words
        assert "Traceback" not in told.err
    assert [path.name for path in Path().iterdir() if path.suffix == ".db"] == []


def test_a_store_of_the_newest_version_has_nothing_to_upgrade(drupe_cli: Any, kept: list[str]) -> None:
    told = drupe_cli("store", "upgrade")
    assert told.code == 0
    assert "nothing to do" in told.err
    assert json.loads(drupe_cli("store", "upgrade", "--plan", "--json").out)["steps"] == []


def test_vacuum_gives_space_back(drupe_cli: Any, kept: list[str]) -> None:
    client = Client()
    for n in range(20):
        client.set_tag(kept[0], f"t{n}", "x" * 4000)
    for n in range(20):
        client.delete_tag(kept[0], f"t{n}")
    close_stores()
    sizes = json.loads(drupe_cli("store", "vacuum", "--json").out)["bytes"]
    assert sizes["after"] < sizes["before"]
    assert Client().get_run(kept[0]).info.run_id == kept[0]


def test_gc_removes_what_was_deleted_with_its_files_after_asking(drupe_cli: Any, kept: list[str]) -> None:
    Client().delete_run(kept[0])
    close_stores()
    listed = drupe_cli("gc", "--dry-run")
    assert kept[0] in listed.out
    assert drupe_cli("gc", stdin="n\n").code == 130
    assert Client().get_run(kept[0]).info.lifecycle_stage == "deleted"
    close_stores()
    told = drupe_cli("gc", stdin="y\n")
    assert told.code == 0
    assert "1 run removed" in told.err
    with pytest.raises(RunNotFound):
        Client().get_run(kept[0])
    close_stores()
    assert [path for path in Path("drupe-artifacts").rglob("*") if kept[0] in str(path)] == []
    assert text_of(kept[1]) == "file 1"


def test_gc_keeps_what_is_younger_and_what_a_version_was_made_of(drupe_cli: Any, kept: list[str]) -> None:
    client = Client()
    client.create_registered_model("clf")
    client.create_model_version("clf", f"runs:/{kept[1]}/model", run_id=kept[1])
    for run_id in kept[:2]:
        client.delete_run(run_id)
    close_stores()
    assert json.loads(drupe_cli("gc", "--older-than", "1d", "--yes", "--json").out)["removed"] == []
    told = drupe_cli("gc", "--yes", "--json")
    assert told.code == 1
    report = json.loads(told.out)
    assert [one["id"] for one in report["removed"]] == [kept[0]]
    assert report["kept"] == [{"kind": "run", "id": kept[1], "why": "version 1 of clf was made of it"}]
    assert text_of(kept[1]) == "file 1"


def test_a_deleted_experiment_goes_with_all_that_is_in_it_and_its_number_is_not_used_again(drupe_cli: Any, kept: list[str]) -> None:
    client = Client()
    experiments = [client.create_experiment("one"), client.create_experiment("two")]
    runs = [client.create_run(experiment).info.run_id for experiment in experiments]
    client.log_text(runs[1], "x", "x.txt")
    client.delete_experiment(experiments[1])
    close_stores()
    told = drupe_cli("gc", "--experiment-ids", experiments[1], "--yes", "--json")
    assert told.code == 0, told.err
    assert {(one["kind"], one["id"]) for one in json.loads(told.out)["removed"]} == {("run", runs[1]), ("experiment", experiments[1])}
    client = Client()
    assert client.get_experiment_by_name("two") is None
    assert client.get_run(runs[0]).info.run_id == runs[0]
    assert int(client.create_experiment("three")) == int(experiments[1]) + 1


def test_an_id_that_is_not_deleted_is_refused(drupe_cli: Any, kept: list[str]) -> None:
    told = drupe_cli("gc", "--run-ids", kept[0], "--yes")
    assert told.code == 1
    assert "delete it first" in told.err


@pytest.mark.parametrize("age", ["soon", "", "3w", "-1d"])
def test_an_age_that_is_none_is_refused_with_the_form(drupe_cli: Any, kept: list[str], age: str) -> None:
    told = drupe_cli("gc", f"--older-than={age}", "--yes")
    assert told.code == 1
    assert "30d" in told.err
