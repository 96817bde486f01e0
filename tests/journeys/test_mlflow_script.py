"""An ordinary MLflow training script runs with one changed line, `import drupe as mlflow`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import drupe

SCRIPT = """
import drupe as mlflow
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

mlflow.set_tracking_uri("sqlite:///ml.db")
mlflow.set_experiment("iris")
X, y = load_iris(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

with mlflow.start_run(run_name="forest") as run:
    params = {"n_estimators": 10, "max_depth": 3}
    mlflow.log_params(params)
    clf = RandomForestClassifier(**params, random_state=0).fit(X_train, y_train)
    accuracy = accuracy_score(y_test, clf.predict(X_test))
    mlflow.log_metric("accuracy", accuracy)
    mlflow.set_tags({"release": "1", "mlflow.note.content": "a note"})
    with open("report.txt", "w") as report:
        report.write("fine")
    mlflow.log_artifact("report.txt", artifact_path="reports")
    info = mlflow.sklearn.log_model(
        sk_model=clf,
        artifact_path="model",
        signature=mlflow.models.infer_signature(X_train, clf.predict(X_train)),
        input_example=X_train.iloc[:2],
        registered_model_name="iris-forest",
    )

native = mlflow.sklearn.load_model(info.model_uri)
generic = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
assert list(native.predict(X_test)) == list(generic.predict(X_test))

client = mlflow.MlflowClient()
client.set_registered_model_alias("iris-forest", "champion", 1)
client.transition_model_version_stage("iris-forest", 1, "Production")
for address in ("models:/iris-forest@champion", "models:/iris-forest/1", "models:/iris-forest/Production", "models:/iris-forest/latest"):
    assert list(mlflow.pyfunc.load_model(address).predict(X_test)) == list(native.predict(X_test))

with mlflow.start_run(run_name="sweep"):
    for depth in (1, 2):
        with mlflow.start_run(nested=True):
            mlflow.log_param("depth", depth)
            for step in range(3):
                mlflow.log_metric("loss", 1 / (depth + step), step=step)

frame = mlflow.search_runs(filter_string="params.depth = '2'", order_by=["metrics.loss ASC"])
assert len(frame) == 1 and frame["metrics.loss"][0] == 0.25
runs = client.search_runs(["1"], filter_string="attributes.status = 'FINISHED' and metrics.accuracy > 0.5")
assert [r.info.run_name for r in runs] == ["forest"]
assert [a.path for a in client.list_artifacts(run.info.run_id)] == ["environment", "model", "reports"]


class AddN(mlflow.pyfunc.PythonModel):
    def __init__(self, n):
        self.n = n

    def predict(self, context, model_input, params=None):
        return model_input.apply(lambda column: column + self.n)


mlflow.pyfunc.save_model(path="add_n", python_model=AddN(5))
loaded = mlflow.pyfunc.load_model("add_n")
assert loaded.predict(pd.DataFrame({"a": [1, 2]}))["a"].tolist() == [6, 7]
print("all fine", run.info.run_id)
"""


@pytest.mark.slow
def test_an_mlflow_script_runs_with_one_changed_line(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DRUPE_", "MLFLOW_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "train.py"],
        cwd=tmp_path,
        env={**environment, "XDG_CONFIG_HOME": str(tmp_path / "config")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    run_id = done.stdout.split()[-1]
    run = drupe.Client(f"sqlite:///{tmp_path}/ml.db").get_run(run_id)
    assert run.data.params == {"n_estimators": "10", "max_depth": "3"}
    assert run.data.tags["mlflow.source.name"].endswith("train.py")
