"""What a plan for many runs is computed from: PostgreSQL filled for some minutes, its sizes and searches, and writers on one and two servers.

    python benchmarks/scale.py --minutes 10

Every run has 10 params, 5 tags and 10 metrics of 3 points, written by the database itself with all indexes in place. What a point of a longer curve costs is
measured by logging some. The writers are as many keep-alive connections, each sending the next batch of 10 points as soon as the last is answered.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import psutil

from drupe.entities import LogBatch, NewRun, Points
from drupe.search import Kind, parse
from drupe.uris import Uri
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_postgres.stores import PostgresTrackingStore
from drupe_store_sql.codec import encode

ROOT = Path(__file__).parents[1]
LOAD = ROOT / "benchmarks" / "jobs" / "load.py"
REAL = ("fsync=on", "full_page_writes=on", "max_connections=200", "shared_buffers=1GB", "max_wal_size=8GB", "work_mem=32MB")
BATCH = 50_000
CURVES, CURVE_POINTS = 400, 1000
SERIES = "run, key, count, nans, first, first_step, first_ms, last, last_step, last_ms, min, max, argmin, argmax, mean, total, tail_rows, tail_points"
PARAMS = {
    f"param_{name}": f"(n % {size})::text" for name, size in zip("abcdefghij", (3, 5, 7, 11, 50, 97, 997, 9973, 99991, 999983), strict=True)
}
TAGS = {
    name: f"'{name}-' || n % {size}"
    for name, size in zip(("mlflow.runName", "team", "user", "commit", "source"), (10**9, 40, 1000, 5000, 300), strict=True)
}
METRICS = {f"metric_{name}": f"((n * {7919 + 2 * at}) % 100003) / 100003.0" for at, name in enumerate("abcdefghij")}


def own_server() -> Any:
    spec = spec_from_file_location("own_server", ROOT / "plugins/store_postgres/tests/own_server.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.SETTINGS = REAL
    return module


def fill(connection: Any, seconds: float) -> tuple[int, float]:
    """Runs written, and the seconds that it took."""
    connection.execute("INSERT INTO experiments SELECT e, 'population ' || e, 'memory:/' || e, 0, 0, 0 FROM generate_series(1, 1000) e")
    ids = {
        name: connection.execute("INSERT INTO keys (name) VALUES (%s) RETURNING id", (name,)).fetchone()[0]
        for name in (*PARAMS, *TAGS, *METRICS)
    }
    chunk = encode(Points.of([(step, 1_700_000_000_000 + step, 0.5 + step / 7) for step in range(3)]))
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        low, high = count + 1, count + BATCH
        connection.execute(
            "INSERT INTO runs (run_id, experiment, name, user_id, status, start_ms, end_ms, is_deleted, artifact_uri) "
            "SELECT md5(n::text), 1 + n % 1000, 'run-' || n, 'user-' || n % 1000, (ARRAY['FINISHED','FINISHED','FAILED'])[1 + n % 3], "
            f"1700000000000 + n * 1000, 1700000000000 + n * 1000 + n % 5000, 0, 'memory:/1/' || n FROM generate_series({low}, {high}) n"
        )
        numbered = (
            f"(SELECT r.id, n, r.experiment, r.start_ms FROM generate_series({low}, {high}) n JOIN runs r ON r.run_id = md5(n::text))"
        )
        for table, values in (("params", PARAMS), ("tags", TAGS)):
            for name, value in values.items():
                connection.execute(f"INSERT INTO {table} SELECT id, {ids[name]}, {value}, experiment, start_ms FROM {numbered} r")
        for name, value in METRICS.items():
            connection.execute(
                f"INSERT INTO series ({SERIES}, experiment, start_ms) "
                f"SELECT id, {ids[name]}, 3, 0, v, 0, 0, v, 2, 2, v, v, 0, 0, v, '', 0, 0, experiment, start_ms "
                f"FROM (SELECT *, ({value})::float8 AS v FROM {numbered} s) r"
            )
            connection.execute(
                "INSERT INTO chunks (run, key, is_tail, count, min_step, max_step, min_ms, max_ms, points) "
                f"SELECT id, {ids[name]}, 1, 3, 0, 2, 0, 2, %s FROM {numbered} r",
                (chunk,),
            )
        count = high
    took = time.perf_counter() - began
    connection.execute("VACUUM ANALYZE")
    return count, took


def sizes(connection: Any) -> dict[str, int]:
    """Bytes of each table with its indexes, and of all."""
    rows = connection.execute(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    found = {name: size for name, size in rows if size > 1 << 20}
    return {**dict(sorted(found.items(), key=lambda one: -one[1])), "all": sum(size for _, size in rows)}


def bytes_per_point(store: PostgresTrackingStore, connection: Any) -> float:
    """What a point of curves of a thousand noisy values adds."""
    before, random = sizes(connection)["all"], Random(1)
    for _ in range(CURVES // 10):
        run_id = store.create_run(NewRun("1")).info.run_id
        for first in range(0, CURVE_POINTS, 100):
            points = [(step, 1_700_000_000_000 + 137 * step, 1 / (1 + step) + random.gauss(0, 0.01)) for step in range(first, first + 100)]
            store.log_batch(run_id, LogBatch(metrics={f"metric_{name}": Points.of(points) for name in "abcdefghij"}))
    connection.execute("VACUUM ANALYZE")
    return (sizes(connection)["all"] - before) / (CURVES * CURVE_POINTS)


def searches(store: PostgresTrackingStore) -> dict[str, float]:
    """Median ms of a page of 100 runs, for what people ask, in an experiment and over ten."""
    asked: dict[str, tuple[list[str], str, str]] = {
        "newest of one experiment": (["7"], "", ""),
        "newest of ten experiments": ([str(one) for one in range(1, 11)], "", ""),
        "a metric below a value": (["7"], "metrics.metric_a < 0.01", ""),
        "a param and a metric, best first": (["7"], "params.param_a = '1' and metrics.metric_b > 0.5", "metrics.metric_b DESC"),
        "a tag in ten experiments": ([str(one) for one in range(1, 11)], "tags.team = 'team-7'", ""),
    }
    found = {}
    for what, (experiments, text, order) in asked.items():
        times = []
        for _ in range(7):
            began = time.perf_counter()
            store.search_runs(parse(Kind.RUNS, text, [order] if order else []), experiment_ids=experiments, limit=100)
            times.append((time.perf_counter() - began) * 1000)
        found[what] = median(times)
    return found


def servers(stack: ExitStack, address: str, count: int, folder: Path) -> dict[int, int]:
    """Ports and process numbers of that many servers of one database."""
    found = {}
    for number in range(count):
        command = [sys.executable, "-m", "drupe", "server", "--port", "0", "--store", address, "--artifacts", str(folder)]
        environ = {name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_"))}
        process = subprocess.Popen(
            command, cwd=folder, env={**environ, "XDG_STATE_HOME": str(folder / str(number))}, stdout=subprocess.PIPE, text=True
        )
        stack.callback(lambda one=process: (one.terminate(), one.wait(60)))
        assert process.stdout is not None
        found[int(next(line for line in process.stdout if line.strip().startswith("at ")).rpartition(":")[2])] = process.pid
    return found


def used(pids: Iterable[int]) -> float:
    """Seconds of processor time of processes and their children."""
    total = 0.0
    for pid in pids:
        top = psutil.Process(pid)
        for one in (top, *top.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system
    return total


def load(found: dict[int, int], database: int, writers: int, seconds: float, runs: list[str]) -> dict[str, float]:
    """All writers at once, shared among the servers; `database` is the number of PostgreSQL's first process."""
    ports = list(found)
    before = used(found.values()), used([database])
    batch = ",".join(f'{{"key":"metric_{name}","value":0.5,"timestamp":1,"step":{{n}}}}' for name in "abcdefghij")
    jobs = []
    for at, port in enumerate(ports):
        mine = runs[at :: len(ports)]
        requests = [[["POST", "/api/2.0/mlflow/runs/log-batch", f'{{"run_id":"{run_id}","metrics":[{batch}]}}']] for run_id in mine]
        given = {"host": "127.0.0.1", "port": port, "clients": writers // len(ports), "seconds": seconds, "requests": requests}
        job = subprocess.Popen([sys.executable, str(LOAD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert job.stdin is not None
        job.stdin.write(json.dumps(given))
        job.stdin.close()
        jobs.append(job)
    told = []
    for job in jobs:
        assert job.stdout is not None
        told.append(json.loads(job.stdout.read()))
        job.wait(60)
    assert not any(one["refused"] for one in told), told
    answered = sum(one["answered"] for one in told)
    return {
        "server, processor ms for each request": (used(found.values()) - before[0]) * 1000 / answered,
        "database, processor ms for each request": (used([database]) - before[1]) * 1000 / answered,
        "requests/s": sum(one["per_s"] for one in told),
        "points/s": sum(one["per_s"] for one in told) * 10,
        "p50 ms": max(one["p50_ms"] for one in told),
        "p99 ms": max(one["p99_ms"] for one in told),
    }


def main() -> None:
    """Measure, and print one JSON object."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--minutes", type=float, default=10.0)
    given.add_argument("--writers", type=int, default=200)
    given.add_argument("--seconds", type=float, default=20.0)
    options = given.parse_args()
    told: dict[str, Any] = {}
    module = own_server()
    with ExitStack() as stack:
        server = stack.enter_context(module.own_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drupe-scale-")))
        address = server.address(server.new_database())
        store = PostgresTrackingStore.open(Uri.parse(address, query=True, user_info=True), PostgresSettings(artifact_root=str(folder)))
        connection = stack.enter_context(server.connect(address.rpartition("/")[2]))
        say("filling")
        runs, took = fill(connection, options.minutes * 60)
        told["runs"], told["runs/s while filling"] = runs, runs / took
        told["bytes"] = sizes(connection)
        told["bytes per run"] = told["bytes"]["all"] / runs
        say(json.dumps(told))
        told["bytes per point of a curve"] = bytes_per_point(store, connection)
        told["searches, ms"] = searches(store)
        say(json.dumps(told))
        writing = [store.create_run(NewRun("5")).info.run_id for _ in range(options.writers)]
        for count in (1, 2):
            with ExitStack() as running:
                found = servers(running, address, count, folder)
                postmaster = int((server.data / "postmaster.pid").read_text().split()[0])
                told[f"{options.writers} writers, servers: {count}"] = load(found, postmaster, options.writers, options.seconds, writing)
                say(json.dumps(told))
        store.close()
    print(json.dumps(told, indent=1))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
