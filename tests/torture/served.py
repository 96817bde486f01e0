"""A server that is tortured: killed, ended, paused and started again on its port, with the time that each start takes; and writers at it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .ledger import Tally
from .trainers import Trainers, train

__all__ = ["TorturedServer", "Writers", "free_port"]

MLFLOW = "mlflow-skinny==3.17.2"
OFFICIAL = Path(__file__).with_name("official_writer.py")
WAIT_S = 60
QUIET = {name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_"))}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class TorturedServer:
    """`drupe server` in a folder, on one port for its whole life; `starts_ms` says how long each start took until a request was answered."""

    def __init__(self, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port, self._options, self._env = folder, free_port(), options, env or {}
        self.url = f"http://127.0.0.1:{self.port}"
        self.starts_ms: list[float] = []
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "drupe", "server", "--port", str(self.port), *self._options],
            cwd=self.folder,
            env={**QUIET, **self._env},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip().startswith("at "):
                with urllib.request.urlopen(f"{self.url}/health", timeout=WAIT_S) as answer:
                    assert answer.status == 200
                self.starts_ms.append((time.monotonic() - began) * 1000)
                return
        raise AssertionError(f"the server ended with {self._process.wait(WAIT_S)}")

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for its end; the exit code."""
        self._process.send_signal(number)
        assert self._process.stdout is not None
        code = self._process.wait(WAIT_S)
        self._process.stdout.close()
        return code

    def pause(self, seconds: float) -> None:
        """It stands still for a while, as a machine that swaps does."""
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)

    def post(self, path: str, **fields: Any) -> Any:
        """One call."""
        asked = urllib.request.Request(
            f"{self.url}/api/2.0/mlflow/{path}", json.dumps(fields).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=WAIT_S) as answer:
            return json.load(answer)

    def orphans(self, writers: Writers) -> list[str]:
        """The runs that are said to be running, but for those that MLflow's client began without hearing so: it begins another."""
        found = self.post("runs/search", experiment_ids=["0"], filter="attributes.status = 'RUNNING'", max_results=1000)
        runs = [run["info"] for run in found.get("runs", ())]
        return [run["run_id"] for run in runs if writers.know(run["run_id"]) or not run["run_name"].startswith("official ")]


class Writers:
    """Writers at one address: our client with its journal, in forked processes, and MLflow's own client in an environment of its own."""

    def __init__(self, folder: Path, seed: int, url: str) -> None:
        self._url, self._seed = url, seed
        environment = {"DRUPE_TRACKING_URI": url, "XDG_STATE_HOME": str(folder / "state"), "NO_PROXY": "127.0.0.1"}
        self.trainers = Trainers(folder, seed, environment)
        self._officials: list[subprocess.Popen[bytes]] = []
        self._heard = bytearray()

    def start(self, *, own: int, official: int, calls: int) -> None:
        """Start so many of each; every one makes so many calls, all of them acknowledged in the end."""
        for number in range(own):
            self.trainers.start(lambda pipe, number=number: train(pipe, self._seed * 100 + number, calls=calls))  # type: ignore[misc]
        python = _official_python() if official else Path()
        for number in range(official):
            environment = {**QUIET, "MLFLOW_TRACKING_URI": self._url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "NO_PROXY": "127.0.0.1"}
            environment |= {
                "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
                "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
                "HOME": str(self.trainers.folder),
            }
            self._officials.append(
                subprocess.Popen(
                    [str(python), "-W", "ignore", str(OFFICIAL), str(self.trainers.writing), str(calls), str(number)],
                    pass_fds=(self.trainers.writing,),
                    env=environment,
                    cwd=self.trainers.folder,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )

        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def _listen(self) -> None:
        """Take what they acknowledge, for a full pipe would make them wait."""
        os.close(self.trainers.writing)
        while piece := os.read(self.trainers.reading, 1 << 16):
            self._heard += piece
        os.close(self.trainers.reading)

    def know(self, run_id: str) -> bool:
        """Whether one of them has acknowledged that it began this run; to be asked when all have ended."""
        self._listening.join()
        return run_id.encode() in self._heard

    def finish(self) -> Tally:
        """Compare, when all of them have ended."""
        self._listening.join()
        self.trainers.replay(bytes(self._heard))
        return self.trainers.finish()

    @property
    def are_done(self) -> bool:
        """True when all of them have ended."""
        own = [os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) for child in self.trainers.children]
        return all(own) and all(writer.poll() is not None for writer in self._officials)

    def codes(self) -> list[str]:
        """What MLflow's clients have ended with, where it is not 0."""
        return [f"an official client ended with {code}" for writer in self._officials if (code := writer.wait(WAIT_S))]


def _official_python() -> Path:
    """The interpreter of an environment with MLflow's client; made once a machine."""
    folder = Path(tempfile.gettempdir()) / f"drupe-torture-{MLFLOW.replace('=', '-')}"
    python, made = folder / "bin" / "python", folder / "made"
    if not made.exists():
        uv = Path(sys.executable).with_name("uv")
        environ = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")}
        environ.pop("LD_PRELOAD", None)
        for command in (["venv", "-q", "--clear", "-p", sys.executable, str(folder)], ["pip", "install", "-q", "-p", str(python), MLFLOW]):
            subprocess.run([str(uv), *command], env=environ, check=True)
        made.touch()
    return python
