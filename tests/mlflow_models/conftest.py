"""Jobs for real MLflow, each release in an environment of its own that has no drupe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.testing.plugin import drupe_workspace
from tests.real_mlflow.environments import RELEASES, environment
from tests.real_mlflow.process import RealMlflow

__all__ = ["drupe_workspace"]


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
def in_mlflow(release: str, mlflow_of: Callable[[str], RealMlflow]) -> Callable[..., Any]:
    """A function (job, argument) that does a job of `inside_mlflow.py`, or another `script`, there; argument and result pass as JSON."""

    def ask(job: str, argument: Any, script: str = "inside_mlflow.py") -> Any:
        return mlflow_of(release).ask_apart(Path(__file__).with_name(script), job, argument)

    return ask
