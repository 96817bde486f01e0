"""MLflow's own clients, of two releases, against a server of ours in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.mlflow_models.conftest import mlflow_python, release

__all__ = ["mlflow_python", "release"]

WAIT_S = 60
FLOWS = Path(__file__).with_name("flows.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


def _without_settings() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith(("MLFLOW_", "DRUPE_", "PYTHON"))}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running server."""
    folder = tmp_path_factory.mktemp("served")
    with subprocess.Popen(
        [sys.executable, "-m", "drupe", "server", "--port", "0"], cwd=folder, env=_without_settings(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield next(line.split()[1] for line in process.stdout if line.strip().startswith("at "))
        process.terminate()
        assert process.wait(WAIT_S) == 0


@pytest.fixture
def flow(mlflow_python: Path, server: str, tmp_path: Path) -> Callable[[str], None]:
    """A function that runs one of the flows of `flows.py` there."""

    def run(name: str) -> None:
        environ = {
            **_without_settings(),
            "MLFLOW_TRACKING_URI": server,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "MPLBACKEND": "agg",
            "HOME": str(tmp_path),
        }
        done = subprocess.run(
            [str(mlflow_python), "-W", "ignore", str(FLOWS), name], capture_output=True, text=True, cwd=tmp_path, env=environ, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

    return run
