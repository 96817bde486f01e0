"""Real servers, each in a process of its own over an empty store."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import frozen

__all__ = ["Nursery", "Served", "start"]

WAIT_S = 60
ENVIRON = {name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_"))}


@frozen
class Served:
    """A server that listens at `url`."""

    pid: int
    url: str
    folder: Path


class Nursery:
    """Starts servers quickly, see `nursery`."""

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
        assert self._process.stdin is not None
        folder = Path(tempfile.mkdtemp(prefix="drupe-served-"))
        print(folder, file=self._process.stdin, flush=True)
        return Served(int(self._said("pid ")), self._said("at "), folder)

    @staticmethod
    def give_back(served: Served) -> None:
        """End it; nobody looks at its files any more."""
        os.kill(served.pid, signal.SIGKILL)
        shutil.rmtree(served.folder, ignore_errors=True)

    def close(self) -> None:
        """Start no more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(WAIT_S)

    def _said(self, word: str) -> str:
        assert self._process.stdout is not None
        return next(line.split()[1] for line in self._process.stdout if line.strip().startswith(word))


class start:
    """A server over a folder; `kill` ends it as a power cut would, and another may be started on its port."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        command = [sys.executable, "-m", "drupe", "server", "--port", str(port)]
        self.process = subprocess.Popen(command, cwd=folder, env=ENVIRON, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = next(line.split()[1] for line in self.process.stdout if line.strip().startswith("at "))
        self.port = int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.wait(WAIT_S)
