"""Real servers: many small ones that share a process, and whole ones that can be killed and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

__all__ = ["Nursery", "Served", "start"]

WAIT_S = 60
MEMORY = "/dev/shm"  # what these servers keep outlives no test, so no disk need be waited for
ENVIRON = {name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_"))}


@frozen
class Served:
    """A server that listens at `url`, with its store in `folder`."""

    url: str
    folder: Path


class Nursery:
    """A process that serves many stores, see `nursery`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py"))],
            env=ENVIRON,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def take(self) -> Served:
        """A server with an empty store."""
        folder = Path(tempfile.mkdtemp(prefix="drupe-served-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
        return Served(self._ask(f"serve {folder}").partition(" ")[2], folder)

    def give_back(self, served: Served) -> None:
        """End it; nobody looks at its files any more."""
        self._ask(f"end {served.url.rpartition('/')[2]}")
        shutil.rmtree(served.folder, ignore_errors=True)

    def close(self) -> None:
        """End all."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(WAIT_S)

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(line, file=self._process.stdin, flush=True)
        said = self._process.stdout.readline().strip()
        assert said, "the process of the servers has ended"
        return said


class start:
    """A server of its own process over a folder; `kill` ends it as a power cut would, and another may be started on its port."""

    def __init__(self, folder: Path, port: int = 0, environ: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "drupe", "server", "--port", str(port)]
        self.process = subprocess.Popen(command, cwd=folder, env={**ENVIRON, **(environ or {})}, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = next(line.split()[1] for line in self.process.stdout if line.strip().startswith("at "))
        self.port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.wait(WAIT_S)
