"""Repairing: what is kept, put together again, lost and told, and that the damaged file stays. Random damage is in tests/torture."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.entities import LogBatch, ModelOutput, ModelPoints, NewLoggedModel, NewRun, Points, RepairReport
from drupe.errors import AlreadyExists, StoreBusy
from drupe.uris import Uri
from drupe_store_sqlite.stores import SqliteTrackingStore

from .test_verify import flip, logged  # noqa: F401 - a fixture

Open = Callable[..., SqliteTrackingStore]
PAGE = 4096
RUNS = 40
MODELS = 60


def value_at(step: int) -> float:
    """Values that cannot be packed, so that chunks take more than a page."""
    return random.Random(step).random()


@pytest.fixture
def filled(open_store: Open, file: Path) -> Path:
    """A closed store whose tables take several pages each."""
    store = open_store()
    for number in range(RUNS):
        run_id = store.create_run(NewRun("0", run_id=f"run{number}", run_name=f"pie {number}", user_id="ada")).info.run_id
        params = {f"p{key}": f"{number} " * key for key in range(12)}
        store.log_batch(run_id, LogBatch({"loss": Points.of((n, n, value_at(n)) for n in range(600))}, params, {"mlflow.user": "ada"}))
    store.close()
    return file


def pages_of(file: Path, name: str, kind: str) -> list[int]:
    connection = sqlite3.connect(file)
    found = [page for (page,) in connection.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ?", (name, kind))]
    connection.close()
    return found


def ruin(file: Path, *pages: int) -> bytes:
    content = bytearray(file.read_bytes())
    for page in pages:
        content[(page - 1) * PAGE : page * PAGE] = b"\xff" * PAGE
    file.write_bytes(content)
    return bytes(content)


def repair(file: Path, target: Path | None = None) -> RepairReport:
    return SqliteTrackingStore.repair(Uri.parse(f"sqlite:///{file}"), target=target)


def row_counts(file: Path) -> dict[str, int]:
    connection = sqlite3.connect(file)
    found = {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    }
    connection.close()
    return found


@pytest.mark.parametrize("name", ["params", "chunks", "runs"])
def test_a_lost_page_between_root_and_leaves_loses_nothing(filled: Path, name: str) -> None:
    before = row_counts(filled)
    ruin(filled, *pages_of(filled, name, "internal"))
    report = repair(filled)
    assert report.lost == 0
    assert row_counts(filled) == before


def test_runs_whose_page_is_lost_are_put_together_from_their_indexes(filled: Path, open_store: Open) -> None:
    ruin(filled, pages_of(filled, "runs", "leaf")[0])
    report = repair(filled)
    (runs,) = [table for table in report.tables if table.table == "runs"]
    assert runs.rebuilt > 5
    assert (runs.kept + runs.rebuilt, runs.lost) == (RUNS, 0)
    store = open_store()
    info = store.get_run("run0").info
    assert (info.run_name, info.user_id, info.experiment_id, info.start_time) == ("pie 0", "ada", "0", 0)
    assert info.artifact_uri.endswith("runs-artifacts/0/run0/artifacts")
    assert store.get_run("run0").data.summaries["loss"].count == 600
    assert any("row 1 of runs was lost and made again from its indexes" in loss.told for loss in report.losses)


def test_names_of_metrics_and_params_come_back_from_their_index(filled: Path, open_store: Open) -> None:
    ruin(filled, *pages_of(filled, "keys", "leaf")[:1])
    repair(filled)
    assert open_store().get_run("run7").data.params["p3"] == "7 7 7 "


def test_lost_points_are_told_by_run_and_metric_and_the_ends_of_a_curve_stay(filled: Path, open_store: Open) -> None:
    page = pages_of(filled, "chunks", "overflow")[0]
    ruin(filled, page)
    (loss,) = [loss for loss in repair(filled).losses if loss.key]
    assert loss.key == "loss"
    assert loss.told.startswith(f"metric 'loss' of run {loss.run_id}: 598 of 600 points are lost")
    assert loss.run_id is not None
    kept = open_store().metric_history(loss.run_id, "loss")
    assert [(metric.step, metric.value) for metric in kept] == [(0, value_at(0)), (599, value_at(599))]


def test_a_lost_list_of_tables_is_taken_from_a_new_database(filled: Path, open_store: Open) -> None:
    before = row_counts(filled)
    connection = sqlite3.connect(filled)
    listed = [page for (page,) in connection.execute("SELECT pageno FROM dbstat WHERE name = 'sqlite_schema'")]
    connection.close()
    content = ruin(filled, *[page for page in listed if page != 1])
    filled.write_bytes(content[:100] + b"\x00" * (PAGE - 100) + content[PAGE:])
    repair(filled)
    assert row_counts(filled) == before
    assert open_store().get_run("run7").data.params["p3"] == "7 7 7 "


def test_a_run_that_nothing_tells_of_leaves_a_placeholder_for_what_belongs_to_it(filled: Path, open_store: Open) -> None:
    connection = sqlite3.connect(filled)
    connection.execute("DELETE FROM runs WHERE id = 8")
    connection.commit()
    connection.close()
    report = repair(filled)
    assert report.lost == 1
    info = open_store().get_run("recovered-runs-8").info
    assert (info.run_name, info.status) == ("pie 7", "FAILED")


@pytest.fixture
def modelled(open_store: Open, file: Path) -> Path:
    """A closed store whose logged models take several pages."""
    store = open_store()
    store.create_run(NewRun("0", run_id="apple"))
    for number in range(MODELS):
        model_id = f"m-a{number:031d}"
        store.create_logged_model(
            NewLoggedModel("0", model_id, f"pie {number}", "tree", "apple", {"note": "x" * 50}, {"depth": str(number)})
        )
        of_model = ModelPoints(model_id, "acc", Points.of([(number, number, number / 4)]), "iris", "d1")
        store.log_batch("apple", LogBatch(model_points=(of_model,)))
    store.log_outputs("apple", [ModelOutput(f"m-a{number:031d}", number) for number in range(MODELS)])
    store.close()
    return file


def test_logged_models_whose_page_is_lost_are_put_together_from_their_indexes(modelled: Path, open_store: Open) -> None:
    before = row_counts(modelled)
    ruin(modelled, pages_of(modelled, "logged_models", "leaf")[0])
    report = repair(modelled)
    (models,) = [table for table in report.tables if table.table == "logged_models"]
    assert models.rebuilt > 5
    assert (models.kept + models.rebuilt, models.lost) == (MODELS, 0)
    assert {**row_counts(modelled), "chunks": 1} == {**before, "chunks": 1}  # which are made anew from the points
    model = open_store().get_logged_model("m-a" + "0" * 31)
    assert (model.name, model.source_run_id, model.status, model.params) == ("pie 0", "apple", "FAILED", {"depth": "0"})
    assert model.artifact_location.endswith(f"runs-artifacts/0/models/{model.model_id}/artifacts")
    assert [(metric.value, metric.dataset_name) for metric in model.metrics] == [(0.0, "iris")]


def test_a_logged_model_that_nothing_tells_of_leaves_a_placeholder_for_what_belongs_to_it(modelled: Path, open_store: Open) -> None:
    connection = sqlite3.connect(modelled)
    connection.execute("DELETE FROM logged_models WHERE id = 8")
    connection.execute("UPDATE logged_models SET status = 'READX' WHERE id = 9")
    connection.commit()
    connection.close()
    report = repair(modelled)
    assert report.lost == 1
    assert any("had the status 'READX'" in loss.told for loss in report.losses)
    model = open_store().get_logged_model(f"m-{8:032x}")
    assert (model.name, model.params, [metric.value for metric in model.metrics]) == ("recovered-logged_models-8", {"depth": "7"}, [1.75])
    assert len(open_store().get_run("apple").outputs.model_outputs) == MODELS
    assert SqliteTrackingStore.find_damage(open_store()) == []


def test_the_damaged_file_is_kept_beside_the_new_one(filled: Path) -> None:
    damaged = ruin(filled, 9)
    report = repair(filled)
    assert report.place == str(filled)
    assert report.damaged is not None
    assert Path(report.damaged).read_bytes() == damaged
    assert sorted(path.name for path in filled.parent.iterdir()) == sorted([filled.name, Path(report.damaged).name])


def test_of_two_repairs_within_a_second_each_keeps_the_file_that_it_found(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = time.gmtime()
    monkeypatch.setattr(time, "gmtime", lambda *at: moment)
    for _ in range(2):
        damaged = ruin(filled, 9)
        report = repair(filled)
        assert report.damaged is not None
        assert Path(report.damaged).read_bytes() == damaged
    assert len(list(filled.parent.iterdir())) == 3


def test_with_a_target_the_damaged_file_stays_where_it_is(filled: Path, tmp_path: Path) -> None:
    damaged = ruin(filled, 9)
    report = repair(filled, tmp_path / "rescued.db")
    assert (report.place, report.damaged) == (str(tmp_path / "rescued.db"), None)
    assert filled.read_bytes() == damaged
    assert row_counts(tmp_path / "rescued.db")["runs"] == RUNS
    with pytest.raises(AlreadyExists, match=r"rescued\.db exists already"):
        repair(filled, tmp_path / "rescued.db")


def test_a_file_that_another_process_has_open_is_not_repaired(filled: Path) -> None:
    script = (
        "import sys\nfrom drupe.uris import Uri\nfrom drupe_store_sqlite.stores import SqliteTrackingStore\n"
        "store = SqliteTrackingStore.open(Uri.parse(sys.argv[1]))\nstore.get_run('run0')\nprint('open', flush=True)\nsys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:///{filled}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(StoreBusy, match=f"process {other.pid} has the database open"):
            repair(filled)
        other.communicate()


def test_transactions_behind_a_damaged_frame_of_the_log_are_kept(logged: Path) -> None:  # noqa: F811
    flip(logged.with_name(f"{logged.name}-wal"), -9000)
    repair(logged)
    store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{logged}"))
    assert [metric.step for metric in store.metric_history("apple", "loss")] == list(range(20))
    store.close()
    assert len(list(logged.parent.glob("*.damaged-*"))) == 2  # the file and its log
