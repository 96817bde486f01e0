"""The rows of the server's benchmark: what is asked of a server, and what is measured meanwhile. Each function returns figures by name."""

from __future__ import annotations

import socket
import sqlite3
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from server_running import API, CLIENTS, Running, Server, running

__all__ = ["LONG", "SEARCHED", "files", "of_a_store", "of_protocol", "of_series", "questions", "typical"]

SEARCHED = 1000
LONG = 100_000
SERIES = 20
FILE_BYTES = 1 << 30
PIECE = b"\x5a\xa5" * (512 << 10)
FIRST_MS = 1_700_000_000_000


def of_protocol(server: Server, seconds: float) -> dict[str, float]:
    """One turn: every row that a client of MLflow's can see, on a fresh store."""
    with running(server) as it:
        found = {"start_s": it.started_s}
        time.sleep(2)
        before = it.processor_s()
        time.sleep(3)
        found |= {"idle_percent": (it.processor_s() - before) / 3 * 100, "idle_mb": it.memory_mb(), "processes": len(it.processes())}
        found |= _logging(it, seconds)
        told = it.load([[("POST", f"{API}runs/create", '{"experiment_id": "0", "start_time": {n}}')]], seconds)
        found |= {"created_per_s": told["per_s"], "created_cpu_ms": told["processor_ms"]}
        found |= _history(it, server)
        return found | of_a_store(it, _filled(it), seconds)


def _logging(it: Running, seconds: float) -> dict[str, float]:
    runs = [it.new_run() for _ in range(CLIENTS)]
    point = f'{{"run_id": "%s", "key": "m", "value": 0.5, "timestamp": {FIRST_MS}, "step": {{n}}}}'
    told = it.load([[("POST", f"{API}runs/log-metric", point % run)] for run in runs], seconds)
    found = {"points_per_s": told["per_s"], "point_p99_s": told["p99_ms"] / 1000, "point_cpu_ms": told["processor_ms"]}
    batch = ", ".join(f'{{"key": "m{n % 10}", "value": {n * 0.37}, "timestamp": {FIRST_MS + n}, "step": {{n}}{n:04}}}' for n in range(1000))
    told = it.load([[("POST", f"{API}runs/log-batch", f'{{"run_id": "{run}", "metrics": [{batch}]}}')] for run in runs], seconds)
    return found | {"batched_per_s": told["per_s"] * 1000, "batch_cpu_ms": told["processor_ms"]}


def _history(it: Running, server: Server) -> dict[str, float]:
    """A long metric logged in batches, how much disk it takes, and read in pages of 25 000 as MLflow's client reads it."""
    run = it.new_run()
    before = _bytes_on_disk(it, server)
    for start in range(0, LONG, 1000):
        metrics = [{"key": "long", "value": n * 0.37, "timestamp": FIRST_MS + 300 * n, "step": n} for n in range(start, start + 1000)]
        it.ask("POST", "runs/log-batch", {"run_id": run, "metrics": metrics})
    it.ask("POST", "runs/update", {"run_id": run, "status": "FINISHED", "end_time": FIRST_MS + 300 * LONG})
    disk = (_bytes_on_disk(it, server) - before) / LONG

    def all_pages() -> None:
        token = ""
        while True:
            asked = f"metrics/get-history?run_id={run}&metric_key=long&max_results=25000&page_token={quote(token)}"
            _, found, rest = it.read("GET", asked)[-200:].partition(b'"next_page_token":')
            if not found:
                return
            token = rest.split(b'"')[1].decode()
            if not token:
                return

    return {"history_per_s": LONG / typical(all_pages, 3), "disk_bytes": disk}


def _bytes_on_disk(it: Running, server: Server) -> int:
    """The size of the database, once what its log holds is in it."""
    file = it.folder / server.database
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA busy_timeout=20000")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    (pages,), (free,), (size,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "freelist_count", "page_size"))
    connection.close()
    return int((pages - free) * size)


