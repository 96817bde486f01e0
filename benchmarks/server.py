"""What a tracking server costs: every row of the server's targets, next to MLflow's own server and FastTrackML, a rewrite of it in Go.

    python benchmarks/server.py --rounds 3 --write

Every server gets a fresh SQLite database, is started alone, and is asked by the same clients (`jobs/load.py`), in turns. drupe is taken twice:
as it comes, with a sync of the disk before every answer, and with `--durability normal`, which syncs as little as the others do.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
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
from report import about, commit, duration, number, put, table, today
from turns import environ

MARKS = ("<!-- server: made by benchmarks/server.py -->", "<!-- end of server -->")
LOAD = Path(__file__).parent / "jobs" / "load.py"
FASTTRACKML = Peer("fasttrackml", "0.6.0")
API = "/api/2.0/mlflow/"
CLIENTS = 16
START_S = 120
SEARCHED = 1000

Ask = Sequence[str]


class Server(NamedTuple):
    """How one server is started: its command for a port and a folder."""

    name: str
    command: Callable[[int, Path], list[str]]


class Running:
    """A started server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, started_s: float) -> None:
        self.process, self.port, self.started_s = process, port, started_s

    def ask(self, method: str, path: str, fields: Any = None) -> Any:
        """One request; its JSON."""
        body = None if fields is None else json.dumps(fields).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{API}{path}", body, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=300) as reply:
            return json.load(reply)

    def new_run(self) -> str:
        return str(self.ask("POST", "runs/create", {"experiment_id": "0", "start_time": 1})["run"]["info"]["run_id"])

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
        total = 0
        for process in self.processes():
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """What its processes hold, shared pages counted in parts."""
        total = 0
        for process in self.processes():
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024


