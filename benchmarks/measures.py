"""How each row is measured: functions of a subject, an empty folder and an amount, that return figures by name.

What is measured for whom, and what it is compared with, is `client_rows`' matter.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import peers
import population
import population_mlflow
from startup import PLUGINS, environment
from turns import Job, Subject, ask, environ

Figures = dict[str, float]

WORK = 20_000  # additions between two calls of a training loop, about a millisecond
PAUSE_S = 0.02
NORMAL_S = 5


def first_use(subject: Subject, folder: Path, amount: int) -> Figures:
    """Import and first value, in a store that exists."""
    ask("first_use", subject, folder)
    return ask("first_use", subject, folder)


def show_help(subject: Subject, folder: Path, amount: int) -> Figures:
    """The clock of `--help` over that of the bare interpreter; drupe has 25 more plugins to tell of."""
    python = str(_with_plugins(folder / "environment") if subject.name == "drupe" else subject.python)
    script = subject.python.parent / subject.library
    command = [python, str(script)] if subject.name in ("aim", "trackio") else [python, "-m", subject.library]
    _clock([*command, "--help"], folder)  # fills the caches
    _clock([python, "-c", "pass"], folder)
    bare = _clock([python, "-c", "pass"], folder)
    return {"help_ms": _clock([*command, "--help"], folder) - bare}


def distributions(subject: Subject, folder: Path, amount: int) -> Figures:
    """What is installed with it."""
    root = "drupe-kernel" if subject.name == "drupe" else subject.library
    return {"distributions": peers.distributions(subject.python, root)}


def training_loop(subject: Subject, folder: Path, amount: int) -> Figures:
    """A call for every millisecond of computing."""
    return ask("loop", subject, folder, points=amount, keys=1, work=WORK)


def tight_loop(subject: Subject, folder: Path, amount: int) -> Figures:
    """Nothing but calls, of one metric."""
    return ask("loop", subject, folder, points=amount, keys=1, work=0)


def ten_keys(subject: Subject, folder: Path, amount: int) -> Figures:
    """Nothing but calls, of ten metrics in turn."""
    return ask("loop", subject, folder, points=amount, keys=10, work=0)


def start_end(subject: Subject, folder: Path, amount: int) -> Figures:
    """Runs that log nothing."""
    return ask("start_end", subject, folder, runs=amount)


def ingest(subject: Subject, folder: Path, amount: int) -> Figures:
    """From the first call of one process until another, which was waiting, has read every point; and the disk that they take."""
    ask("write", subject, folder, points=0)  # what a store takes by itself
    empty = _disk(folder)
    with Job("read", subject, folder) as reader, Job("write", subject, folder, points=amount) as writer:
        reader.hear()
        writer.hear()
        written = writer.hear()
        reader.tell(written["run"])
        read = reader.hear()
        writer.wait()
        reader.wait()
    _check(
        read["points"] == amount and not read["wrong"],
        f"{subject.name}: {read['points']} of {amount} points were read, {read['wrong']} wrong",
    )
    took = read["at"] - written["began"]
    return {
        "seconds_per_100k": took * 100_000 / amount,
        "logged_s": written["logged"] - written["began"],
        "read_s": read["at"] - written["ended"],
        "bytes_per_point": (_disk(folder) - empty) / amount,
    }


def kill(subject: Subject, folder: Path, amount: int) -> Figures:
    """`kill -9` right after the last call has returned, then what a fresh process finds."""
    with Job("write", subject, folder, points=amount, kill=True) as writer:
        run = writer.hear()["run"]
        acknowledged = writer.hear()["acknowledged"]
        writer.wait()
    return {"kept_percent": 100 * _found(subject, folder, run)["different"] / acknowledged}


def memory(subject: Subject, folder: Path, amount: int) -> Figures:
    """The highest memory of the process and its children over that after the first thousand points."""
    with Job("write", subject, folder, points=amount, watch_memory=True) as writer:
        writer.hear()
        written = writer.hear()
        writer.wait()
    return {"added_mb": written["added_mb"], "seconds": written["ended"] - written["began"]}


def history(subject: Subject, folder: Path, amount: int) -> Figures:
    """One long series, read whole as the library's own values."""
    found = ask("series", subject, folder, series=1, points=amount, times=3, buckets=0)
    _check(found["points"] == found["columns"] == amount, f"{subject.name}: {found['points']} of {amount} points were read")
    return {"history_ms": found["history_ms"], "columns_ms": found["columns_ms"]}


