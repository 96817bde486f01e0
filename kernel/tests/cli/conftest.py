"""A workspace of its own for every test of the command line, three runs in it, and `drupe` as a function."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen

from drupe.cli.main import main
from drupe.client import Client
from drupe.testing.kit import tick
from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

NOW = 1_700_000_000_000


@frozen
class Told:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Drupe = Callable[..., Told]


@pytest.fixture(autouse=True)
def workspace(drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return drupe_workspace


@pytest.fixture
def drupe_cli(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Drupe:
    """Run `drupe` with these words, through the real root, as a shell would."""

    def run(*words: str, stdin: str = "") -> Told:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        capsysbinary.readouterr()
        code = main(list(words))
        out, err = capsysbinary.readouterr()
        return Told(code, out.decode(), err.decode())

    return run


@pytest.fixture
def store() -> Client:
    """The store in the working folder, as the library sees it."""
    return Client()


@pytest.fixture
def three_runs(store: Client) -> list[str]:
    """Runs `baseline`, `deeper` (experiment churn) and `other` (experiment flights), newest last, with curves."""
    store.get_experiment("0")  # which is made with the store
    tick()  # lists of experiments show the newest first
    churn = store.create_experiment("churn", tags={"team": "growth"})
    tick()
    flights = store.create_experiment("flights")
    ids = []
    for index, (name, experiment, lr) in enumerate([("baseline", churn, "0.1"), ("deeper", churn, "0.3"), ("other", flights, "0.01")]):
        start = NOW + index * 60_000
        run = store.create_run(experiment, start_time=start, tags={"team": "growth", "mlflow.user": "ada"}, run_name=name)
        run_id = run.info.run_id
        store.log_param(run_id, "lr", lr)
        store.log_param(run_id, "model", "forest")
        for step in range(40):
            store.log_metric(run_id, "loss", math.exp(-step * float(lr) / 3), timestamp=start + step * 1000, step=step)
        store.log_metric(run_id, "auc", 0.8 + index / 16, timestamp=start + 50_000)
        store.set_terminated(run_id, "FINISHED", start + 125_000)
        ids.append(run_id)
    return ids
