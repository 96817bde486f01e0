"""Runs in MLflow's environment, where there is no drupe: each function is a job, with what it is given and returns as JSON."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import mlflow
import mlflow.pyfunc
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow.models import Model, infer_signature
from mlflow.models.utils import _enforce_schema
from mlflow.types.schema import ColSpec, Schema
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

assert importlib.util.find_spec("drupe") is None
TABLE = pd.DataFrame({"a": [0.2, 0.8, 0.4], "b": [0.1, 0.2, 0.9]})


def plain(values: Any) -> Any:
    """Predictions and examples as JSON."""
    if isinstance(values, pd.DataFrame):
        return {str(name): plain(column) for name, column in values.items()}
    if isinstance(values, dict):
        return {name: plain(value) for name, value in values.items()}
    if hasattr(values, "toarray"):
        values = values.toarray()
    return json.loads(json.dumps(values.tolist() if hasattr(values, "tolist") else values, default=str))


def load(folders: list[dict[str, Any]]) -> Any:
    """Load each folder and predict for its `given`."""
    answers = {}
    for job in folders:
        model = mlflow.pyfunc.load_model(job["folder"])
        given = {"table": pd.DataFrame, "array": np.array, "sparse": csr_matrix}[job["kind"]](job["given"])
        answers[job["name"]] = {
            "predictions": plain(model.predict(given, params=job["params"])),
            "signature": None if model.metadata.signature is None else model.metadata.signature.to_dict(),
            "example": plain(Model.load(job["folder"]).load_input_example(job["folder"])) if job["has_example"] else None,
            "flavors": sorted(model.metadata.flavors),
            "native": type(mlflow.sklearn.load_model(job["folder"])).__name__ if "sklearn" in model.metadata.flavors else None,
            "is_python_model": isinstance(model.unwrap_python_model(), mlflow.pyfunc.PythonModel) if job["is_python"] else None,
        }
    return answers


class AddN(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.n = int(Path(context.artifacts["n"]).read_text())

    def predict(self, context, model_input, params=None):
        return (model_input["a"] + self.n) * (params or {}).get("times", 1)


class Hinted(mlflow.pyfunc.PythonModel):
    def predict(self, model_input: list[str], params=None) -> list[str]:
        return [text.upper() for text in model_input]


def double(model_input):
    return model_input["a"] * 2


def save(folder: str) -> Any:
    """Save models of every kind below `folder` and predict with each."""
    root = Path(folder)
    (root / "n.txt").write_text("5")
    (root / "script.py").write_text(
        "import mlflow\nfrom mlflow.models import ModelConfig, set_model\nconfig = ModelConfig(development_config={'by': 1})\n"
        "class Times(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input):\n        return model_input['a'] * config.get('by')\nset_model(Times())\n"
    )
    (root / "helper_of_mlflow_test.py").write_text("FACTOR = 3\n")
    classifier = LogisticRegression().fit(TABLE, [0, 1, 0])
    requirements = {"pip_requirements": ["pandas"]}
    moments = pd.DataFrame({"a": [1.5], "t": pd.to_datetime(["2024-05-01"]), "b": [b"x"]})
    mlflow.sklearn.save_model(classifier, root / "sklearn", input_example=TABLE.head(2), **requirements)
    pickled = {"serialization_format": "cloudpickle", "pyfunc_predict_fn": "predict_proba"}
    mlflow.sklearn.save_model(classifier, root / "sklearn_pickle", signature=infer_signature(TABLE), **pickled, **requirements)
    with_params = infer_signature(TABLE[["a"]], params={"times": 2})
    mlflow.pyfunc.save_model(
        root / "class", python_model=AddN(), artifacts={"n": str(root / "n.txt")}, signature=with_params, **requirements
    )
    mlflow.pyfunc.save_model(root / "hinted", python_model=Hinted(), **requirements)
    mlflow.pyfunc.save_model(root / "function", python_model=double, input_example=moments, **requirements)
    mlflow.pyfunc.save_model(root / "script", python_model=str(root / "script.py"), model_config={"by": 4}, **requirements)
    os.environ["MLFLOW_LOG_MODEL_COMPRESSION"] = "gzip"
    code = [str(root / "helper_of_mlflow_test.py")]
    mlflow.pyfunc.save_model(
        root / "compressed", python_model=double, input_example=np.ones((2, 2)), signature=False, code_paths=code, **requirements
    )
    answers = {}
    for name in ("sklearn", "sklearn_pickle", "class", "hinted", "function", "script", "compressed"):
        model = mlflow.pyfunc.load_model(root / name)
        given = ["a", "b"] if name == "hinted" else moments if name == "function" else TABLE
        saved = Model.load(root / name)
        answers[name] = {
            "predictions": plain(model.predict(given)),
            "example": plain(saved.load_input_example(str(root / name))) if saved.saved_input_example_info else None,
        }
    return answers


def enforce(cases: list[list[Any]]) -> list[Any]:
    """For each (type, values, dtype): the dtype after enforcement, or None when it is refused."""
    answers = []
    for kind, values, dtype in cases:
        frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
        try:
            answers.append(str(_enforce_schema(frame, Schema([ColSpec(kind, "x")]))["x"].dtype))
        except Exception:
            answers.append(None)
    return answers


def infer(cases: list[list[Any]]) -> list[Any]:
    """For each (values, dtype): the JSON of the inferred column."""
    return [infer_signature(pd.DataFrame({"x": pd.Series(values, dtype=dtype)})).inputs.to_json() for values, dtype in cases]


def share_of_hits(predictions, targets, metrics):
    return float((predictions == targets).mean()) + metrics["example_count"].aggregate_results["example_count"]


def evaluate(asked: dict[str, Any]) -> Any:
    """The metrics and artifacts of MLflow's evaluation for each case, and what it reads from the result in the folder `read`.

    A case without a folder has predictions in its data.
    """
    mlflow.set_tracking_uri(f"sqlite:///{Path('evaluate.db').absolute()}")
    mlflow.set_experiment("evaluate")  # another job of this process may have chosen one of another store
    answers = {}
    for case in asked["cases"]:
        config = {"log_model_explainability": False, **case["config"]}
        own = [mlflow.models.make_metric(eval_fn=share_of_hits, greater_is_better=True)]
        with mlflow.start_run():
            result = mlflow.models.evaluate(
                case["folder"],
                pd.DataFrame(case["data"]),
                targets="y",
                predictions=None if case["folder"] else "guess",
                model_type=case["model_type"],
                evaluators="default",
                evaluator_config=config,
                extra_metrics=own,
            )
        if case["save_to"]:
            result.save(case["save_to"])
        metrics = {name: float(value) for name, value in result.metrics.items()}
        answers[case["name"]] = {"metrics": metrics, "artifacts": sorted(result.artifacts)}
    read = mlflow.models.EvaluationResult.load(asked["read"])
    kinds = {name: type(artifact.content).__name__ for name, artifact in read.artifacts.items()}
    return {"cases": answers, "read": {"metrics": read.metrics, "kinds": kinds}}


def judge(cases: list[Any]) -> Any:
    """Both of the above."""
    return [enforce(cases[0]), infer(cases[1])]
