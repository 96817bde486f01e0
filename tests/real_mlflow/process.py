"""One process for each release of MLflow, which imports it once: it does jobs of scripts as a client, and forks MLflow's own server."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.real_mlflow.environments import PEERS, environment, without_settings

__all__ = ["RealMlflow", "real_mlflows"]

WORKER = Path(__file__).with_name("worker.py")
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": str(PEERS / "matplotlib"),
}
END_S = 30


class RealMlflow:
    """A release of MLflow at work in a folder; see `worker.py`."""

    def __init__(self, release: str, python: Path, folder: Path) -> None:
        self.release, self.folder = release, folder
        self.has_logged_models = int(release.partition(".")[0]) >= 3
        self._lock = threading.Lock()
        self._log = (folder / "worker.log").open("w")
        environ = {**without_settings(), **QUIET, "HOME": str(folder), "PATH": f"{python.parent}:{without_settings()['PATH']}"}
        self._process = subprocess.Popen(
            [str(python), "-W", "ignore", str(WORKER)],
            cwd=folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._address: str | None = None

    @property
    def address(self) -> str:
        """The address of its server, started at first use on `mlflow.db` in the folder, which serves artifacts from `mlartifacts` too."""
        if self._address is None:
            self._address = self.serve(self.folder / "mlflow.db", self.folder / "mlartifacts")
        return self._address

    def serve(self, database: Path, artifacts: Path, port: int = 0) -> str:
        """The address of one more server, on that port or one that is free; it ends with the process."""
        return str(self.ask(WORKER, "serve", f"sqlite:///{database}", str(artifacts), port))

    def kill(self, address: str) -> None:
        """End a server as a power cut would; another may be started on its port."""
        self.ask(WORKER, "kill", address)

    def ask(self, script: Path, job: str, *arguments: Any) -> Any:
        """What a function of a script returns there; arguments and answer pass as JSON."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"script": str(script), "job": job, "arguments": arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"fault": f"the process has ended: {(self.folder / 'worker.log').read_text()[-2000:]}"}
        assert "fault" not in answer, answer["fault"][-4000:]
        return answer["answer"]

    def ask_apart(self, script: Path, job: str, *arguments: Any) -> Any:
        """The same in a child of the process, so that nothing of it remains."""
        return self.ask(WORKER, "apart", str(script), job, *arguments)

    def close(self) -> None:
        """End the process and its servers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()


@contextmanager
def real_mlflows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], RealMlflow]]:
    """A function that gives the process of a release, started once; all end with the context."""
    started: dict[str, RealMlflow] = {}

    def of(release: str) -> RealMlflow:
        if release not in started:
            python = environment(release)
            started[release] = RealMlflow(release, python, tmp_path_factory.mktemp(f"mlflow-{release}-at-work"))
        return started[release]

    try:
        yield of
    finally:
        for one in started.values():
            one.close()
