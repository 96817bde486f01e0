"""Jobs for real MLflow, each release in an environment of its own that has no drupe."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.testing.plugin import drupe_workspace
from tests.real_mlflow.environments import RELEASES, environment

__all__ = ["drupe_workspace"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _trust_what_mlflow_wrote(drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folders have pickles that nobody here has made."""
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "everybody")


@pytest.fixture(scope="session", params=list(RELEASES))
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def mlflow_python(release: str) -> Path:
    """The interpreter of an environment with this release of MLflow."""
    return environment(release)


@pytest.fixture(scope="session")
def in_mlflow(mlflow_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Any], Any]:
    """A function (job, argument) that does a job of `inside_mlflow.py` there and returns its result; both pass as JSON."""
    work = tmp_path_factory.mktemp("inside")

    def ask(job: str, argument: Any) -> Any:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DRUPE_", "PYTHON"))}
        script = Path(__file__).with_name("inside_mlflow.py")
        done = subprocess.run(
            [str(mlflow_python), "-W", "ignore", str(script), job],
            input=json.dumps(argument),
            capture_output=True,
            text=True,
            cwd=work,
            env=environ,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout.rpartition("\n===\n")[2])

    return ask