@contextmanager
def running(server: Server) -> Iterator[Running]:
    """Start a server in a folder of its own, and end it with all its processes."""
    with tempfile.TemporaryDirectory(prefix="drupe-bench-server-") as home, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        folder = Path(home)
        began = time.perf_counter()
        with (folder / "printed.txt").open("wb") as printed:
            process = subprocess.Popen(
                server.command(port, folder), cwd=folder, env=environ(folder), stdout=printed, stderr=printed, start_new_session=True
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
            yield Running(process, port, time.perf_counter() - began)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def measure(server: Server, seconds: float) -> dict[str, float]:
    """One turn: every row of one server."""
    with running(server) as it:
        found = {"start_s": it.started_s}
        time.sleep(2)
        before = it.processor_s()
        time.sleep(3)
        found |= {"idle_percent": (it.processor_s() - before) / 3 * 100, "idle_mb": it.memory_mb(), "processes": len(it.processes())}
        runs = [it.new_run() for _ in range(CLIENTS)]
        point = '{"run_id": "%s", "key": "m", "value": 0.5, "timestamp": 1700000000000, "step": {n}}'
        told = it.load([[("POST", f"{API}runs/log-metric", point % run)] for run in runs], seconds)
        found |= {"points_per_s": told["per_s"], "point_p99_s": told["p99_ms"] / 1000, "point_cpu_ms": told["processor_ms"]}
        batch = ", ".join(
            f'{{"key": "m{n % 10}", "value": {n * 0.37}, "timestamp": {1700000000000 + n}, "step": {{n}}{n:04}}}' for n in range(1000)
        )
        told = it.load([[("POST", f"{API}runs/log-batch", f'{{"run_id": "{run}", "metrics": [{batch}]}}')] for run in runs], seconds)
        found["batched_per_s"] = told["per_s"] * 1000
        told = it.load([[("POST", f"{API}runs/create", '{"experiment_id": "0", "start_time": {n}}')]], seconds)
        found["created_per_s"] = told["per_s"]
        told = it.load([[("GET", f"{API}runs/get?run_id={run}", "")] for run in runs], seconds, clients=1)
        found["get_cpu_ms"] = told["processor_ms"]
        found |= _search(it)
        found |= _history(it)
        return found


def _search(it: Running) -> dict[str, float]:
    experiment = it.ask("POST", "experiments/create", {"name": "searched"})["experiment_id"]
    for number_of in range(SEARCHED):
        run = it.ask("POST", "runs/create", {"experiment_id": experiment, "start_time": number_of})["run"]["info"]["run_id"]
        metrics = [{"key": f"m{n}", "value": (number_of * 7919 % 1000) / 1000 + n, "timestamp": 1, "step": 0} for n in range(10)]
        params = [{"key": f"p{n}", "value": str((number_of + n) % 10)} for n in range(10)]
        tags = [{"key": f"t{n}", "value": str(n)} for n in range(5)]
        it.ask("POST", "runs/log-batch", {"run_id": run, "metrics": metrics, "params": params, "tags": tags})
    asked = {"experiment_ids": [experiment], "max_results": 1000}
    rows = {
        "search_s": asked,
        "filter_s": {**asked, "filter": "metrics.m1 > 1.5 and params.p1 = '3'", "max_results": 100},
        "top_s": {**asked, "order_by": ["metrics.m2 DESC"], "max_results": 100},
    }
    return {name: _quickest(lambda fields=fields: it.ask("POST", "runs/search", fields)) for name, fields in rows.items()}


def _history(it: Running) -> dict[str, float]:
    run = it.new_run()
    count = 20_000
    for start in range(0, count, 1000):
        metrics = [{"key": "long", "value": n * 0.37, "timestamp": n, "step": n} for n in range(start, start + 1000)]
        it.ask("POST", "runs/log-batch", {"run_id": run, "metrics": metrics})
    took = _quickest(lambda: it.ask("GET", f"metrics/get-history?run_id={run}&metric_key=long&max_results=25000"))
    return {"history_per_s": count / took}


def _quickest(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


ROWS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("start_s", "start to the first healthy answer", duration),
    ("idle_mb", "idle: memory, MB", number),
    ("processes", "idle: processes", number),
    ("idle_percent", "idle: % of a core", number),
    ("points_per_s", "`log-metric`, 16 keep-alive clients: requests/s", number),
    ("point_p99_s", "the same: 99 of 100 are answered within", duration),
    ("point_cpu_ms", "the same: processor time per request, ms", number),
    ("batched_per_s", "`log-batch` of 1000, 16 clients: metrics/s", number),
    ("created_per_s", "`runs/create`, 16 clients: requests/s", number),
    ("get_cpu_ms", "`runs/get`: processor time, ms", number),
    ("search_s", "search: 1000 runs with 10 params, 10 metrics, 5 tags", duration),
    ("filter_s", "search: 100 of 1000 runs by a metric and a param", duration),
    ("top_s", "search: the best 100 of 1000 runs by a metric", duration),
    ("history_per_s", "history of 20 000 points as JSON: points/s", number),
)


def main() -> None:
    """Measure in turns, print the table, and with --write put it into the documentation."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each load lasts")
    parser.add_argument("--peers", default="mlflow,fasttrackml", help="'' for none")
    parser.add_argument("--write", action="store_true", help="put the figures into the page")
    given = parser.parse_args()
    servers = _servers(given.peers.split(","))
    turns: dict[str, list[dict[str, float]]] = {server.name: [] for server in servers}
    for turn in range(given.rounds):
        for server in servers:
            print(f"{turn + 1}: {server.name}", file=sys.stderr, flush=True)
            turns[server.name].append(measure(server, given.seconds))
    found = {name: {key: statistics.median(one[key] for one in told) for key, _, _ in ROWS} for name, told in turns.items()}
    lines = table(("", *found), [(title, *(show(told[key]) for told in found.values())) for key, title, show in ROWS])
    print("\n".join(lines))
    if given.write:
        how = f"medians of {given.rounds} rounds: `make bench-server`"
        put("\n".join([about([today()], [commit()], how), "", *lines]), MARKS)


def _servers(peers: Sequence[str]) -> list[Server]:
    def drupe(durability: str) -> Callable[[int, Path], list[str]]:
        return lambda port, folder: [sys.executable, "-m", "drupe", "server", "--port", str(port), "--durability", durability]

    found = [Server("drupe", drupe("full")), Server("drupe, durability normal", drupe("normal"))]
    pythons = install([peer for peer in (MLFLOW, FASTTRACKML) if peer.distribution in peers])
    if MLFLOW in pythons:
        python = str(pythons[MLFLOW])
        found.append(
            Server(
                MLFLOW.name,
                lambda port, folder: [python, "-m", "mlflow", "server", "--port", str(port), "--backend-store-uri", "sqlite:///m.db"],
            )
        )
    if FASTTRACKML in pythons:
        binary = str(pythons[FASTTRACKML].parent / "fml")
        found.append(
            Server(
                FASTTRACKML.name, lambda port, folder: [binary, "server", "-a", f"127.0.0.1:{port}", "-d", "sqlite://f.db", "-l", "error"]
            )
        )
    return found


if __name__ == "__main__":
    main()