def _filled(it: Running) -> str:
    """The id of an experiment of SEARCHED runs with 10 params, 10 metrics and 5 tags."""
    experiment = str(it.ask("POST", "experiments/create", {"name": "searched"})["experiment_id"])
    for number_of in range(SEARCHED):
        run = it.new_run(experiment)
        metrics = [{"key": name, "value": (number_of * 7919 % 1000) / 1000, "timestamp": FIRST_MS, "step": 0} for name in _METRICS]
        params = [{"key": name, "value": str((number_of + n) % 10)} for n, name in enumerate(_PARAMS)]
        tags = [{"key": f"t{n}", "value": str(n)} for n in range(5)]
        it.ask("POST", "runs/log-batch", {"run_id": run, "metrics": metrics, "params": params, "tags": tags})
    return experiment


_METRICS = ("val_loss", "val_acc", *(f"m{n}" for n in range(8)))
_PARAMS = ("model", *(f"p{n}" for n in range(9)))


def questions(experiment: str, *, value: str = "3") -> dict[str, dict[str, Any]]:
    """The searches whose time is taken, by the name of their figure."""
    asked = {"experiment_ids": [experiment], "max_results": 1000}
    return {
        "search_s": asked,
        "filter_s": {**asked, "filter": f"metrics.val_loss < 0.6 and params.model = '{value}'", "max_results": 100},
        "top_s": {**asked, "order_by": ["metrics.val_acc DESC"], "max_results": 100},
    }


def of_a_store(it: Running, experiment: str, seconds: float, *, value: str = "3", repeats: int = 7) -> dict[str, float]:
    """What reading costs in an experiment that is there already."""
    found = {
        name: typical(lambda fields=fields: it.read("POST", "runs/search", fields), repeats)
        for name, fields in questions(experiment, value=value).items()
    }
    page = it.ask("POST", "runs/search", {"experiment_ids": [experiment], "max_results": CLIENTS})
    runs = [run["info"]["run_id"] for run in page["runs"]]
    told = it.load([[("GET", f"{API}runs/get?run_id={run}", "") for run in runs]], seconds, clients=1)
    return found | {"get_cpu_ms": told["processor_ms"]}


def of_series(it: Running) -> dict[str, float]:
    """What only our server answers: many long series at once, whole and thinned for a chart, in columns."""
    from drupe.entities import LogBatch, Points
    from drupe.wire.own import columns_form
    from drupe.wire.shapes import plain

    run = it.new_run()
    for number_of in range(SERIES):
        points = Points.of((step, FIRST_MS + 300 * step, (step * 7919 % 10_007) / 10_007 + number_of) for step in range(LONG))
        it.read("POST", "/api/2.0/drupe/log-columns", plain(columns_form(run, LogBatch({f"curve{number_of}": points}))))
    it.ask("POST", "runs/update", {"run_id": run, "status": "FINISHED"})
    chart = typical(lambda: it.read("POST", "/api/2.0/drupe/series", {"run_ids": [run], "buckets": 1000}), 7)
    whole = typical(lambda: it.read("POST", "/api/2.0/drupe/series", {"run_ids": [run]}), 3)
    return {"chart_s": chart, "bulk_per_s": SERIES * LONG / whole}


def files(it: Running) -> dict[str, float]:
    """One file of a gigabyte through the proxy, there and back."""
    before = it.peak_mb()
    up = _send(it.port, "/api/2.0/mlflow-artifacts/artifacts/bench/big.bin")
    down = _receive(it.port, "/api/2.0/mlflow-artifacts/artifacts/bench/big.bin")
    return {"up_gb_s": FILE_BYTES / up / 1e9, "down_gb_s": FILE_BYTES / down / 1e9, "files_mb": it.peak_mb() - before}


def _send(port: int, path: str) -> float:
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), timeout=600) as connection:
        head = (
            f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/octet-stream\r\nContent-Length: {FILE_BYTES}\r\n"
        )
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        for _ in range(FILE_BYTES // len(PIECE)):
            connection.sendall(PIECE)
        status = connection.recv(4096).split(b"\r\n", 1)[0]
    if b" 200 " not in status:
        raise RuntimeError(f"the file was not taken: {status!r}")
    return time.perf_counter() - began


def _receive(port: int, path: str) -> float:
    began = time.perf_counter()
    buffer, count = bytearray(1 << 20), 0
    with socket.create_connection(("127.0.0.1", port), timeout=600) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        while got := connection.recv_into(buffer):
            count += got
    if count < FILE_BYTES:
        raise RuntimeError(f"only {count} bytes came")
    return time.perf_counter() - began


def typical(call: Callable[[], Any], repeats: int = 5) -> float:
    """The median of some calls, in s."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
