"""`python` and `drupe` for tests that start many programs: forked by a process that has imported the slow modules, see `nest` and `shim`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["LEARNING", "NUMBERS", "WarmPython", "warm_python"]

HERE = Path(__file__).parent
NUMBERS = ("pandas", "scipy.optimize", "scipy.sparse.linalg", "scipy.stats")
"""Where most of the time goes that importing scikit-learn, XGBoost or statsmodels takes."""
LEARNING = (
    *NUMBERS,
    *("sklearn.datasets", "sklearn.ensemble", "sklearn.linear_model", "sklearn.model_selection", "sklearn.pipeline"),
    str(HERE.parents[1] / "plugins/flavor_sklearn/drupe_flavor_sklearn/skops_alone.py"),  # by its path: its package imports drupe first
)
SHIM = """#!{python} -IS
import sys
sys.path.append({here!r})
from shim import main
main({nest!r}, {name!r}, sys.argv[1:])
"""
WAIT_S = 60


class WarmPython:
    """`python` is in the place of `sys.executable`; `on_path` of an environment finds it, and `drupe`, by name."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.python = folder, str(folder / "python")

    def on_path(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The same environment with the folder first on its PATH."""
        return {**environ, "PATH": f"{self.folder}{os.pathsep}{environ.get('PATH', os.defpath)}"}


@contextmanager
def warm_python(*more: str) -> Iterator[WarmPython]:
    """Started, and ended with the block; a session needs one. `more` are modules to import before, or files to run."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_"))}
    with tempfile.TemporaryDirectory(prefix="drupe-warm-") as folder:
        nest = str(Path(folder, "nest"))
        for name in ("python", "python3", "drupe"):
            script = Path(folder, name)
            script.write_text(SHIM.format(python=sys.executable, here=str(HERE), nest=nest, name=name))
            script.chmod(0o755)
        with subprocess.Popen(
            [sys.executable, str(HERE / "nest.py"), nest, *more], cwd=folder, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield WarmPython(Path(folder))
            process.stdin.close()
            process.wait(WAIT_S)
