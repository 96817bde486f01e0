"""Real MLflow, each release in an environment of its own that has no drupe; its server, and a PostgreSQL for it, on 127.0.0.1."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

RELEASES = {"3.17.2": ["psycopg[binary]"], "2.22.5": ["sqlalchemy<2.1", "setuptools<81"]}
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
STARTUP_S = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Mlflow:
    """An environment with one release of MLflow, and a working folder in which its servers and scripts run."""

    def __init__(self, release: str, folder: Path) -> None:
        self.release, self.folder = release, folder
        self._bin = folder / "env" / "bin"
        uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
        if uv is None:
            pytest.skip("uv is not installed, so no environment for mlflow can be made")
        environ = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")}
        needed = [f"mlflow=={release}", *RELEASES[release]]
        for command in (
            [uv, "venv", "-q", "-p", sys.executable, str(folder / "env")],
            [uv, "pip", "install", "-q", "-p", str(self._bin / "python"), *needed],
        ):
            done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
            if done.returncode:
                reason = f"mlflow {release} could not be installed: {done.stderr.strip()[-400:]}"
                if os.environ.get("CI"):
                    pytest.fail(reason)
                pytest.skip(reason)
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DRUPE_", "PYTHON"))}
        self._environ["PATH"] = f"{self._bin}{os.pathsep}{self._environ['PATH']}"

    def ask(self, job: str, address: str) -> Any:
        """Do a job of `inside_mlflow.py` at an address; what the store holds then."""
        script = Path(__file__).with_name("inside_mlflow.py")
        done = subprocess.run(
            [str(self._bin / "python"), "-W", "ignore", str(script), job, address],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self._environ,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.rpartition("\n===\n")[2])

    @contextmanager
    def serving(self) -> Iterator[str]:
        """The address of a server on a SQLite database in the working folder, which serves artifacts too."""
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        command = [str(self._bin / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
        with (self.folder / "server.log").open("w") as log:
            server = subprocess.Popen(
                [*command, "--backend-store-uri", "sqlite:///mlflow.db"],
                cwd=self.folder,
                env=self._environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                _wait_until_it_answers(server, f"{address}/health", self.folder / "server.log")
                yield address
            finally:
                os.killpg(server.pid, 15)
                server.wait(timeout=30)


def _wait_until_it_answers(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    end = time.monotonic() + STARTUP_S
    while server.poll() is None and time.monotonic() < end:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)  # nothing else tells that it listens
    pytest.fail(f"the server of mlflow did not start: {log.read_text()[-1000:]}")


@pytest.fixture(scope="session")
def mlflow_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Mlflow]:
    """A function that gives the environment of a release, made once."""
    made: dict[str, Mlflow] = {}

    def of(release: str) -> Mlflow:
        if release not in made:
            made[release] = Mlflow(release, tmp_path_factory.mktemp(f"mlflow-{release}"))
        return made[release]

    return of


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