def chart(subject: Subject, folder: Path, amount: int) -> Figures:
    """20 series, thinned to what a chart can show."""
    found = ask("series", subject, folder, series=20, points=amount, times=3, buckets=320)
    _check(found["drawn"] > 0, f"{subject.name}: nothing to draw was read")
    return {"chart_ms": found["chart_ms"], "drawn": found["drawn"]}


def search(subject: Subject, folder: Path, amount: int) -> Figures:
    """A population of so many runs, made once, and what people ask of it."""
    experiment, marker = "0", folder / "experiment"
    if marker.exists():
        experiment = marker.read_text()
    elif subject.name == "drupe":
        experiment = population.build(folder / "drupe.db", amount)
    else:
        ask("write", subject, folder, points=1)
        population_mlflow.load(folder / "mlflow.db", amount)
    marker.write_text(experiment)
    found = ask("search", subject, folder, experiment=experiment, times=5)
    _check(min(found["first"], 1000) == min(1000, amount - amount // 100), f"{subject.name}: {found['first']} runs were found")
    return found


def outage(subject: Subject, folder: Path, amount: int) -> Figures:
    """So many seconds without the store, with normal times before and after; what that costs, and what is there in the end."""
    calls, stop = folder / "calls.json", folder / "stop"
    stop.unlink(missing_ok=True)
    normal = min(NORMAL_S, amount)
    with _breakable(subject, folder) as (env, broken):
        with Job("outage", subject, folder, env=env, pause_s=PAUSE_S, calls=str(calls)) as training:
            run = training.hear()["run"]
            time.sleep(normal)
            began = time.monotonic()
            with broken():
                time.sleep(amount)
            ended = time.monotonic()
            time.sleep(normal)
            stop.touch()
            training.hear()
            told = training.hear()
            training.wait()
        found = _found(subject, folder, run, env=env)
    return {**_slowdown(_read_calls(calls), began, ended), **_losses(found, told)}


def _slowdown(times: list[tuple[float, float]], began: float, ended: float) -> Figures:
    """How much less was computed in a second of the outage than before it, taken from the time that calls leave for it; and the longest call."""
    before, during = _busy(times, times[0][0], began), _busy(times, began, ended)
    return {"slower_percent": 100 * max(0.0, 1 - (1 - during) / (1 - before)), "longest_s": max(took for _, took in times)}


def _busy(times: list[tuple[float, float]], start: float, end: float) -> float:
    return sum(max(0.0, min(at + took, end) - max(at, start)) for at, took in times) / (end - start)


def _losses(found: dict[str, Any], told: dict[str, Any]) -> Figures:
    return {
        "lost": max(0, told["acknowledged"] - found["different"]),
        "twice": found["points"] - found["different"],
        "raised": float(bool(told["raised"])),
    }


def _read_calls(file: Path) -> list[tuple[float, float]]:
    return [(at, took) for at, took in json.loads(file.read_text())]


@contextmanager
def _breakable(subject: Subject, folder: Path) -> Iterator[tuple[dict[str, str], Callable[[], Any]]]:
    """The environment in which a subject's store is there, and a block in which it is not."""
    if subject.library == "mlflow":
        with _Server(subject, folder) as server:
            yield {"BENCH_SERVER": server.address}, server.away
    else:
        files = {"drupe": "drupe.db", "trackio": "bench.db"}
        yield {}, lambda: _locked(folder / files[subject.name])


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Another process holds the only right to write for longer than anybody waits."""
    connection = sqlite3.connect(file, timeout=30, isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


class _Server:
    """MLflow's server on a SQLite file, which can be killed and started again."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._subject, self._folder = subject, folder
        self.address = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> _Server:
        self._start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._kill()

    @contextmanager
    def away(self) -> Iterator[None]:
        self._kill()
        yield
        self._start()

    def _start(self) -> None:
        command = [str(self._subject.python), "-m", "mlflow", "server", "--port", str(self._port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self._folder}/server.db"]
        with (self._folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder, env=environ(self._folder), start_new_session=True
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("MLflow's server did not start in 120 s")

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _found(subject: Subject, folder: Path, run: str, env: dict[str, str] | None = None) -> dict[str, Any]:
    with Job("read", subject, folder, env=env) as reader:
        reader.hear()
        reader.tell(run)
        return reader.hear()


def _with_plugins(folder: Path) -> Path:
    return folder / "bin" / "python" if folder.exists() else environment(folder, PLUGINS)


def _clock(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, env=environ(folder))
    return (time.perf_counter() - began) * 1000


def _disk(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)
