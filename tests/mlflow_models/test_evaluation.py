"""Evaluation says what MLflow's says: the same numbers for the same names, files under the same names, results that both read.

Where it does not, `DIFFERENT` names the metric; the reasons stand in docs/explanation/decisions/0037.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import drupe
from drupe.evaluation import EvaluationResult

Ask = Callable[[str, Any], Any]
# MLflow 2 counts, and looks at the probabilities of, the greater class whichever one is said to be positive; MLflow 3 does as we do
COUNTS = {"true_negatives", "true_positives", "false_negatives", "false_positives"}
DIFFERENT = {("2.22.5", "lesser class positive"): {"precision_recall_auc", *COUNTS}}


def share_of_hits(predictions: Any, targets: Any, metrics: Any) -> float:
    return float((predictions == targets).mean()) + float(metrics["example_count"].aggregate_results["example_count"])


def data(classes: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.normal(size=120).round(3), "b": rng.normal(size=120).round(3)})
    score = frame.a + rng.normal(size=120) * 0.7
    return frame.assign(y=np.digitize(score, np.linspace(-0.6, 0.6, classes - 1)) if classes else score.round(3))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Models that were saved here, with the data and the settings to judge them by."""
    place = tmp_path_factory.mktemp("judged")
    found: list[dict[str, Any]] = []

    def add(name: str, frame: pd.DataFrame, model: Any, model_type: str, **config: Any) -> None:
        folder = None
        if model is not None:
            folder = str(place / name.replace(" ", "-"))
            model.fit(frame[["a", "b"]], frame.y)
            drupe.sklearn.save_model(model, folder, serialization_format="cloudpickle", input_example=frame[["a", "b"]].head(2))
        told = {"name": name, "folder": folder, "data": frame.to_dict(orient="list"), "model_type": model_type, "config": config}
        found.append({**told, "save_to": str(place / "mlflows-result") if name == "binary weighted" else None})

    two, three, numbers = data(2), data(3), data(0)
    weights = np.linspace(0.5, 2, 120).round(3).tolist()
    named = three.assign(y=np.array(["low", "middle", "high"])[three.y])
    add("binary weighted", two, LogisticRegression(), "classifier", sample_weights=weights)
    add("lesser class positive", two, LogisticRegression(), "classifier", pos_label=0)
    add("three classes", named, LogisticRegression(), "classifier")
    add("three classes macro weighted", three, LogisticRegression(), "classifier", average="macro", sample_weights=weights)
    add("regression weighted", numbers, LinearRegression(), "regressor", sample_weights=weights)
    add("predicted numbers", numbers.assign(guess=numbers.a), None, "regressor", metric_prefix="test_")
    return found


def ours(case: dict[str, Any]) -> EvaluationResult:
    return drupe.evaluate(
        case["folder"],
        pd.DataFrame(case["data"]),
        targets="y",
        predictions=None if case["folder"] else "guess",
        model_type=case["model_type"],
        evaluators="default",
        evaluator_config={"log_model_explainability": False, **case["config"]},
        extra_metrics=[drupe.make_metric(eval_fn=share_of_hits, greater_is_better=True)],
        log_results=False,
    )


def test_metrics_of_the_same_name_are_equal_and_each_reads_what_the_other_has_saved(
    in_mlflow: Ask, release: str, cases: list[dict[str, Any]], drupe_workspace: Path, tmp_path: Path
) -> None:
    results = {case["name"]: ours(case) for case in cases}
    saved = results["binary weighted"]
    saved.save(tmp_path / "result")
    told = in_mlflow("evaluate", {"cases": cases, "read": str(tmp_path / "result")})
    for name, theirs in told["cases"].items():
        result = results[name]
        apart = {
            metric: (result.metrics.get(metric), value)
            for metric, value in theirs["metrics"].items()
            if result.metrics.get(metric) != pytest.approx(value, rel=1e-12, abs=1e-12)
        }
        assert set(apart) == DIFFERENT.get((release, name), set()), (name, apart)
        assert set(theirs["artifacts"]) <= set(result.artifacts), name
    assert told["read"]["metrics"] == saved.metrics
    assert told["read"]["kinds"]["roc_curve_data"] == "DataFrame"
    assert "Image" in told["read"]["kinds"]["roc_curve_plot"]
    theirs_saved = EvaluationResult.load(cases[0]["save_to"])
    assert theirs_saved.metrics["roc_auc"] == pytest.approx(saved.metrics["roc_auc"], rel=1e-12)
    assert theirs_saved.artifacts["confusion_matrix"].content.size[0] > 100
