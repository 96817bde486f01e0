"""Whole programs that log to a drupe server: forked ones, offline ones, and ones with a password."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import drupe
from drupe.entities import NewLoggedModel
from drupe.tracking.address import tracking_store
from drupe.tracking.journal import outbox
from plugins.store_http.tests.serving import Served

OFFLINE = """
import drupe
drupe.set_experiment("dark")
with drupe.start_run(run_name="outer") as outer:
    for step in range(500):
        drupe.log_metric("loss", step / 8, step=step)
    drupe.log_text("kept", "note.txt")
    with drupe.start_run(run_name="inner", nested=True):
        drupe.log_param("depth", 3)
print(outer.info.run_id)
"""
FORKED = """
import multiprocessing, os, drupe

def work(number):
    for step in range(200):
        drupe.log_metric(f"child{number}", step / 8, step=step)
    drupe.Client().set_tag(run.info.run_id, f"tag{number}", str(os.getpid()))

drupe.set_experiment("forked")
with drupe.start_run() as run:
    drupe.log_metric("parent", 1.0, step=0)
    drupe.Client().set_tag(run.info.run_id, "before", "1")
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=work, args=(number,)) for number in range(3)]
    for child in children:
        child.start()
    for step in range(1, 200):
        drupe.log_metric("parent", 1.0, step=step)
    for child in children:
        child.join()
        assert child.exitcode == 0
print(run.info.run_id)
"""
PASSWORD = "s3cr3t-of-ada"


def _run(folder: Path, url: str, *command: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *command],
        cwd=folder,
        env={**os.environ, "DRUPE_TRACKING_URI": url, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_forked_processes_log_to_the_run_of_their_parent(served: Served, drupe_workspace: Path) -> None:
    run_id = _run(drupe_workspace, served.url, "-c", FORKED).split()[-1]
    drupe.set_tracking_uri(served.url)
    found = {one.key: [step for step, _, _ in one.points] for one in tracking_store().metric_bulk([run_id])}
    assert found == {key: list(range(200)) for key in ("parent", "child0", "child1", "child2")}
    run = drupe.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert {"before", "tag0", "tag1", "tag2"} <= set(run.data.tags)


def test_runs_that_were_logged_offline_are_there_once_after_drupe_sync(served: Served, drupe_workspace: Path) -> None:
    run_id = _run(drupe_workspace, served.url, "-c", OFFLINE, DRUPE_OFFLINE="true").split()[-1]
    for _ in range(2):
        _run(drupe_workspace, served.url, "-m", "drupe", "sync")
    drupe.set_tracking_uri(served.url)
    runs = {run.info.run_name: run for run in drupe.search_runs(experiment_names=["dark"], output_format="list")}
    assert sorted(runs) == ["inner", "outer"]
    assert runs["outer"].info.run_id == run_id == runs["inner"].data.tags["mlflow.parentRunId"]
    assert runs["outer"].data.summaries["loss"].count == 500
    assert runs["inner"].data.params == {"depth": "3"}
    assert Path(drupe.download_artifacts(run_id=run_id, artifact_path="note.txt")).read_text() == "kept"


def test_a_password_in_an_address_is_written_and_said_nowhere(
    served: Served, drupe_workspace: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = urlsplit(served.url)
    drupe.set_tracking_uri(f"http://ada:{PASSWORD}@{parts.netloc}{parts.path}")
    with drupe.start_run() as run:
        drupe.log_metric("loss", 0.5)
        drupe.log_text("kept", "note.txt")
        outbox.lines()[0].ship(now=True)
    drupe.set_tracking_uri(f"http://ada:{PASSWORD}@127.0.0.1:9/away?retry_s=0.01")
    with drupe.start_run():
        drupe.log_metric("loss", 0.5)
    printed = capfd.readouterr()
    said = f"{caplog.text}{printed.out}{printed.err}{run}"
    assert "cannot be reached" in said
    assert PASSWORD not in said
    written = [
        path for root in (tmp_path, served.folder) for path in root.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()
    ]
    assert written == []


def test_a_tag_of_a_logged_model_may_have_a_slash_in_its_name(served: Served, drupe_workspace: Path) -> None:
    drupe.set_tracking_uri(served.url)
    store = tracking_store()
    model_id = store.create_logged_model(NewLoggedModel("0", tags={"team/lead": "ada", "team": "red"})).model_id
    store.delete_logged_model_tag(model_id, "team/lead")
    assert store.get_logged_model(model_id).tags == {"team": "red"}
