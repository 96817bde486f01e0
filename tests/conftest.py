"""What all of these tests share: real MLflow, one process for each release and test run, and a PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real_mlflow.process import RealMlflow, real_mlflows

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="session")
def mlflow_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], RealMlflow]]:
    """A function that gives the process of a release."""
    with real_mlflows(tmp_path_factory) as of:
        yield of


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """`127.0.0.1:port` of a PostgreSQL that lets user postgres in."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    port, folder = _free_port(), Path(tempfile.mkdtemp(prefix="drupe-pg-", dir="/tmp"))
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


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
