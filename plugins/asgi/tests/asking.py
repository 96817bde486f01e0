"""A server in a process of its own, and its answers: what the tests of all servers share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

WAIT_S = 120


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The error code; fails when the answer is not an error in MLflow's form, or tells a trace."""
        assert self.status >= 400, self
        assert self.headers["content-type"] == "application/json", self
        assert self.json["message"], self
        assert not any(sign in self.body.decode() for sign in ("Traceback", 'File "')), self
        return str(self.json["error_code"])


class Process:
    """A server that runs."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url, self.printed = process, url, ""

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; the exit code."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        with self.process.stdout:
            self.printed = self.process.stdout.read()
        return self.process.wait(WAIT_S)


def started(
    command: Sequence[str], folder: Path, *, env: dict[str, str] | None = None, stderr: IO[str] | None = None
) -> tuple[subprocess.Popen[str], str]:
    """`python -m …` in that folder, on a free port and without this one's settings: the process and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--port", "0"],
        cwd=folder,
        env={**{name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_"))}, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().startswith("at "):
            return process, line.split()[1]
    raise AssertionError(f"the server ended with {process.wait(WAIT_S)}")
