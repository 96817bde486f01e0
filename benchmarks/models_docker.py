"""What an image of a scikit-learn model costs beyond its base, how long it takes to build, and how soon it answers: ours next to
`mlflow models build-docker`.

    python benchmarks/models.py --only-docker [--write]
    python benchmarks/models_docker.py [--mlflow FOLDER] [--json FILE]

FOLDER is an environment with MLflow 3.17 (default: .bench/peers/mlflow-3.17.2). A Docker engine is started in a temporary folder, as the tests
do, with a base image made of this host's packages; its layers lie in memory and builds use the host's network. Each side builds three models, one
after the other, once: the first with nothing but the base there, the second with the same requirements, the third with one requirement more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.operate.own_engine import NoEngine, make_base, own_engine  # noqa: E402

BASE = "python:3.11-slim"
SIZE = "size over the base"
COLD, WARM, CHANGED = (
    "build, nothing but the base image there",
    "build of another model with the same requirements (warm)",
    "build of a model with one requirement more",
)
START = "from `docker run` to the first answer of `/ping`"
MORE = "tabulate==0.9.0"
WAIT_S = 180
_PORTS = {"drupe": 8080, "mlflow": 8000}
_ASK = """
import sys, time, urllib.request
until = time.monotonic() + float(sys.argv[2])
while True:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/ping", timeout=5).close()
        break
    except OSError:
        if time.monotonic() > until:
            raise
        time.sleep(0.02)
"""
# Without a cache of pip, in favour of MLflow. Debian's Python is called python3 and guards its packages; the official image's is not and does not.
_LIKE_THE_OFFICIAL_BASE = f"FROM {BASE}\nENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_NO_CACHE_DIR=1\nRUN ln -sf python3 /usr/bin/python"
_Build = Callable[[Path, Path, Mapping[str, str], Path], float]
TRAIN = """
import sys
import numpy as np
from sklearn.linear_model import LogisticRegression
{module}
rows = np.random.default_rng(int(sys.argv[2])).random((50, 4))
more = {{"extra_pip_requirements": sys.argv[3:]}} if sys.argv[3:] else {{}}
{save}(LogisticRegression().fit(rows, rows[:, 0] > 0.5), sys.argv[1], input_example=rows[:2], **more)
"""


def rows(mlflow: Path) -> list[dict[str, Any]]:
    """One row for each side that can be built here: `what`, `side`, `value`, `unit`; a side that cannot has `reason`."""
    found: list[dict[str, Any]] = []
    try:
        with tempfile.TemporaryDirectory(prefix="drupe-bench-") as place, own_engine() as environ:
            make_base(environ, BASE)
            for side, python, build in (("drupe", Path(sys.executable), _build_ours), ("mlflow", mlflow / "bin/python", _build_mlflow)):
                if not python.is_file():
                    found.append({"what": SIZE, "side": side, "reason": f"there is no {python}"})
                    continue
                try:
                    found += _measured(side, python, build, environ, Path(place))
                except subprocess.CalledProcessError as fault:
                    found.append({"what": SIZE, "side": side, "reason": f"{fault}: {str(fault.stderr)[-600:]}"})
    except NoEngine as fault:
        found.append({"what": SIZE, "side": "both", "reason": str(fault)})
    return found


def _measured(side: str, python: Path, build: _Build, environ: Mapping[str, str], place: Path) -> list[dict[str, Any]]:
    models = [_saved(side, python, place, 1), _saved(side, python, place, 2), _saved(side, python, place, 3, MORE)]
    found = []
    for what, model in zip((COLD, WARM, CHANGED), models, strict=True):
        print(f"{side}: {what}", file=sys.stderr)
        found.append({"what": what, "side": side, "value": round(build(model, python, environ, place), 1), "unit": "s"})
        if what == COLD:
            size_mb = (_size(environ, f"bench-{side}") - _size(environ, BASE)) / 1e6
            found.insert(0, {"what": SIZE, "side": side, "value": round(size_mb), "unit": "MB"})
    print(f"{side}: {START}", file=sys.stderr)
    return [
        *found,
        {"what": START, "side": side, "value": round(statistics.median(_started(side, environ) for _ in range(3)), 1), "unit": "s"},
    ]


def _saved(side: str, python: Path, place: Path, seed: int, *more: str) -> Path:
    folder = place / f"{side}-{seed}"
    module, save = ("import drupe", "drupe.save_model") if side == "drupe" else ("import mlflow", "mlflow.sklearn.save_model")
    code = TRAIN.format(module=module, save=save)
    if side == "mlflow":
        code = code.replace(", input_example", ", serialization_format='cloudpickle', input_example")
    environ = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{place}/mlflow.db", "DRUPE_TRACKING_URI": f"sqlite:///{place}/drupe.db"}
    command = [str(python), "-c", code, str(folder), str(seed), *more]
    subprocess.run(command, check=True, capture_output=True, text=True, cwd=place, env=environ)
    return folder


def _started(side: str, environ: Mapping[str, str]) -> float:
    """Seconds until the server in a container of the image answers, asked from inside: MLflow's listens there alone without nginx."""
    # as deployments run it, as far as MLflow's image bears it: that one writes beside its model
    rights = ["--read-only", "--tmpfs", "/tmp"] if side == "drupe" else ["--env", "DISABLE_NGINX=true"]
    begun = time.monotonic()
    container = _docker(environ, "run", "--detach", *rights, f"bench-{side}")
    try:
        _docker(environ, "exec", container, "python3", "-c", _ASK, str(_PORTS[side]), str(WAIT_S))
        return time.monotonic() - begun
    finally:
        _docker(environ, "rm", "--force", container)


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
    return int(_docker(environ, "image", "inspect", "--format", "{{.Size}}", tag))


def _docker(environ: Mapping[str, str], *command: str) -> str:
    return subprocess.run(["docker", *command], env=dict(environ), check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mlflow", type=Path, default=ROOT / ".bench/peers/mlflow-3.17.2")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = rows(options.mlflow)
    for row in found:
        told = row.get("reason") or f"{row['value']} {row['unit']}"
        print(f"{row['what']:58} {row['side']:8} {told}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DRUPE_TRACKING_URI", "sqlite:///:memory:")
    sys.exit(main())
