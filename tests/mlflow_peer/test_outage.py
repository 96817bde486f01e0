"""Work without the server, and a server that goes away and comes back: nothing is lost, nothing is there twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import drupe
from drupe.tracking.journal import outbox
from tests.mlflow_peer.conftest import Peer

POINTS = 600
OFFLINE = """
import drupe
drupe.set_experiment({experiment!r})
with drupe.start_run(run_name="outer") as outer:
    drupe.log_param("depth", 3)
    for step in range(50):
        drupe.log_metric("loss", step / 8, step=step)
    drupe.log_text("kept", "note.txt")
    with drupe.start_run(run_name="inner", nested=True):
        drupe.log_metric("acc", 0.5)
print(outer.info.run_id)
"""


def test_a_server_that_is_killed_in_a_run_has_all_of_it_once_when_it_is_back(peer: Peer, here: str) -> None:
    with drupe.start_run() as run:
        run_id = run.info.run_id
        for step in range(POINTS):
            drupe.log_metric("loss", step / 8, step=step)
        line = outbox.lines()[0]
        line.ship(now=True)
        assert line.fault is None
        peer.kill()
        for step in range(POINTS, 2 * POINTS):
            drupe.log_metric("loss", step / 8, step=step)
        drupe.set_tag("phase", "dark")
        line.ship(now=True)
        assert line.fault is not None
        peer.start()
        line.ship(now=True)
        assert line.fault is None
    assert peer.history(run_id, "loss") == [(step, step / 8) for step in range(2 * POINTS)]
    told = peer.get("runs/get", run_id=run_id)["run"]
    assert told["info"]["status"] == "FINISHED"
    assert {"key": "phase", "value": "dark"} in told["data"]["tags"]
    assert len(peer.runs_of(here)) == 1


def test_runs_that_were_logged_offline_are_there_once_after_drupe_sync(peer: Peer, here: str, in_python: Callable[..., str]) -> None:
    chosen = in_python("-c", OFFLINE.format(experiment=here), DRUPE_OFFLINE="true").split()[-1]
    for _ in range(2):
        in_python("-m", "drupe", "sync")
    runs = {one["info"]["run_name"]: one for one in peer.runs_of(here)}
    assert sorted(runs) == ["inner", "outer"]
    outer = runs["outer"]["info"]["run_id"]
    assert {"key": "mlflow.parentRunId", "value": outer} in runs["inner"]["data"]["tags"]
    assert peer.history(outer, "loss") == [(step, step / 8) for step in range(50)]
    assert drupe.get_run(chosen).info.run_id == outer, "the id that was chosen offline finds the run"
    assert Path(drupe.download_artifacts(run_id=chosen, artifact_path="note.txt")).read_text() == "kept"
