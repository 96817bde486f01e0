"""Environments with real MLflow and no drupe, one for each release, made once for this folder and shared by all who need one."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["PEERS", "RELEASES", "environment", "without_settings"]

PEERS = Path(__file__).parents[2] / ".peers"
_SAME = [
    f"{name}=={version(name)}" for name in ("numpy", "scipy", "scikit-learn", "skops", "cloudpickle", "matplotlib", "pillow", "psutil")
]
# torch is large, and only where it is installed here; both sides read each other's models with one release of it
_SAME += [f"{name}=={version(name)}" for name in ("torch", "safetensors") if find_spec("torch")]
_SAME += [f"{name}=={version(name)}" for name in ("xgboost-cpu", "lightgbm", "onnx", "onnxruntime", "statsmodels")]
RELEASES = {
    "3.17.2": [f"pandas=={version('pandas')}", "psycopg[binary]", *_SAME],
    "2.22.5": ["pandas<3", "psycopg[binary]", "sqlalchemy<2.1", "setuptools<81", "starlette<1", *_SAME],
}
"""What each release is installed with: the libraries that both sides read models with are the same on both."""


def environment(release: str) -> Path:
    """The interpreter of the environment with this release, below `.peers`. Skips the test where it cannot be made, and fails it in CI."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        pytest.skip("uv is not installed, so no environment for mlflow can be made")
    PEERS.mkdir(exist_ok=True)
    folder, done = PEERS / f"mlflow-{release}", PEERS / f"mlflow-{release}.done"
    python = folder / "bin" / "python"
    wanted = "\n".join([sys.version, *RELEASES[release]])
    with (PEERS / f"mlflow-{release}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists() and done.read_text() == wanted:
            return python
        environ = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")}
        install = [uv, "pip", "install", "-q", "-p", str(python), f"mlflow=={release}", *RELEASES[release]]
        for command in ([uv, "venv", "-q", "--clear", "-p", sys.executable, str(folder)], install):
            ran = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
            if ran.returncode:
                reason = f"mlflow {release} could not be installed: {ran.stderr.strip()[-400:]}"
                if os.environ.get("CI"):
                    pytest.fail(reason)
                pytest.skip(reason)
        done.write_text(wanted)
    return python


def without_settings() -> dict[str, str]:
    """The environment variables without those that say something to MLflow, drupe or Python."""
    return {name: text for name, text in os.environ.items() if not name.startswith(("MLFLOW_", "DRUPE_", "PYTHON"))}
