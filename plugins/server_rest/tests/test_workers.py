"""Several processes on one port: together they are one server, which outlives each of them."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.server_rest.tests.served import Served, start

WORKERS = 2


@pytest.fixture(scope="module")
def address(postgres_server: Any) -> str:
    """Of a database of its own."""
    return str(postgres_server.address(postgres_server.new_database()))


def begin(address: str, folder: Path) -> Served:
    return start(folder, "--store", address, "--artifacts", str(folder / "files"), "--workers", str(WORKERS))


@pytest.fixture(scope="module")
def server(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all; in the end SIGTERM ends it and its workers in order."""
    served = begin(address, tmp_path_factory.mktemp("served"))
    yield served
    workers = workers_of(served)
    assert len(workers) == WORKERS
    assert served.stop() == 0
    wait_for_end(workers)
    assert "nothing waits" in served.printed


def workers_of(served: Served) -> set[int]:
    pid = served.process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def wait_for_end(pids: set[int]) -> None:
    """Until none of these processes runs; fails after 60 s."""
    for pid in pids:
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([handle], [], [], 60)[0], f"process {pid} is still there"
        finally:
            os.close(handle)


def figure(served: Served, name: str) -> float:
    lines = served.ask("GET", "/metrics").body.decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_a_file_is_served_by_one_process_and_the_refusal_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "drupe", "server", "--port", "0", "--workers", "2", "--store", f"sqlite:///{tmp_path}/runs.db"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 1
    assert "one file has one writer" in done.stderr
    assert "PostgreSQL" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_workers_that_cannot_start_are_told_and_nothing_is_left(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "drupe",
        "server",
        "--port",
        "0",
        "--workers",
        "2",
        "--store",
        "postgresql://nobody@127.0.0.1:1/nothing",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 1
    assert "could not start" in done.stderr
    assert "Traceback" not in done.stderr


def test_all_of_them_answer_and_count_together(server: Served) -> None:
    run_id = server.new_run()
    for step in range(60):
        server.post("runs/log-metric", run_id=run_id, key="m", value=1.5, timestamp=1, step=step)
    assert len(server.get("metrics/get-history", run_id=run_id, metric_key="m")["metrics"]) == 60
    assert server.ask("GET", "/version").status == 200
    wanted = 'drupe_requests_total{route="POST runs/log-metric",status="200"}'
    answered = 0.0
    while answered < 60:  # what the others have counted comes within half a second
        answered = figure(server, wanted)
    assert answered == 60


def test_a_listener_at_one_hears_what_is_written_at_another(server: Served) -> None:
    run_id = server.new_run()
    connection = http.client.HTTPConnection(server.address.hostname or "", server.address.port, timeout=60)
    connection.request("GET", "/api/drupe/changes")
    reply = connection.getresponse()
    assert reply.readline() == b": listening\n"
    for step in range(20):  # each on a connection of its own, so by whichever worker takes it
        server.post("runs/set-tag", run_id=run_id, key="k", value=str(step))
    heard = 0
    while heard < 20:
        line = reply.readline()
        assert line
        if line.startswith(b"data: "):  # that the run was begun may be passed on late, and heard as well
            heard += json.loads(line[6:]) == {"kind": "tag", "run_id": run_id}
    connection.close()


def test_one_that_is_killed_is_replaced_and_what_it_counted_stays(server: Served) -> None:
    before = workers_of(server)
    assert len(before) == WORKERS
    run_id = server.new_run()
    name = 'drupe_requests_total{route="GET runs/get",status="200"}'
    had = figure(server, name)
    for _ in range(30):
        server.get("runs/get", run_id=run_id)
    while figure(server, name) < had + 30:
        pass
    for victim in sorted(before):
        os.kill(victim, signal.SIGKILL)
    wait_for_end(before)
    now: set[int] = set()
    while len(now) < WORKERS or now & before:
        assert server.process.poll() is None
        now = workers_of(server)
    assert server.get("runs/get", run_id=run_id)["run"]["info"]["run_id"] == run_id
    while figure(server, name) < had + 31:
        pass


def test_without_their_supervisor_they_end_too(address: str, tmp_path: Path) -> None:
    served = begin(address, tmp_path)
    workers = workers_of(served)
    served.stop(signal.SIGKILL)
    wait_for_end(workers)
