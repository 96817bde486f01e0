"""A source that real MLflow has filled, one for each release; a PostgreSQL for it; and a server of ours, all on 127.0.0.1."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
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
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
WAIT_S = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """`127.0.0.1:port` of a PostgreSQL that lets user postgres in."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="drupe-pg-", dir="/tmp"))
    as_postgres: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        as_postgres = ["runuser", "-u", "postgres", "--"]
    data, control = folder / "data", [*as_postgres, str(BINARIES[-1] / "pg_ctl"), "-D", str(folder / "data"), "-w"]
    subprocess.run(
        [*as_postgres, str(BINARIES[-1] / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    subprocess.run([*control, "-o", options, "-l", str(folder / "log"), "start"], check=True, capture_output=True, cwd="/")
    try:
        yield f"127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)
