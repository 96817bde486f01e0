"""SHAP, where it is installed: put beside this environment for one process, since importing it costs seconds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PARTS = ("shap>=0.46,<0.55", "numba", "llvmlite", "slicer", "tqdm")
SCRIPT = """
import json
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
import drupe

x, y = load_iris(return_X_y=True, as_frame=True)
x.columns = ["a", "b", "c", "d"]
told = {}

def judge(name, model, targets, model_type, **config):
    result = drupe.evaluate(model, x, targets=targets, evaluators="shap", model_type=model_type, evaluator_config=config, log_results=False)
    table = result.tables.get("shap_feature_importance_data")
    told[name] = {
        "artifacts": sorted(result.artifacts),
        "failures": result.failures,
        "first": None if table is None else table.feature[0],
        "sum": None if "shap_beeswarm_data" not in result.artifacts else result.tables["shap_beeswarm_data"].sum(axis=1).tolist(),
    }

forest = RandomForestClassifier(8, random_state=0, max_depth=3)
line = LinearRegression().fit(x, x.c * 2 + x.a)
judge("two", forest.fit(x, y == 2), y == 2, "classifier")
judge("line", line, x.c * 2 + x.a, "regressor")
told["line"]["expected"] = (line.predict(x) - line.predict(x).mean()).tolist()
judge("function", lambda rows: rows["d"] * 3.0, y * 1.0, "regressor", explainability_nsamples=5)
x["text"] = "no number"
judge("text", lambda rows: rows["d"], y * 1.0, "regressor")
print(json.dumps(told))
"""


@pytest.mark.slow
def test_the_columns_that_matter_are_found(tmp_path: Path, workspace: Path) -> None:
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    if uv is None:
        pytest.skip("uv is not installed, so SHAP cannot be put beside this environment")
    environ = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_FIND_LINKS": os.environ.get("PIP_FIND_LINKS", "")}
    beside = tmp_path / "beside"
    command = [uv, "pip", "install", "-q", "-p", sys.executable, "--no-deps", "--target", str(beside), *PARTS]
    installed = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    if installed.returncode:
        reason = f"shap could not be installed: {installed.stderr.strip()[-400:]}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env={**environ, "PYTHONPATH": str(beside)}, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    pictures = ["shap_beeswarm_data", "shap_beeswarm_plot", "shap_feature_importance_data", "shap_feature_importance_plot"]
    assert told["two"]["artifacts"] == pictures
    assert told["two"]["first"] in ("c", "d")
    assert told["line"]["first"] == "c"
    # of a linear model the values of a row add up to how far its prediction is from the mean (of the rows it is compared with)
    apart = [sum_ - expected for sum_, expected in zip(told["line"]["sum"], told["line"]["expected"], strict=True)]
    assert max(apart) - min(apart) < 1e-6
    assert (told["function"]["first"], told["function"]["failures"]) == ("d", {})
    assert told["text"]["artifacts"] == []
    assert "text is none" in told["text"]["failures"]["shap"]
