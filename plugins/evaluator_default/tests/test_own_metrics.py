"""What MLflow takes as metrics and artifacts of one's own, and what becomes of those that fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest

import drupe
from drupe.errors import UntrustedModel
from drupe.extend import MetricValue

Judge = Callable[..., Any]


def metric(function: Any, **more: Any) -> Any:
    return drupe.make_metric(eval_fn=function, greater_is_better=True, **more)


def test_a_function_is_given_what_its_parameters_are_named_after(judge: Judge, table: pd.DataFrame) -> None:
    def oldest(predictions: Any, targets: Any, age: Any, limit: Any, mean_error: Any, unused: int = 7) -> float:
        assert list(targets) == list(table.number)
        assert mean_error.aggregate_results["mean_error"] != 0
        return float(age.max()) + limit + unused

    def doubled(oldest: Any, metrics: Any) -> float:
        return 2 * float(oldest.aggregate_results["oldest"])

    def older_form(rows: Any, numbers: Any) -> float:
        return float((rows["prediction"] - rows["target"]).abs().mean() / numbers["mean_absolute_error"])

    def renamed(years: Any) -> float:
        return float(years.min())

    result = judge(
        "number",
        extra_metrics=[metric(doubled), metric(oldest), metric(older_form), metric(renamed, version="v1")],
        config={"limit": 1000, "col_mapping": {"years": "age"}},
    )
    assert result.failures == {}
    expected = float(table.age.max()) + 1007
    assert [result.metrics[name] for name in ("oldest", "doubled")] == [expected, 2 * expected]
    assert result.metrics["older_form"] == pytest.approx(1.0)
    assert result.metrics["renamed/v1"] == table.age.min()
    assert result.better["doubled"] is True


def test_scores_of_rows_become_a_table_and_their_aggregates_metrics(judge: Judge, table: pd.DataFrame) -> None:
    def distance(predictions: Any, targets: Any) -> MetricValue:
        return MetricValue(scores=(predictions - targets).abs().tolist(), justifications=["far"] * len(targets))

    result = judge("number", extra_metrics=[metric(distance)])
    assert result.metrics["distance/mean"] == pytest.approx(result.metrics["mean_absolute_error"])
    assert result.metrics["distance/p90"] > result.metrics["distance/mean"]
    rows = result.tables["eval_results_table"]
    assert list(rows.columns) == ["a", "b", "number", "outputs", "distance/score", "distance/justification"]
    assert len(rows) == len(table)


def test_a_metric_that_fails_names_itself_and_the_others_go_on(judge: Judge) -> None:
    def broken(predictions: Any, targets: Any) -> float:
        return 1 / 0

    def text(predictions: Any, targets: Any) -> Any:
        return "good"

    def lost(predictions: Any, wind_speed: Any) -> float:
        return 0.0

    def fine(predictions: Any, targets: Any) -> np.float64:
        return np.float64(0.25)

    result = judge("number", extra_metrics=[metric(broken), metric(text), metric(lost), metric(fine)])
    assert result.metrics["fine"] == 0.25
    assert "ZeroDivisionError" in result.failures["broken"]
    assert "a metric returns a number or a MetricValue" in result.failures["text"]
    assert "it needs wind_speed" in result.failures["lost"]


def test_a_metric_without_model_type_is_all_there_is(table: pd.DataFrame) -> None:
    def length(predictions: Any) -> float:
        return float(predictions.str.len().sum())

    data = pd.DataFrame({"text": ["a", "b"]})
    result = drupe.evaluate(lambda rows: rows["text"] * 3, data, extra_metrics=[metric(length)], log_results=False)
    assert result.metrics == {"length": 6.0}


def test_artifacts_of_every_kind_are_kept(judge: Judge, caplog: pytest.LogCaptureFixture) -> None:
    def several(rows: Any, metrics: Any, folder: str) -> dict[str, Any]:
        figure = matplotlib.figure.Figure()
        figure.add_subplot().plot([1, 2])
        Path(folder, "note.txt").write_text("hello")
        assert metrics["mean_error"] == metrics["mean_error"].aggregate_results["mean_error"]
        return {
            "figure": figure,
            "frame": rows.head(2),
            "array": np.arange(3),
            "json_text": '{"a": 1}',
            "plain": {"numbers": np.arange(2)},
            "note": str(Path(folder, "note.txt")),
            "odd": {1, 2},
        }

    def nothing(rows: Any, metrics: Any, folder: str) -> None:
        return None

    def bad(rows: Any, metrics: Any, folder: str) -> dict[str, Any]:
        return {"../out": 1, "missing": "no such file", "good": 1}

    result = judge("number", custom_artifacts=[several, nothing, bad])
    contents = {name: result.artifacts[name].content for name in ("frame", "array", "json_text", "plain", "note", "good")}
    assert len(contents["frame"]) == 2
    assert contents["array"].tolist() == [0, 1, 2]
    assert (contents["json_text"], contents["plain"], contents["note"], contents["good"]) == ({"a": 1}, {"numbers": [0, 1]}, "hello", 1)
    assert result.artifacts["figure"].content.size > (10, 10)
    with pytest.raises(UntrustedModel, match=r"odd\.pickle"):
        _ = result.artifacts["odd"].content
    assert {"nothing", "bad/../out", "bad/missing"} <= set(result.failures)
    assert json.dumps(result.failures)


def test_a_function_whose_parameters_nobody_knows_fails_by_its_name(judge: Judge) -> None:
    result = judge("number", extra_metrics=[metric(max, name="highest"), metric(lambda predictions: 1.0, name="one")])
    assert "wrap it in a function" in result.failures["highest"]
    assert result.metrics["one"] == 1.0


def test_parameters_that_are_given_by_name_only_are(judge: Judge) -> None:
    def share(predictions: Any, *, targets: Any, limit: float = 1e9) -> float:
        return float((abs(predictions - targets) <= limit).mean())

    result = judge("number", extra_metrics=[metric(share)])
    assert result.metrics["share"] == 1.0


def test_json_that_is_longer_than_a_path_may_be_is_kept(judge: Judge) -> None:
    text = json.dumps(list(range(5000)))

    def long(rows: Any, numbers: Any, folder: str) -> dict[str, Any]:
        return {"long": text}

    result = judge("number", custom_artifacts=[long])
    assert result.failures == {}
    assert "long" in result.artifacts
