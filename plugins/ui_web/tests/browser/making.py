"""The server of the journeys and what they find in it: experiments over its protocol, and runs by the hundred straight into its file.

Runs that a journey watches coming are logged through the server (`test_*` do that themselves); here is what was there before.
"""

from __future__ import annotations

import subprocess
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from attrs import field, frozen

from drupe.entities import LifecycleStage, Points, Run, RunData, RunInfo, RunStatus, WholeRun
from drupe.uris import Uri
from drupe_store_sqlite.stores import SqliteTrackingStore
from plugins.server_rest.tests.served import Served

__all__ = ["Home", "Made", "experiment", "keep", "run"]


class Home(Served):
    """A running server that tells where its store lies."""

    def __init__(self, process: subprocess.Popen[str], url: str, folder: Path) -> None:
        super().__init__(process, url)
        self.folder = folder


@frozen
class Made:
    """A run that has ended. `series` has the values of each metric at the steps 0, 1, 2, … a second apart."""

    name: str
    start: int = 1000
    series: Mapping[str, Sequence[float]] = field(factory=dict)
    params: Mapping[str, str] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    run_id: str = field(factory=lambda: uuid4().hex)


def experiment(server: Home, name: str) -> str:
    """A new experiment's id."""
    return str(server.post("experiments/create", name=name)["experiment_id"])


def run(server: Home, experiment_id: str, name: str, *, start: int = 1000, loss: float | None = None, **params: str) -> str:
    """A run that goes on, through the server: what is open in a browser hears of it."""
    run_id = str(server.post("runs/create", experiment_id=experiment_id, run_name=name, start_time=start)["run"]["info"]["run_id"])
    metrics = [] if loss is None else [{"key": "loss", "value": loss, "timestamp": 1, "step": 0}]
    if metrics or params:
        server.post("runs/log-batch", run_id=run_id, metrics=metrics, params=[{"key": key, "value": text} for key, text in params.items()])
    return run_id


def keep(server: Home, experiment_id: str, runs: Sequence[Made]) -> list[str]:
    """Many runs in one transaction; their ids."""
    store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{server.folder / 'drupe.db'}"))
    try:
        store.import_runs([_whole(experiment_id, one) for one in runs])
    finally:
        store.close()
    return [one.run_id for one in runs]


def _whole(experiment_id: str, made: Made) -> WholeRun:
    info = RunInfo(
        made.run_id, experiment_id, made.name, "ada", RunStatus.FINISHED, made.start, made.start + 60_000, LifecycleStage.ACTIVE, ""
    )
    points = {key: _points(made.start, values) for key, values in made.series.items()}
    return WholeRun(Run(info, RunData(params=dict(made.params), tags=dict(made.tags))), points)


def _points(start: int, values: Sequence[float]) -> Points:
    count = len(values)
    return Points(array("q", range(count)), array("q", range(start, start + 1000 * count, 1000)), array("d", values))
