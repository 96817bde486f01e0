"""What an image of a scikit-learn model costs beyond its base, and how long it takes to build: ours next to `mlflow models build-docker`.

    python benchmarks/models_docker.py [--mlflow FOLDER] [--json FILE]

FOLDER is an environment with MLflow 3.17 (default: .bench/peers/mlflow-3.17.2). A Docker engine is started in a temporary folder, as the tests
do, with a base image made of this host's packages; builds use the host's network. `warm` is a second model with the same requirements.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.operate.own_engine import make_base, own_engine  # noqa: E402

BASE = "python:3.11-slim"
# Without a cache of pip, in favour of MLflow. Debian's Python is called python3 and guards its packages; the official image's is not and does not.
_LIKE_THE_OFFICIAL_BASE = f"FROM {BASE}\nENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_NO_CACHE_DIR=1\nRUN ln -sf python3 /usr/bin/python"
TRAIN = """
import sys
import numpy as np
from sklearn.linear_model import LogisticRegression
{module}
rows = np.random.default_rng(int(sys.argv[2])).random((50, 4))
{save}(LogisticRegression().fit(rows, rows[:, 0] > 0.5), {path}, input_example=rows[:2])
"""


def rows(mlflow: Path) -> list[dict[str, Any]]:
    """One row for each side that can be built here: `what`, `side`, `value`, `unit`; a side that cannot has `reason`."""
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="drupe-bench-") as place, own_engine() as environ:
        make_base(environ, BASE)
        base = _size(environ, BASE)
        for side, python, build in (("drupe", Path(sys.executable), _build_ours), ("mlflow", mlflow / "bin/python", _build_mlflow)):
            if not python.is_file():
                found.append({"what": "image size over the base", "side": side, "reason": f"there is no {python}"})
                continue
            print(f"building for {side}", file=sys.stderr)
            try:
                cold_s, warm_s = (build(_saved(side, python, Path(place), seed), python, environ, Path(place)) for seed in (1, 2))
            except subprocess.CalledProcessError as fault:
                found.append({"what": "image size over the base", "side": side, "reason": f"{fault}: {str(fault.stderr)[-600:]}"})
                continue
            size_mb = (_size(environ, f"bench-{side}") - base) / 1e6
            found += [
                {"what": "image size over the base", "side": side, "value": round(size_mb, 1), "unit": "MB"},
                {"what": "building it", "side": side, "value": round(cold_s, 1), "unit": "s"},
                {"what": "building it with a warm cache", "side": side, "value": round(warm_s, 1), "unit": "s"},
            ]
    return found


def _saved(side: str, python: Path, place: Path, seed: int) -> Path:
    folder = place / f"{side}-{seed}"
    module, save = ("import drupe", "drupe.save_model") if side == "drupe" else ("import mlflow", "mlflow.sklearn.save_model")
    code = TRAIN.format(module=module, save=save, path="sys.argv[1]")
    if side == "mlflow":
        code = code.replace(", input_example", ", serialization_format='cloudpickle', input_example")
    subprocess.run([python, "-c", code, str(folder), str(seed)], check=True, capture_output=True, text=True, cwd=place)
    return folder


def _build_ours(model: Path, python: Path, environ: Mapping[str, str], place: Path) -> float:
    command = [str(python), "-m", "drupe", "models", "build-docker", "-m", str(model), "-n", "bench-drupe", "--network", "host"]
    return _timed(command, environ, place)


def _build_mlflow(model: Path, python: Path, environ: Mapping[str, str], place: Path) -> float:
    """MLflow's own Dockerfile on the same base, which is made without apt: so without nginx, which would only make its image larger."""
    context = place / f"context-{model.name}"
    generate = [
        str(python),
        "-m",
        "mlflow",
        "models",
        "generate-dockerfile",
        "-m",
        str(model),
        "-d",
        str(context),
        "--env-manager",
        "local",
    ]
    begun = time.monotonic()
    told = {**environ, "MLFLOW_TRACKING_URI": f"sqlite:///{place}/mlflow.db"}
    subprocess.run(generate, env=told, check=True, capture_output=True, text=True, cwd=place)
    recipe = context / "Dockerfile"
    text = re.sub(r"^FROM .*", _LIKE_THE_OFFICIAL_BASE, recipe.read_text(), flags=re.MULTILINE)
    text = re.sub(r"^RUN (printf|apt-get)(.*\\\n)*.*$", "", text, flags=re.MULTILINE)
    recipe.write_text(text)
    _timed(["docker", "build", "--network", "host", "--tag", "bench-mlflow", str(context)], environ, place)
    return time.monotonic() - begun


def _timed(command: list[str], environ: Mapping[str, str], place: Path) -> float:
    begun = time.monotonic()
    subprocess.run(command, env=dict(environ), check=True, capture_output=True, text=True, cwd=place)
    return time.monotonic() - begun


def _size(environ: Mapping[str, str], tag: str) -> int:
    command = ["docker", "image", "inspect", "--format", "{{.Size}}", tag]
    return int(subprocess.run(command, env=dict(environ), check=True, capture_output=True, text=True).stdout)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlflow", type=Path, default=ROOT / ".bench/peers/mlflow-3.17.2")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = rows(options.mlflow)
    for row in found:
        told = row.get("reason") or f"{row['value']} {row['unit']}"
        print(f"{row['what']:32} {row['side']:8} {told}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DRUPE_TRACKING_URI", "sqlite:///:memory:")
    sys.exit(main())
