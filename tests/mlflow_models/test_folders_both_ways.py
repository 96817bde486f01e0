"""Folders that drupe wrote load in MLflow, and MLflow's load here, with equal predictions; both judge input alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import drupe
from drupe.errors import SignatureMismatch
from drupe.models import ColSpec, Schema, infer_signature
from drupe.models.enforce import enforce_input

Ask = Callable[[str, Any], Any]
TABLE = pd.DataFrame({"a": [0.2, 0.8, 0.4], "b": [0.1, 0.2, 0.9]})
CLASSES = [0, 1, 0]
SCRIPT = """
import mlflow
from mlflow.models import ModelConfig, set_model

class Times(mlflow.pyfunc.PythonModel):
    by = ModelConfig(development_config={"by": 1}).get("by")

    def predict(self, context, model_input):
        return model_input["a"] * self.by

set_model(Times())
"""


def plain(values: Any) -> Any:
    if isinstance(values, pd.DataFrame):
        return {str(name): plain(column) for name, column in values.items()}
    if isinstance(values, dict):
        return {name: plain(value) for name, value in values.items()}
    if hasattr(values, "toarray"):
        values = values.toarray()
    return json.loads(json.dumps(values.tolist() if hasattr(values, "tolist") else values, default=str))


def python_model() -> Any:
    class AddN(drupe.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        def load_context(self, context: Any) -> None:
            self.n = int(Path(context.artifacts["n"]).read_text())

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return (model_input["a"] + self.n) * params["times"]

    return AddN()


def model_with_helper() -> Any:
    def uses_helper(model_input: Any) -> Any:  # inside a function, so that it is pickled whole
        import helper_of_drupe_test  # type: ignore[import-not-found]

        return model_input["a"] * helper_of_drupe_test.FACTOR

    return uses_helper


def write_ours(root: Path, release: str) -> list[str]:
    """One folder for each way to save."""
    classifier = LogisticRegression().fit(TABLE, CLASSES)
    on_arrays = LogisticRegression().fit(TABLE.to_numpy(), CLASSES)
    (root / "n.txt").write_text("5")
    (root / "script.py").write_text(SCRIPT)
    (root / "helper_of_drupe_test.py").write_text("FACTOR = 3\n")
    pickled = {"serialization_format": "cloudpickle"}
    save = drupe.save_model
    if not release.startswith("2."):  # MLflow 2 cannot read skops
        save(classifier, root / "skops", input_example=TABLE.head(2))
        save(RandomForestClassifier(3, random_state=0).fit(TABLE, CLASSES), root / "trees", input_example=TABLE.head(2))
    save(classifier, root / "pickle", input_example=TABLE.head(2), metadata={"k": [1]}, **pickled)
    save(classifier, root / "proba", input_example=TABLE.head(2), pyfunc_predict_fn="predict_proba", serialization_format="pickle")
    save(on_arrays, root / "array", input_example=TABLE.to_numpy()[:2], **pickled)
    save(on_arrays, root / "sparse", input_example=csr_matrix(TABLE.to_numpy()), **pickled)
    save(make_pipeline(FunctionTransformer(lambda x: x * 2), classifier).fit(TABLE, CLASSES), root / "lambda")
    save(python_model(), root / "class", artifacts={"n": root / "n.txt"}, input_example=(TABLE[["a"]], {"times": 2}))
    save(lambda model_input: model_input["a"] * 2, root / "function", input_example=TABLE)
    save(lambda model_input, params: model_input["a"] * params["times"], root / "params", input_example=(TABLE, {"times": 2}))
    save(lambda model_input: [len(row) for row in model_input["ids"]], root / "nested", input_example=[{"ids": [1, 2], "o": {"k": 1.5}}])
    save(model_with_helper(), root / "code", code_paths=[root / "helper_of_drupe_test.py"])
    drupe.pyfunc.save_model(root / "script", python_model=root / "script.py", model_config={"by": 4})
    return sorted(folder.name for folder in root.iterdir() if folder.is_dir())


def job(name: str) -> dict[str, Any]:
    given: Any = {column: TABLE[column].tolist() for column in TABLE}
    if name in ("array", "sparse"):
        given = TABLE.to_numpy().tolist()
    if name == "nested":
        given = [{"ids": [1, 2, 3], "o": {"k": 2.5}}]
    return {
        "name": name,
        "given": given,
        "kind": name if name in ("array", "sparse") else "table",
        "params": {"times": 3} if name in ("class", "params") else None,
        "has_example": name not in ("lambda", "code", "script"),
        "is_python": name in ("class", "function", "params", "nested", "code", "script"),
    }


@pytest.fixture(scope="session")
def ours(release: str, in_mlflow: Ask, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], dict[str, Any], Path]]:
    """(job, MLflow's answer, folder) by name."""
    root = tmp_path_factory.mktemp("ours")
    jobs = [job(name) for name in write_ours(root, release)]
    answers = in_mlflow("load", [{**each, "folder": str(root / each["name"])} for each in jobs])
    return {each["name"]: (each, answers[each["name"]], root / each["name"]) for each in jobs}


OURS = ["skops", "trees", "pickle", "proba", "array", "sparse", "lambda", "class", "function", "params", "nested", "code", "script"]


@pytest.mark.filterwarnings("ignore:the model does not take")  # MLflow leaves columns out without a word
@pytest.mark.parametrize("name", OURS)
def test_a_folder_of_ours_predicts_the_same_in_mlflow_without_drupe(name: str, release: str, ours: Any) -> None:
    if name in ("skops", "trees") and release.startswith("2."):
        pytest.skip("MLflow 2 cannot read skops")
    each, answer, folder = ours[name]
    model = drupe.load_model(folder)
    given = {"table": pd.DataFrame, "array": np.array, "sparse": csr_matrix}[each["kind"]](each["given"])
    assert plain(model.predict(given, each["params"])) == answer["predictions"]
    assert answer["signature"] == (None if model.signature is None else model.signature.to_dict())
    assert answer["flavors"] == sorted(model.metadata.flavors)
    assert answer["example"] == (plain(model.input_example) if each["has_example"] else None)
    if "sklearn" in answer["flavors"]:
        assert answer["native"] == type(model.native).__name__
    if each["is_python"]:
        assert answer["is_python_model"]


@pytest.fixture(scope="session")
def theirs(in_mlflow: Ask, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder that MLflow wrote its models below, and what it predicts with them."""
    root = tmp_path_factory.mktemp("theirs")
    return root, in_mlflow("save", str(root))


@pytest.mark.filterwarnings("ignore:the model does not take")  # MLflow leaves columns out without a word
@pytest.mark.parametrize("name", ["sklearn", "sklearn_pickle", "class", "hinted", "function", "script", "compressed"])
def test_a_folder_of_mlflow_predicts_the_same_here_without_mlflow(name: str, theirs: tuple[Path, dict[str, Any]]) -> None:
    root, answers = theirs
    model = drupe.load_model(root / name)
    moments = pd.DataFrame({"a": [1.5], "t": pd.to_datetime(["2024-05-01"]), "b": [b"x"]})
    given: Any = ["a", "b"] if name == "hinted" else moments if name == "function" else TABLE
    assert plain(model.predict(given)) == answers[name]["predictions"]
    assert plain(model.input_example) == answers[name]["example"]


CASES: list[tuple[str, list[Any], str]] = [
    (kind, values, dtype)
    for kind in ("boolean", "integer", "long", "float", "double", "string", "binary", "datetime")
    for values, dtype in [
        ([True, False], "bool"),
        ([0, 1], "int8"),
        ([0, 1], "uint8"),
        ([3, 4], "int16"),
        ([3, 4], "int32"),
        ([3, 4], "uint32"),
        ([3, 4], "int64"),
        ([0, 1], "int64"),
        ([1.0, 2.5], "float32"),
        ([1.0, 2.5], "float64"),
        ([1.0, None], "float64"),
        (["a", None], "object"),
        ([1, 2], "object"),
        ([1.5, None], "object"),
        ([True, False], "object"),
        (["2024-05-01"], "datetime64[s]"),
        (["2024-05-01"], "datetime64[ns]"),
    ]
]
DIFFERENT = {
    ("string", "[1, 2] object"): "text is text: MLflow passes any object on for a string column",
    ("string", "[1.5, None] object"): "as above",
    ("string", "[True, False] object"): "as above",
    ("boolean", "['a', None] object"): "MLflow passes any object on for a boolean column",
    ("datetime", "[1, 2] object"): "numbers are not times",
    ("float", "[0, 1] int8"): "small integers lose nothing as floats",
    ("float", "[0, 1] uint8"): "as above",
}
"""Where drupe judges otherwise on purpose, and why; none is stricter for data of the right type."""


COLUMNS = list(dict.fromkeys((json.dumps(values), dtype) for _, values, dtype in CASES))


@pytest.fixture(scope="session")
def judged(in_mlflow: Ask) -> tuple[list[Any], list[Any]]:
    """What MLflow makes of CASES, and infers from COLUMNS."""
    accepted, inferred = in_mlflow("judge", [CASES, [(json.loads(values), dtype) for values, dtype in COLUMNS]])
    return accepted, inferred


def test_columns_are_accepted_and_refused_as_mlflow_does(judged: tuple[list[Any], list[Any]]) -> None:
    differences = {}
    for (kind, values, dtype), expected in zip(CASES, judged[0], strict=True):
        frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
        try:
            found: str | None = str(enforce_input(frame, Schema([ColSpec(kind, "x")]))["x"].dtype)
        except SignatureMismatch:
            found = None
        if (found is None) != (expected is None) or (found != expected and np.dtype(str(found)) != np.dtype(str(expected))):
            differences[kind, f"{values} {dtype}"] = (found, expected)
    assert {key: value for key, value in differences.items() if key not in DIFFERENT} == {}


def test_columns_are_inferred_as_mlflow_does(judged: tuple[list[Any], list[Any]]) -> None:
    found = []
    for values, dtype in COLUMNS:
        inputs = infer_signature(pd.DataFrame({"x": pd.Series(json.loads(values), dtype=dtype)})).inputs
        assert inputs is not None
        found.append(inputs.to_json())
    assert dict(zip(COLUMNS, found, strict=True)) == dict(zip(COLUMNS, judged[1], strict=True))
