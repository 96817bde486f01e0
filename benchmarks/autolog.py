"""What autologging adds to a small fit: `LogisticRegression().fit(X, y)` on 200 rows, with everything logged, and without the model.

    python benchmarks/autolog.py [--fits 7] [--mlflow PYTHON]

`PYTHON` is an interpreter that has mlflow, scikit-learn and matplotlib installed; the same is then measured there, turn by turn, on a SQLite
store too. CPU time says more than wall time on a busy machine. Libraries compute with one thread, so that a fit costs what it costs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

MEASURE = """
import json, logging, os, sys, time, warnings
warnings.simplefilter("ignore")
import numpy
from sklearn.linear_model import LogisticRegression

X = numpy.random.default_rng(0).random((200, 5))
y = (X[:, 0] > 0.5).astype(int)


def times(count):
    found = []
    for _ in range(count):
        wall, cpu = time.perf_counter(), time.process_time()
        LogisticRegression().fit(X, y)
        found.append([time.perf_counter() - wall, time.process_time() - cpu])
    return found


tool, fits = __import__(sys.argv[1]), int(sys.argv[2])
logging.disable(logging.WARNING)
tool.set_tracking_uri("sqlite:///runs.db")
tool.set_experiment("autolog")
times(1)
result = {"bare": times(fits)}
wall = time.perf_counter()
tool.sklearn.autolog()
result["autolog() itself"] = [[time.perf_counter() - wall, 0.0]]
times(1)
result["all"] = times(fits)
tool.sklearn.autolog(log_models=False)
times(1)
result["without the model"] = times(fits)
print("\\n" + json.dumps(result))
"""


def measured(python: str, tool: str, fits: int) -> dict[str, list[list[float]]]:
    """The times of one process, as (wall, CPU) in seconds."""
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([python, "-c", MEASURE, tool, str(fits)], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    found: dict[str, list[list[float]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=7)
    parser.add_argument("--mlflow", metavar="PYTHON")
    options = parser.parse_args()
    subjects = {"drupe": sys.executable} | ({"mlflow": options.mlflow} if options.mlflow else {})
    medians: dict[str, dict[str, tuple[float, float]]] = {}
    for tool, python in subjects.items():
        found = measured(python, tool, options.fits)
        medians[tool] = {what: tuple(statistics.median(pair[k] for pair in rows) for k in (0, 1)) for what, rows in found.items()}  # type: ignore[misc]
    for what in medians["drupe"]:
        texts = [
            f"{tool} {wall * 1000:8.1f} ms wall {cpu * 1000:8.1f} ms CPU" for tool, (wall, cpu) in ((t, medians[t][what]) for t in subjects)
        ]
        ratio = f"   ratio {medians['mlflow'][what][0] / medians['drupe'][what][0]:.1f} wall" if "mlflow" in medians else ""
        print(f"{what:20} {'   '.join(texts)}{ratio}")


if __name__ == "__main__":
    main()
