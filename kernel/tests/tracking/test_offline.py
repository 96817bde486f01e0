"""Working without the store: by wish, or because it cannot be reached; and shipping it afterwards."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.cli.main import main
from drupe.errors import ParamConflict, RunNotFound, StoreBusy, StoreUnavailable, TagNotFound
from drupe.tracking import address, chosen
from drupe.tracking.sync import find_folders, sync_run


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("DRUPE_OFFLINE", "1")
    return monkeypatch


def go_online(patch: pytest.MonkeyPatch) -> None:
    patch.delenv("DRUPE_OFFLINE")
    chosen.reset()
    address.close_stores()


def log_a_run(name: str = "night") -> str:
    drupe.set_experiment("nightly")
    with drupe.start_run(run_name=name, tags={"team": "growth"}) as run:
        drupe.log_param("lr", 0.1)
        for step in range(100):
            drupe.log_metric("loss", 1 / (step + 1), step=step, timestamp=1000 + step)
        drupe.log_text("hello", "notes/hello.txt")
        drupe.log_input(drupe.entities.Dataset("digits", "abc"), context="training")
    return str(run.info.run_id)


def sync(*arguments: str) -> list[dict[str, Any]]:
    """`drupe sync --json`, run in this process."""
    import io
    from contextlib import redirect_stdout

    with redirect_stdout(io.StringIO()) as printed:
        main(["sync", *arguments, "--json"])
    return list(json.loads(printed.getvalue()))


def test_a_run_is_kept_whole_and_shipped_under_its_id(offline: pytest.MonkeyPatch, workspace: Path) -> None:
    run_id = log_a_run()
    assert sorted(path.name for path in workspace.iterdir()) == ["drupe-journals"]
    go_online(offline)
    (told,) = sync()
    assert (told["run_id"], told["state"], told["points"], told["params"], told["files"], told["clashes"]) == (
        run_id,
        "shipped",
        100,
        1,
        1,
        [],
    )
    assert not (workspace / "drupe-journals").exists()
    run = drupe.get_run(run_id)
    assert (run.info.run_name, run.info.status, run.data.params, run.data.tags["team"]) == ("night", "FINISHED", {"lr": "0.1"}, "growth")
    assert run.info.end_time is not None
    assert drupe.get_experiment(run.info.experiment_id).name == "nightly"
    assert [(one.step, one.timestamp) for one in drupe.get_metric_history(run_id, "loss")] == [(n, 1000 + n) for n in range(100)]
    assert Path(drupe.download_artifacts(run_id=run_id, artifact_path="notes/hello.txt")).read_text() == "hello"
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.tags[0].value) == ("digits", "training")


def test_what_was_logged_offline_can_be_read_in_the_same_process(offline: pytest.MonkeyPatch) -> None:
    with drupe.start_run(run_name="here") as run:
        drupe.log_metrics({"loss": 0.5, "acc": 0.9}, step=1)
        drupe.log_metric("loss", 0.25, step=2)
        drupe.set_tag("a", "b")
        drupe.set_tag("gone", "x")
        drupe.delete_tag("gone")
        with pytest.raises(TagNotFound):
            drupe.delete_tag("gone")
        with pytest.raises(ParamConflict):
            drupe.log_params({"lr": 1}) or drupe.log_params({"lr": 2})
        found = drupe.get_run(run.info.run_id)
        assert (found.data.metrics, found.data.params, found.data.tags["a"]) == ({"loss": 0.25, "acc": 0.9}, {"lr": "1"}, "b")
        assert "gone" not in found.data.tags
        assert found.data.summaries["loss"].max == 0.5
        assert [one.info.run_name for one in drupe.search_runs(filter_string="metrics.loss < 0.3", output_format="list")] == ["here"]
        assert [len(one.points) for one in drupe.Client().get_metric_series([run.info.run_id])] == [1, 2]
        drupe.log_text("x", "a/b.txt")
        assert [one.path for one in drupe.list_artifacts("a")] == ["a/b.txt"]
    assert drupe.get_run(run.info.run_id).info.status == "FINISHED"


def test_a_model_is_kept_loaded_and_registered_when_it_is_shipped(offline: pytest.MonkeyPatch, workspace: Path) -> None:
    with drupe.start_run() as run:
        info = drupe.log_model(lambda row: row, "echo", registered_model_name="echoes")
        assert drupe.load_model(info.model_uri).predict([1, 2]) == [1, 2]
    go_online(offline)
    assert [told["state"] for told in sync()] == ["shipped"]
    (version,) = drupe.search_model_versions()
    assert (version.name, version.run_id) == ("echoes", run.info.run_id)
    assert drupe.load_model("models:/echoes/1").predict([3]) == [3]
    assert not (workspace / "drupe-journals").exists()


def test_a_folder_from_another_machine_is_shipped_to_the_store_in_use(offline: pytest.MonkeyPatch, workspace: Path, tmp_path: Path) -> None:
    run_id = log_a_run()
    copied = tmp_path / "usb" / "project"
    shutil.copytree(workspace, copied)
    shutil.rmtree(workspace / "drupe-journals")
    go_online(offline)
    assert [told["state"] for told in sync(str(copied), "--keep")] == ["shipped"]
    before = drupe.get_run(run_id)
    assert [(told["state"], told["points"]) for told in sync(str(copied / "drupe-journals" / run_id))] == [("shipped", 0)]
    assert drupe.get_run(run_id) == before
    assert not list(copied.iterdir())


def test_params_that_the_store_has_with_another_value_are_reported(offline: pytest.MonkeyPatch, workspace: Path) -> None:
    run_id = log_a_run()
    folder = workspace / "drupe-journals"
    copied = workspace / "copy"
    shutil.copytree(folder, copied)
    go_online(offline)
    sync(str(copied))
    drupe.Client().log_param(run_id, "depth", 3)
    offline.setenv("DRUPE_OFFLINE", "1")
    client = drupe.Client()
    client.log_param(run_id, "depth", 4)
    go_online(offline)
    (told,) = sync(run_id[:8])
    assert told["clashes"] == [{"key": "depth", "kept": "3", "refused": "4"}]
    assert drupe.get_run(run_id).data.params["depth"] == "3"


@pytest.mark.parametrize("fault", [StoreUnavailable("gone"), StoreBusy("locked")])
def test_a_store_that_cannot_be_reached_at_the_start_gets_the_run_when_it_can(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    is_away = True
    real = address._open

    def opening(hook: str, text: str, **options: Any) -> object:
        if is_away and hook == "drupe_tracking_stores":
            raise fault
        return real(hook, text, **options)

    monkeypatch.setattr(address, "_open", opening)
    with caplog.at_level(logging.WARNING), drupe.start_run(run_name="brave") as run:
        drupe.log_metric("loss", 0.5, step=1)
        drupe.log_text("x", "early.txt")
        assert drupe.get_run(run.info.run_id).data.metrics == {"loss": 0.5}
        assert "started without its store" in caplog.text
        is_away = False
        drupe.flush()
        drupe.log_metric("loss", 0.25, step=2)
        assert drupe.get_run(run.info.run_id).info.artifact_uri.endswith(f"drupe-artifacts/0/{run.info.run_id}/artifacts")
        drupe.log_text("y", "late.txt")
    found = drupe.get_run(run.info.run_id)
    assert (found.info.status, found.data.metrics, found.info.run_name) == ("FINISHED", {"loss": 0.25}, "brave")
    assert sorted(one.path for one in drupe.list_artifacts(run_id=run.info.run_id)) == ["early.txt", "late.txt"]
    address.close_stores()
    assert not (workspace / "drupe-journals").exists()


def test_in_strict_mode_a_store_that_is_away_is_an_error_in_the_call(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with drupe.start_run():
        pass
    monkeypatch.setenv("DRUPE_STRICT_LOGGING", "1")
    monkeypatch.setenv("DRUPE_STORE_SQLITE__BUSY_TIMEOUT_S", "0.1")
    address.close_stores()
    with drupe.start_run() as run:
        drupe.log_metric("loss", 1.0)
        other = sqlite3.connect(workspace / "drupe.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            drupe.log_metric("loss", 2.0, step=1)
        with pytest.raises(StoreBusy):
            drupe.start_run(nested=True)
        other.execute("ROLLBACK")
        other.close()
    assert drupe.get_run(run.info.run_id).data.metrics == {"loss": 2.0}


def test_training_goes_on_while_the_database_is_locked(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DRUPE_STORE_SQLITE__BUSY_TIMEOUT_S", "0.1")
    with caplog.at_level(logging.WARNING), drupe.start_run() as run:
        drupe.log_metric("loss", 1.0)
        drupe.flush()
        other = sqlite3.connect(workspace / "drupe.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            drupe.flush() or drupe.log_metric("loss", 2.0, step=1) or drupe.flush()
        for step in range(2, 1000):
            drupe.log_metric("loss", float(step), step=step)
        other.execute("ROLLBACK")
        other.close()
    assert len(drupe.get_metric_history(run.info.run_id, "loss")) == 1000
    assert caplog.text.count("does not take what is logged") == 1


def test_what_needs_the_store_says_so(offline: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreUnavailable, match="works offline"):
        drupe.rename_experiment("0", "x")
    with pytest.raises(RunNotFound, match="started here without its store"):
        drupe.get_run("0" * 32)


def test_an_unknown_target_of_sync_is_refused_with_what_would_work(offline: pytest.MonkeyPatch, workspace: Path) -> None:
    (workspace / "empty").mkdir()
    (workspace / "file").write_text("")
    assert main(["sync", "empty"]) == main(["sync", "file"]) == main(["sync", "0123"]) == 1
    assert find_folders(drupe.get_tracking_uri()) == []


def test_a_run_whose_artifacts_cannot_be_stored_keeps_them_and_is_shipped_again_later(
    offline: pytest.MonkeyPatch, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = log_a_run()
    go_online(offline)
    (workspace / "drupe-artifacts").write_text("a file in the way")
    (told,) = sync()
    assert (told["state"], drupe.get_run(run_id).data.metrics["loss"]) == ("failed", 0.01)
    (workspace / "drupe-artifacts").unlink()
    (told,) = sync()
    assert (told["state"], told["points"], told["files"]) == ("shipped", 0, 1)
    assert not (workspace / "drupe-journals").exists()


def test_status_tells_what_waits_and_why(offline: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = log_a_run()
    go_online(offline)
    main(["status", "--json"])
    (told,) = json.loads(capsys.readouterr().out)["waiting"]
    assert (told["run_id"], told["files"], told["is_alive"]) == (run_id, 1, False)
    main(["status"])
    assert "to be shipped" in capsys.readouterr().out
    for folder in find_folders(drupe.get_tracking_uri()):
        assert sync_run(folder, drupe.Client().store).fault is None
