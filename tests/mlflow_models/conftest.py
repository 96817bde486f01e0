"""Real MLflow, each release in an environment of its own that has no drupe, made once per test run.

`mlflow-skinny` is MLflow's own distribution of the same code without the server's dependencies.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

RELEASES = {"3.17.2": f"pandas=={version('pandas')}", "2.22.5": "pandas<3"}
_SAME = [
    f"{name}=={version(name)}" for name in ("numpy", "scipy", "scikit-learn", "skops", "cloudpickle", "matplotlib", "pillow", "psutil")
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", params=list(RELEASES))
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def mlflow_python(release: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with this release of MLflow, made once for all workers."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        pytest.skip("uv is not installed, so no environment for mlflow can be made")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of all workers of this run
    folder = shared / f"mlflow {release}"
    environ = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")}
    python = folder / "bin" / "python"
    needed = [f"mlflow-skinny=={release}", RELEASES[release], *_SAME]
    with (shared / f"mlflow {release}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "ready").exists():
            return python
        for command in ([uv, "venv", "-q", "-p", sys.executable, str(folder)], [uv, "pip", "install", "-q", "-p", str(python), *needed]):
            done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
            if done.returncode:
                reason = f"mlflow {release} could not be installed: {done.stderr.strip()[-400:]}"
                if os.environ.get("CI"):
                    pytest.fail(reason)
                pytest.skip(reason)
        (folder / "ready").touch()
    return python


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
