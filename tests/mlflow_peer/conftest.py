"""Real servers of MLflow, one of each release for all tests here, as places where our client logs to."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

import drupe
from drupe.testing.plugin import drupe_workspace
from tests.real_mlflow.environments import RELEASES
from tests.real_mlflow.process import RealMlflow

__all__ = ["drupe_workspace"]

WAIT_S = 30


class Peer:
    """A running server, that can be killed and started again at the same address."""

    def __init__(self, mlflow: RealMlflow) -> None:
        self.mlflow, self._place = mlflow, (mlflow.folder / "peer.db", mlflow.folder / "peer-artifacts")
        self.is_3 = mlflow.has_logged_models
        self.url = mlflow.serve(*self._place)
        self.port = int(self.url.rpartition(":")[2])

    def start(self) -> None:
        """Start it again; it takes connections when this returns."""
        self.mlflow.serve(*self._place, self.port)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.mlflow.kill(self.url)

    def get(self, route: str, **asked: Any) -> dict[str, Any]:
        """What the server itself tells, without our client in between."""
        answer = requests.get(f"{self.url}/api/2.0/mlflow/{route}", params=asked, timeout=WAIT_S)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def post(self, route: str, **asked: Any) -> dict[str, Any]:
        """The same, asked by POST."""
        answer = requests.post(f"{self.url}/api/2.0/mlflow/{route}", json=asked, timeout=WAIT_S)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def history(self, run_id: str, key: str) -> list[tuple[int, Any]]:
        """Steps and values of a metric, in order of steps."""
        return sorted(
            (one["step"], one["value"]) for one in self.get("metrics/get-history", run_id=run_id, metric_key=key).get("metrics", [])
        )

    def runs_of(self, experiment: str) -> list[dict[str, Any]]:
        """All runs of an experiment of that name."""
        found = self.get("experiments/get-by-name", experiment_name=experiment)["experiment"]["experiment_id"]
        runs: list[dict[str, Any]] = self.post("runs/search", experiment_ids=[found], max_results=1000).get("runs", [])
        return runs


@pytest.fixture(scope="session", params=list(RELEASES))
def peer(request: pytest.FixtureRequest, mlflow_of: Callable[[str], RealMlflow]) -> Peer:
    """A server of each release."""
    return Peer(mlflow_of(str(request.param)))


@pytest.fixture
def here(peer: Peer, drupe_workspace: Path, request: pytest.FixtureRequest) -> str:
    """The name of an experiment of the test's own on the server, which is in use."""
    drupe.set_tracking_uri(peer.url)
    name = f"{request.function.__name__}-{uuid.uuid4().hex[:8]}"
    drupe.set_experiment(name)
    return str(name)


@pytest.fixture
def in_python(peer: Peer, drupe_workspace: Path) -> Callable[..., str]:
    """A function that runs Python with these arguments in a process that logs to the peer; its output. Keyword arguments go into its environment."""

    def run(*arguments: str, **environ: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=drupe_workspace,
            env={**os.environ, "DRUPE_TRACKING_URI": peer.url, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
