"""A server's life: one per store, finishing what it was asked on SIGTERM, losing nothing on SIGKILL, telling what changes."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins.server_rest.tests.served import Served, start


def log(served: Served, run_id: str, key: str, acknowledged: list[int]) -> None:
    """Log until the server is gone; `acknowledged` gets every step that was answered."""
    connection = http.client.HTTPConnection(served.address.hostname or "", served.address.port, timeout=60)
    step = 0
    try:
        while True:
            body = json.dumps({"run_id": run_id, "key": key, "value": 1.0, "timestamp": step, "step": step})
            connection.request("POST", "/api/2.0/mlflow/runs/log-metric", body, {"Content-Type": "application/json"})
            reply = connection.getresponse()
            reply.read()
            if reply.status != 200:
                return
            acknowledged.append(step)
            step += 1
    except (OSError, http.client.HTTPException):
        return
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_answered_is_there_after_the_server_was_ended(tmp_path: Path, number: int) -> None:
    served = start(tmp_path)
    run_id = served.new_run()
    said: list[list[int]] = [[] for _ in range(8)]
    writers = [threading.Thread(target=log, args=(served, run_id, f"m{n}", said[n])) for n in range(8)]
    for writer in writers:
        writer.start()
    while min(map(len, said)) < 50:
        assert served.process.poll() is None
    served.stop(number)
    for writer in writers:
        writer.join()
    again = start(tmp_path)
    for n, steps in enumerate(said):
        kept = [point["step"] for point in again.get("metrics/get-history", run_id=run_id, metric_key=f"m{n}")["metrics"]]
        assert kept[: len(steps)] == steps  # one more may have been kept without its answer
        assert len(kept) <= len(steps) + 1
    assert again.stop() == 0


def test_writes_of_many_clients_share_transactions(tmp_path: Path) -> None:
    served = start(tmp_path)
    run_id = served.new_run()
    said: list[list[int]] = [[] for _ in range(16)]
    writers = [threading.Thread(target=log, args=(served, run_id, f"m{n}", said[n])) for n in range(16)]
    for writer in writers:
        writer.start()
    while sum(map(len, said)) < 800:
        assert served.process.poll() is None
    lines = [line for line in served.ask("GET", "/metrics").body.decode().splitlines() if not line.startswith("#")]
    figures = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
    assert served.stop() == 0
    for writer in writers:
        writer.join()
    assert figures["drupe_writes_total"] > 1.5 * figures["drupe_commits_total"]
    assert figures['drupe_requests_total{route="POST runs/log-metric",status="200"}'] >= 700


def test_a_refused_write_does_not_touch_those_beside_it(tmp_path: Path) -> None:
    served = start(tmp_path)
    run_id = served.new_run()
    results: list[tuple[int, int]] = []

    def ask(n: int) -> None:
        fields = {"run_id": run_id if n % 2 else "0" * 32, "key": f"k{n}", "value": "v"}
        results.append((n, served.call("POST", "runs/log-parameter", fields).status))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert dict(results) == {n: 200 if n % 2 else 404 for n in range(40)}
    params = served.get("runs/get", run_id=run_id)["run"]["data"]["params"]
    assert {param["key"] for param in params} == {f"k{n}" for n in range(1, 40, 2)}
    assert served.stop() == 0


def test_a_store_is_served_by_one_server_only(tmp_path: Path) -> None:
    served = start(tmp_path)
    second = subprocess.run(
        [sys.executable, "-m", "drupe", "server", "--port", "0"], cwd=tmp_path, capture_output=True, text=True, env=os.environ
    )
    assert second.returncode == 1
    assert f"process {served.process.pid}" in second.stderr
    assert served.stop() == 0
    assert start(tmp_path).stop() == 0


def test_a_store_that_was_used_here_is_served_as_it_is_and_used_here_again(tmp_path: Path) -> None:
    script = "import drupe\nwith drupe.start_run() as run:\n    drupe.log_metric('m', 1.0); drupe.log_text('hi', 'note.txt')\nprint(run.info.run_id)"
    made = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, env=os.environ)
    run_id = made.stdout.split()[-1]
    served = start(tmp_path)
    root = served.get("runs/get", run_id=run_id)["run"]["info"]["artifact_uri"]
    assert root == f"mlflow-artifacts:/0/{run_id}/artifacts"
    assert served.get_file(f"0/{run_id}/artifacts/note.txt").body == b"hi"
    other = served.new_run()
    served.put_file(f"0/{other}/artifacts/from-afar.txt", b"x")
    assert served.stop() == 0
    script = f"import drupe; print(drupe.artifacts.download_artifacts('runs:/{other}/from-afar.txt', dst_path='.'))"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, env=os.environ)
    assert (tmp_path / "from-afar.txt").read_bytes() == b"x"


@pytest.fixture
def lines(server: Served) -> Iterator[Iterator[str]]:
    connection = http.client.HTTPConnection(server.address.hostname or "", server.address.port, timeout=60)
    connection.request("GET", "/api/drupe/changes")
    reply = connection.getresponse()
    assert reply.headers["content-type"] == "text/event-stream"
    assert reply.readline() == b": listening\n"
    yield (line.decode().removeprefix("data: ") for line in reply if line.startswith(b"data: "))
    connection.close()


def test_listeners_hear_what_changes(server: Served, lines: Iterator[str]) -> None:
    run_id = server.new_run()
    assert json.loads(next(lines)) == {"kind": "run", "experiment_id": "0", "run_id": run_id}
    server.post("runs/log-metric", run_id=run_id, key="m", value=1, timestamp=1)
    assert json.loads(next(lines)) == {"kind": "metric", "run_id": run_id}


@pytest.mark.parametrize("route", ["mlflow/runs/log-batch", "drupe/log-columns", "drupe/ship"])
def test_a_batch_is_told_as_the_first_that_is_in_it_of_metrics_params_and_tags(server: Served, lines: Iterator[str], route: str) -> None:
    run_id = server.new_run()
    assert json.loads(next(lines))["kind"] == "run"
    tags, params = [{"key": "team", "value": "red"}], [{"key": "depth", "value": "3"}]
    point = {"key": "m", "value": 1, "timestamp": 1, "step": 0}
    packed = {"key": "m", "count": 1, "points": base64.b64encode(struct.pack("<qqd", 0, 1, 1.0)).decode()}
    metrics = [point if route.startswith("mlflow") else packed]
    told = []
    for number, form in enumerate(({"tags": tags}, {"tags": tags, "params": params}, {"tags": tags, "params": params, "metrics": metrics})):
        at = {"writer": "w", "start": number, "end": number + 1} if route == "drupe/ship" else {}
        body = json.dumps({"run_id": run_id, **form, **at}).encode()
        assert server.ask("POST", f"/api/2.0/{route}", body, Content_Type="application/json").status == 200
        told.append(json.loads(next(lines)))
    assert told == [{"kind": kind, "run_id": run_id} for kind in ("tag", "param", "metric")]


def test_options_are_taken_from_environment_and_file_too(tmp_path: Path) -> None:
    (tmp_path / "drupe.toml").write_text('[plugins.server-rest]\nallowed_hosts = ["from.file"]\nprefix = "/file"\n')
    served = start(tmp_path, env={"DRUPE_SERVER_REST__PREFIX": "/environment"})
    assert served.url.endswith("/environment")
    assert served.ask("GET", "/environment/api/2.0/mlflow/experiments/get?experiment_id=0", Host="from.file").status == 200
    assert served.stop() == 0


def test_requests_are_written_down_with_their_ids_when_asked_for(tmp_path: Path) -> None:
    served = start(tmp_path, "--log-requests")
    reply = served.call("GET", "runs/get", {"run_id": "0" * 32})
    assert served.stop() == 0
    told = [json.loads(line) for line in served.printed.splitlines() if line.startswith("{")]
    assert [(one["id"], one["status"]) for one in told] == [(reply.headers["x-request-id"], 404)]
