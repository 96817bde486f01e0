"""Tracking servers of several makers: how each is started in a folder of its own, asked, watched, and ended with all its processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from peers import MLFLOW, Peer, install
from turns import environ

__all__ = ["API", "CLIENTS", "LOAD", "Running", "Server", "drupe", "peers", "running"]

LOAD = Path(__file__).parent / "jobs" / "load.py"
FASTTRACKML = Peer("fasttrackml", "0.6.0")
API = "/api/2.0/mlflow/"
CLIENTS = 16
START_S = 180

Ask = Sequence[str]


class Server(NamedTuple):
    """How one server is started: its command for a port, and the database that it keeps in its folder."""

    name: str
    command: Callable[[int], list[str]]
    database: str


def drupe(name: str = "drupe", *options: str, store: str = "") -> Server:
    """Our own."""
    return Server(
        name,
        lambda port: [sys.executable, "-m", "drupe", "server", "--port", str(port), *(("--store", store) if store else ()), *options],
        "drupe.db",
    )


def peers(wanted: Sequence[str]) -> list[Server]:
    """Those of the others that are wanted and can be installed."""
    pythons = install([peer for peer in (MLFLOW, FASTTRACKML) if peer.distribution in wanted])
    found = []
    if MLFLOW in pythons:
        command = [str(pythons[MLFLOW]), "-m", "mlflow", "server", "--backend-store-uri", "sqlite:///mlflow.db", "--port"]
        found.append(Server(MLFLOW.name, lambda port: [*command, str(port)], "mlflow.db"))
    if FASTTRACKML in pythons:
        binary = str(pythons[FASTTRACKML].parent / "fml")
        found.append(
            Server(
                FASTTRACKML.name,
                lambda port: [binary, "server", "-a", f"127.0.0.1:{port}", "-d", "sqlite://fasttrackml.db", "-l", "error"],
                "fasttrackml.db",
            )
        )
    return found


class Running:
    """A started server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path, started_s: float) -> None:
        self.process, self.port, self.folder, self.started_s = process, port, folder, started_s

    def read(self, method: str, path: str, fields: Any = None) -> bytes:
        """One request; the answer's body. `path` is below the API's, unless it begins with a slash."""
        body = None if fields is None else json.dumps(fields).encode()
        where = path if path.startswith("/") else f"{API}{path}"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{where}", body, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=600) as reply:
            return bytes(reply.read())

    def ask(self, method: str, path: str, fields: Any = None) -> Any:
        """One request; its JSON."""
        return json.loads(self.read(method, path, fields))

    def new_run(self, experiment: str = "0") -> str:
        asked = {"experiment_id": experiment, "start_time": 1_700_000_000_000}
        return str(self.ask("POST", "runs/create", asked)["run"]["info"]["run_id"])

    def load(self, requests: Sequence[Sequence[Ask]], seconds: float, clients: int = CLIENTS) -> dict[str, float]:
        """Let clients ask, each its own list again and again; requests per second, latencies, and processor time of the server per request."""
        before = self.processor_s()
        given = {"host": "127.0.0.1", "port": self.port, "clients": clients, "seconds": seconds, "requests": requests}
        done = subprocess.run([sys.executable, str(LOAD)], input=json.dumps(given), capture_output=True, text=True, check=True)
        told: dict[str, Any] = json.loads(done.stdout)
        if told["refused"]:
            raise RuntimeError(f"{told['refused']} of {told['answered']} requests were refused: {told['fault']}")
        told["processor_ms"] = (self.processor_s() - before) * 1000 / told["answered"]
        return told

    def processes(self) -> list[int]:
        """The server's process and all below it."""
        found, waiting = [], [self.process.pid]
        while waiting:
            process = waiting.pop()
            found.append(process)
            for thread in Path(f"/proc/{process}/task").glob("*/children"):
                waiting += map(int, thread.read_text().split())
        return found

    def processor_s(self) -> float:
        """Processor time of all its processes, those that have ended too."""
        total = 0
        for process in self.processes():
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))
        return total / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """What its processes hold, shared pages counted in parts."""
        return self._of_all("smaps_rollup", "Pss:")

    def peak_mb(self) -> float:
        """The most that its processes have held, shared pages counted in each."""
        return self._of_all("status", "VmHWM:")

    def _of_all(self, file: str, line: str) -> float:
        texts = (Path(f"/proc/{process}/{file}").read_text().splitlines() for process in self.processes())
        return sum(int(told.split()[1]) for text in texts for told in text if told.startswith(line)) / 1024


@contextmanager
def running(server: Server, prepare: Callable[[Path], None] | None = None) -> Iterator[Running]:
    """Start a server in a folder of its own, which `prepare` fills, and end it with all its processes."""
    with tempfile.TemporaryDirectory(prefix="drupe-bench-server-") as home, socket.socket() as free:
        folder = Path(home)
        if prepare is not None:
            prepare(folder)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        began = time.perf_counter()
        with (folder / "printed.txt").open("wb") as printed:
            process = subprocess.Popen(
                server.command(port), cwd=folder, env=environ(folder), stdout=printed, stderr=printed, start_new_session=True
            )
        try:
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).read()
                    break
                except OSError as fault:
                    if process.poll() is not None or time.perf_counter() - began > START_S:
                        raise RuntimeError(f"{server.name} does not start: {(folder / 'printed.txt').read_text()[-1000:]}") from fault
                    time.sleep(0.005)
            yield Running(process, port, folder, time.perf_counter() - began)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
