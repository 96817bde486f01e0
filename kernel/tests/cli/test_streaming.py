"""`drupe runs list` for programs: lines come while runs are read, and whoever has enough may go."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from drupe.client import Client
from drupe.entities import LogBatch, NewRun

RUNS = 1300
pytestmark = pytest.mark.usefixtures("quick_programs")
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of runs r0000, the oldest, to r1299."""
    file = tmp_path_factory.mktemp("many") / "many.db"
    store = Client(f"sqlite:///{file}").store
    for number in range(RUNS):
        store.create_run(NewRun("0", f"r{number:04}", f"n{number:04}", start_time=1_700_000_000_000 + number))
    store.log_batch("r0000", LogBatch(params={"lr": "0.1"}))
    store.close()
    return file


@pytest.fixture
def many_runs(made: Path, workspace: Path) -> Client:
    """The store in the working folder, with all those runs."""
    shutil.copy(made, workspace / "drupe.db")
    return Client()


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `drupe` with these words in a process of its own, which is waited for in the end."""
    started: list[subprocess.Popen[bytes]] = []

    def starter(*words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "drupe", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        started.append(process)
        return process

    yield starter
    for process in started:
        process.kill()
        process.communicate()


def line_of(stream: IO[bytes] | None) -> bytes:
    """One line, and not a byte more taken out of the pipe."""
    assert stream is not None
    found = b""
    while not found.endswith(b"\n"):
        letter = stream.read(1)
        if not letter:
            break
        found += letter
    return found


def rest_of(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    out, err = process.communicate(timeout=120)
    return out, err


def test_json_lines_come_before_the_last_page_is_read(many_runs: Client, start: Start) -> None:
    process = start("runs", "list", "--json")
    assert line_of(process.stdout) == b"[\n"
    first = json.loads(line_of(process.stdout).rstrip(b",\n"))
    assert first["info"]["run_id"] == "r1299"
    many_runs.delete_run("r0100")  # on a page that nobody can have asked for yet: the pipe is full before the first one ends
    out, err = rest_of(process)
    found = [json.loads(line.rstrip(b",")) for line in out.splitlines()[:-1]]
    assert [run["info"]["run_id"] for run in found] == [f"r{number:04}" for number in range(RUNS - 2, -1, -1) if number != 100]
    assert (err, process.returncode) == (b"", 0)


def test_csv_lines_of_named_columns_come_before_the_last_page_is_read(many_runs: Client, start: Start) -> None:
    columns = "run_id,name,artifact_uri,params.lr,started,ended,tags.mlflow.runName"
    process = start("runs", "list", "--output", "csv", "--columns", columns)
    assert line_of(process.stdout).startswith(b"run_id,run_name,artifact_uri,params.lr")
    many_runs.delete_run("r0100")
    out, _ = rest_of(process)
    assert [line.split(b",")[0].decode() for line in out.splitlines()] == [
        f"r{number:04}" for number in range(RUNS - 1, -1, -1) if number != 100
    ]


def test_csv_of_all_columns_has_the_keys_of_the_last_run_in_its_header(many_runs: Client, start: Start) -> None:
    out, _ = rest_of(start("runs", "list", "--output", "csv"))
    header, *rows = out.decode().splitlines()
    assert "params.lr" in header.split(",")
    assert len(rows) == RUNS


@pytest.mark.parametrize("form", [["--json"], ["--output", "csv"], ["--limit", "1200"]])
def test_a_reader_that_has_enough_hears_no_complaint(many_runs: Client, start: Start, form: list[str]) -> None:
    process = start("runs", "list", *form)
    line_of(process.stdout)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with closing(process.stderr):
        assert process.stderr.read() == b""
    process.wait(timeout=120)
    process.stdout = process.stderr = None


def test_it_stops_when_it_is_interrupted(many_runs: Client, start: Start) -> None:
    process = start("runs", "list", "--json")
    line_of(process.stdout)
    process.send_signal(signal.SIGINT)
    out, err = rest_of(process)
    assert len(out.splitlines()) < RUNS
    assert (err.strip(), process.returncode) == (b"Aborted.", 130)
