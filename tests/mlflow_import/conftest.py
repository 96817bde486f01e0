"""A source that real MLflow has filled, one for each release, and a server of ours, on 127.0.0.1."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from drupe.testing.plugin import drupe_workspace
from tests.real_mlflow.environments import without_settings
from tests.real_mlflow.process import RealMlflow

__all__ = ["drupe_workspace"]

INSIDE = Path(__file__).with_name("inside_mlflow.py")
WAIT_S = 60


@frozen
class Source:
    """A server of MLflow that was filled, its database, and what MLflow's own client reads there."""

    address: str
    database: Path
    holds: dict[str, Any]


@pytest.fixture(scope="session")
def source_of(mlflow_of: Callable[[str], RealMlflow]) -> Callable[[str], Source]:
    """A function that gives the source of a release, filled once; nobody changes it."""
    filled: dict[str, Source] = {}

    def of(release: str) -> Source:
        if release not in filled:
            mlflow = mlflow_of(release)
            folder = mlflow.folder / "source"
            folder.mkdir()
            database = folder / "mlflow.db"
            address = mlflow.serve(database, folder / "mlartifacts")
            mlflow.ask(INSIDE, "fill", address)
            filled[release] = Source(address, database, mlflow.ask(INSIDE, "describe", address))
        return filled[release]

    return of


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a server of ours on the store `here.db` in the folder."""
    command = [sys.executable, "-m", "drupe", "server", "--port", "0", "--store", f"sqlite:///{folder}/here.db"]
    with subprocess.Popen(command, cwd=folder, env=without_settings(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield next(line.split()[1] for line in process.stdout if line.strip().startswith("at "))
        process.terminate()
        assert process.wait(WAIT_S) == 0
