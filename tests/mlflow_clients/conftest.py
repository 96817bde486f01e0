"""MLflow's own clients, of two releases, against servers of ours in processes of their own: one on SQLite, one on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.mlflow_models.conftest import mlflow_python, release
from tests.real_mlflow.environments import without_settings

__all__ = ["mlflow_python", "release"]

WAIT_S = 60
FLOWS = Path(__file__).with_name("flows.py")
STORES = ("sqlite", "postgresql")


@contextmanager
def serving(folder: Path, store: str) -> Iterator[str]:
    command = [sys.executable, "-m", "drupe", "server", "--port", "0", "--store", store, "--artifacts", (folder / "artifacts").as_uri()]
    with subprocess.Popen(command, cwd=folder, env=without_settings(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield next(line.split()[1] for line in process.stdout if line.strip().startswith("at "))
        process.terminate()
        assert process.wait(WAIT_S) == 0


@pytest.fixture(scope="session")
def server_on(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A function that gives the address of a running server on a store of that kind."""
    running: dict[str, str] = {}
    with ExitStack() as stack:

        def on(kind: str) -> str:
            if kind not in running:
                folder = tmp_path_factory.mktemp(f"served-{kind}")
                if kind == "sqlite":
                    store = f"sqlite:///{folder}/served.db"
                else:
                    postgres = request.getfixturevalue("postgres_server")
                    store = postgres.address(postgres.new_database())
                running[kind] = stack.enter_context(serving(folder, store))
            return running[kind]

        yield on


@pytest.fixture
def server(server_on: Callable[[str], str]) -> str:
    """The address of the server on SQLite."""
    return server_on("sqlite")
