"""A server that goes away while a run logs to it: nothing is lost, nothing is there twice, and logging does not wait."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import drupe
from drupe.tracking.journal import outbox
from drupe.uris import Uri
from drupe_store_http.own import OwnTrackingStore
from plugins.store_http.tests.serving import start

POINTS = 2000


@pytest.mark.timeout(120)
def test_what_is_logged_while_the_server_is_gone_arrives_once_when_it_is_back(drupe_workspace: Path) -> None:
    first = start(drupe_workspace)
    drupe.set_tracking_uri(f"{first.url}?retry_s=0.5")
    with drupe.start_run() as run:
        run_id = run.info.run_id
        for step in range(POINTS):
            drupe.log_metric("loss", step / 8, step=step)
        outbox.lines()[0].ship(now=True)
        first.kill()
        began = time.perf_counter()
        for step in range(POINTS, 2 * POINTS):
            drupe.log_metric("loss", step / 8, step=step)
        took = time.perf_counter() - began
        outbox.lines()[0].ship(now=True)
        assert outbox.lines()[0].fault is not None
        second = start(drupe_workspace, first.port)
        drupe.log_text("kept", "note.txt")
    try:
        store = OwnTrackingStore.open(Uri.parse(second.url))
        found = store.metric_bulk([run_id], ["loss"])[0]
        assert [step for step, _, _ in found.points] == list(range(2 * POINTS))
        assert [value for _, _, value in found.points] == [step / 8 for step in range(2 * POINTS)]
        assert str(store.get_run(run_id).info.status) == "FINISHED"
        assert Path(drupe.download_artifacts(run_id=run_id, artifact_path="note.txt")).read_text() == "kept"
        assert took < POINTS * 0.001, "logging waited for the server"
    finally:
        second.kill()
