"""What one row costs at a scoring server, for 16 clients at once: ours next to `mlflow models serve`, in turns, medians.

    python benchmarks/models_serving.py --rounds 5 --seconds 5

`rows` returns the same figures to whoever gathers those of models.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy
import pandas
from peers import MLFLOW, install
from sklearn.linear_model import LogisticRegression
from turns import environ

import drupe
from drupe.models import infer_signature

CLIENTS = 16
START_S = 180
LOAD = Path(__file__).parent / "jobs" / "score.py"


class Row(NamedTuple):
    """The medians of one server."""

    name: str
    per_s: float
    p50_ms: float
    p99_ms: float


def make_model(folder: Path) -> Path:
    """A classifier of ten columns, which MLflow reads without drupe."""
    random = numpy.random.default_rng(7)
    table = pandas.DataFrame(random.normal(size=(500, 10)), columns=[f"x{n}" for n in range(10)])
    model = LogisticRegression().fit(table, table.sum(axis=1) > 0)
    signature = infer_signature(table, model.predict(table.head()))
    options = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}
    drupe.sklearn.save_model(model, folder / "model", signature=signature, input_example=table.head(2), **options)
    return folder / "model"


def rows(*, rounds: int = 5, seconds: float = 5.0, with_mlflow: bool = True) -> list[Row]:
    """The servers in turns, `rounds` times; ours is the first."""
    with tempfile.TemporaryDirectory(prefix="drupe-serving-") as place, ExitStack() as stack:
        folder = make_model(Path(place))
        servers = {f"drupe {drupe.__version__}": _drupe(folder)}
        if with_mlflow and (pythons := install([MLFLOW])):
            servers[MLFLOW.name] = _mlflow(pythons[MLFLOW], folder)
        ports = {name: stack.enter_context(_running(command, Path(place))) for name, command in servers.items()}
        told: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
        for port in ports.values():
            _load(port, 1.0)  # what is loaded late is loaded now
        for _ in range(rounds):
            for name, port in ports.items():
                told[name].append(_load(port, seconds))
    return [Row(name, *(median(one[key] for one in ones) for key in ("per_s", "p50_ms", "p99_ms"))) for name, ones in told.items()]


def _drupe(folder: Path) -> list[str]:
    return [sys.executable, "-m", "drupe_serving", "--model", str(folder), "--port"]


def _mlflow(python: Path, folder: Path) -> list[str]:
    return [str(python), "-m", "mlflow", "models", "serve", "--env-manager", "local", "-m", str(folder), "-p"]


@contextmanager
def _running(command: Sequence[str], place: Path) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])  # where MLflow finds its own uvicorn
    process = subprocess.Popen(
        [*command, str(port)],
        cwd=place,
        env=environ(place, PATH=path, DRUPE_MODELS_TRUST="everybody"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + START_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{' '.join(command)} did not start")
            time.sleep(0.05)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def _load(port: int, seconds: float) -> dict[str, float]:
    command = [sys.executable, str(LOAD), "127.0.0.1", str(port), "/invocations", str(CLIENTS), str(seconds)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--skip-mlflow", action="store_true")
    given = parser.parse_args()
    found = rows(rounds=given.rounds, seconds=given.seconds, with_mlflow=not given.skip_mlflow)
    print("| server | requests/s | p50 ms | p99 ms |\n|---|---|---|---|")
    for row in found:
        print(f"| {row.name} | {row.per_s:.0f} | {row.p50_ms:.1f} | {row.p99_ms:.1f} |")
    if len(found) > 1:
        ours, theirs = found[:2]
        print(f"\n{ours.per_s / theirs.per_s:.1f} × the requests a second, p99 {ours.p99_ms / theirs.p99_ms:.2f} ×")


if __name__ == "__main__":
    main()
