"""`evaluate` puts what evaluators find on the run and the logged model, with the data; whatever the model was given as."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import drupe
from drupe.errors import InvalidValue, MissingRequirement, NoProvider, ThresholdsMissed, UnsupportedFeature
from drupe.evaluation import EvaluationResult

from .conftest import FAST

MANNER = {"targets": "y", "model_type": "classifier", "evaluator_config": FAST}


def test_results_are_on_the_run_and_the_logged_model_with_the_data(table: pd.DataFrame, model: Any) -> None:
    with drupe.start_run() as run:
        info = drupe.log_model(model, name="clf", input_example=table[["a", "b"]].head(2))
        result = drupe.evaluate(info.model_uri, table, slices=["kind"], **MANNER)
        drupe.flush()
    assert (result.run_id, result.model_id) == (run.info.run_id, info.model_id)
    found = drupe.get_run(run.info.run_id)
    assert found.data.metrics["accuracy_score"] == result.metrics["accuracy_score"]
    used = [one for one in found.inputs.dataset_inputs if one.dataset.name == "dataset"]
    assert [{tag.key: tag.value for tag in one.tags}["mlflow.data.context"] for one in used] == ["eval"]
    logged = drupe.get_logged_model(str(info.model_id))
    measured = {metric.key: (metric.value, metric.dataset_name) for metric in logged.metrics}
    assert measured["roc_auc"] == (result.metrics["roc_auc"], "dataset")
    files = {file.path for file in drupe.artifacts.list_artifacts(run_id=run.info.run_id)}
    assert {"confusion_matrix_data.csv", "per_class_metrics.csv", "slice_metrics.csv", "roc_curve_data.csv"} <= files
    assert result.artifacts["slice_metrics"].uri == f"{found.info.artifact_uri}/slice_metrics.csv"
    with pytest.raises(InvalidValue, match="leave model_id out"):
        drupe.evaluate(info.model_uri, table, model_id="m-" + 32 * "0", **MANNER)


def test_a_run_is_started_where_none_is_and_ended_again(table: pd.DataFrame, model: Any) -> None:
    result = drupe.evaluate(model, table, run_name="judged", **MANNER)
    run = drupe.get_run(str(result.run_id))
    assert (run.info.run_name, run.info.status) == ("judged", "FINISHED")
    assert drupe.active_run() is None
    again = drupe.evaluate(model, table, log_results=False, **MANNER)
    assert (again.run_id, again.metrics) == (None, result.metrics)
    assert len(drupe.search_runs(output_format="list")) == 1


def test_nothing_is_kept_of_an_evaluation_that_cannot_be(table: pd.DataFrame, model: Any) -> None:
    with pytest.raises(InvalidValue):
        drupe.evaluate(model, table, targets="nothing", model_type="classifier")
    assert drupe.search_runs(output_format="list") == []


def test_a_model_may_be_given_in_many_ways(table: pd.DataFrame, model: Any, workspace: Path) -> None:
    drupe.sklearn.save_model(model, "folder", input_example=table[["a", "b"]].head(2))
    expected = drupe.evaluate(model, table, log_results=False, **MANNER).metrics["accuracy_score"]
    features = ["a", "b"]
    for given in ("folder", Path("folder"), drupe.load_model("folder"), lambda rows: model.predict(rows[features])):
        assert drupe.evaluate(given, table, log_results=False, **MANNER).metrics["accuracy_score"] == expected


def test_an_array_reaches_a_model_of_arrays_as_one(table: pd.DataFrame) -> None:
    from sklearn.linear_model import LogisticRegression

    x, y = table[["a", "b"]].to_numpy(), table.y.to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = drupe.evaluate(
            LogisticRegression().fit(x, y), x, targets=y, model_type="classifier", evaluator_config=FAST, log_results=False
        )
    assert result.metrics["example_count"] == 60


def test_the_kind_of_model_is_told_by_the_model_or_the_targets(table: pd.DataFrame, model: Any) -> None:
    assert "roc_auc" in drupe.evaluate(model, table, targets="y", evaluator_config=FAST, log_results=False).metrics
    guessed = table.assign(y=table.a, guess=0.0)
    assert "r2_score" in drupe.evaluate(data=guessed, targets="y", predictions="guess", evaluator_config=FAST, log_results=False).metrics
    with pytest.raises(InvalidValue, match="whole numbers, which may be classes or amounts"):
        drupe.evaluate(data=table.assign(guess=1), targets="y", predictions="guess", log_results=False)


def test_a_prefix_stands_before_metrics_and_files(table: pd.DataFrame, model: Any) -> None:
    manner = {**MANNER, "evaluator_config": {**FAST, "metric_prefix": "test_"}}
    with drupe.start_run() as run:
        result = drupe.evaluate(model, table, **manner)
    assert "test_accuracy_score" in result.metrics
    assert result.artifacts["per_class_metrics"].file_name == "test_per_class_metrics.csv"
    (used,) = drupe.get_run(run.info.run_id).inputs.dataset_inputs
    assert {tag.key: tag.value for tag in used.tags}["mlflow.data.context"] == "test_"


def test_a_baseline_is_judged_on_the_same_rows_and_results_are_kept_before_thresholds_are_looked_at(
    table: pd.DataFrame, model: Any
) -> None:
    wanted = {"accuracy_score": drupe.MetricThreshold(min_absolute_change=0.5, greater_is_better=True)}
    with drupe.start_run() as run, pytest.raises(ThresholdsMissed, match=r"must be >= baseline \+ 0.5 \(baseline 0\.\d+\)"):
        drupe.evaluate(model, table, baseline_model=lambda rows: [1] * len(rows), validation_thresholds=wanted, **MANNER)
    assert "accuracy_score" in drupe.get_run(run.info.run_id).data.metrics
    better = {"accuracy_score": drupe.MetricThreshold(min_absolute_change=0.01, greater_is_better=True)}
    result = drupe.evaluate(
        model, table, baseline_model=lambda rows: [1] * len(rows), validation_thresholds=better, log_results=False, **MANNER
    )
    assert result.baseline is not None
    assert result.baseline.metrics["recall_score"] == 1.0


def test_autologging_leaves_an_evaluation_alone(table: pd.DataFrame, model: Any) -> None:
    drupe.sklearn.autolog(silent=True)
    try:
        with drupe.start_run() as run:
            result = drupe.evaluate(model, table, **MANNER)
    finally:
        drupe.sklearn.autolog(disable=True)
    assert set(drupe.get_run(run.info.run_id).data.metrics) == set(result.metrics)


def test_a_failure_is_kept_with_the_run(table: pd.DataFrame, model: Any) -> None:
    def broken(predictions: Any, targets: Any) -> float:
        raise RuntimeError("no")

    own = [drupe.make_metric(eval_fn=broken, greater_is_better=True)]
    with drupe.start_run():
        drupe.evaluate(model, table, extra_metrics=own, **MANNER)
        told = json.loads(Path(drupe.download_artifacts(drupe.get_artifact_uri("evaluation_failures.json"))).read_text())
    assert told == {"broken": "RuntimeError: no"}


def test_scores_of_rows_are_a_table_that_load_table_finds(table: pd.DataFrame, model: Any) -> None:
    def hit(predictions: Any, targets: Any) -> drupe.evaluation.MetricValue:
        return drupe.evaluation.MetricValue(scores=(predictions == targets).astype(float).tolist())

    with drupe.start_run() as run:
        drupe.evaluate(model, table, extra_metrics=[drupe.make_metric(eval_fn=hit, greater_is_better=True)], **MANNER)
    assert len(drupe.load_table("eval_results_table.json", run_ids=[run.info.run_id])) == len(table)


def test_a_result_is_the_same_after_it_was_saved(table: pd.DataFrame, model: Any, tmp_path: Path) -> None:
    before = drupe.evaluate(model, table, slices="kind", baseline_model=lambda rows: [1] * len(rows), **MANNER)
    before.save(tmp_path / "result")
    after = EvaluationResult.load(tmp_path / "result")
    assert (after.metrics, after.run_id, after.better) == (before.metrics, before.run_id, before.better)
    assert {name: one.raw for name, one in after.artifacts.items()} == {name: one.raw for name, one in before.artifacts.items()}
    assert after.baseline is not None
    assert "_low" not in after._repr_html_()
    (tmp_path / "result" / "artifacts" / "slice_metrics.csv").unlink()
    with pytest.raises(InvalidValue, match=r"'slice_metrics\.csv', is missing"):
        EvaluationResult.load(tmp_path / "result")
    (tmp_path / "result" / "metrics.json").write_text("[1]")
    with pytest.raises(InvalidValue, match=r"metrics\.json is list, not an object"):
        EvaluationResult.load(tmp_path / "result")


def test_a_page_escapes_what_comes_from_users() -> None:
    shown = EvaluationResult({"<b>m</b>": 0.5}, {}, failures={"x": "<script>"})._repr_html_()
    assert "<script>" not in shown
    assert "&lt;b&gt;m" in shown


@pytest.mark.parametrize(
    ("asked", "kind", "told"),
    [
        ({"evaluators": "fairness"}, NoProvider, "no evaluator for name 'fairness'; installed: classifier, default, regressor, shap"),
        ({"evaluators": "regressor"}, InvalidValue, "'regressor' does not judge models of type 'classifier'"),
        ({"model_type": "retriever"}, InvalidValue, "no installed evaluator judges models of type 'retriever'"),
        ({"evaluators": ["classifier"], "evaluator_config": {"pos_label": 1}}, InvalidValue, "must be a dict of their names"),
        ({"extra_metrics": [len]}, InvalidValue, "extra_metrics has a builtin_function_or_method; make a metric"),
        ({"slices": [3]}, InvalidValue, "slices are names of columns or queries"),
        (
            {"env_manager": "virtualenv"},
            InvalidValue,
            "env_manager is 'virtualenv', and the model is a LogisticRegression that lives here already",
        ),
        ({"model": "endpoints:/chat"}, UnsupportedFeature, "asks no endpoint itself"),
        ({"model": 3}, InvalidValue, "model is of type int; it must be a model's address"),
        ({"model": None}, InvalidValue, "give a model, or name the column with predictions"),
        ({"targets": None}, InvalidValue, "to judge a classifier, the true values must be known"),
    ],
)
def test_what_cannot_be_asked_is_refused(table: pd.DataFrame, model: Any, asked: dict[str, Any], kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told):
        drupe.evaluate(**{"model": model, "data": table, "log_results": False, **MANNER, **asked})


def test_an_evaluator_whose_library_is_missing_is_passed_over_unless_it_is_named(table: pd.DataFrame, model: Any) -> None:
    pytest.importorskip("sklearn")
    try:
        import shap  # noqa: F401
    except ImportError:
        with pytest.raises(MissingRequirement, match="pip install shap"):
            drupe.evaluate(model, table, evaluators="shap", log_results=False, targets="y", model_type="classifier")
    assert "shap" not in drupe.evaluate(model, table, log_results=False, **MANNER).artifacts


@pytest.mark.parametrize(("name", "function"), [(None, lambda predictions: 1.0), ("a/b", len), ("é\n", len)])
def test_a_metric_without_a_usable_name_is_refused(name: str | None, function: Any) -> None:
    with pytest.raises(InvalidValue):
        drupe.make_metric(eval_fn=function, greater_is_better=True, name=name)


def test_what_mlflow_keeps_among_models_is_found_there() -> None:
    for name in ("evaluate", "make_metric", "MetricThreshold", "EvaluationResult", "validate_evaluation_results", "list_evaluators"):
        assert getattr(drupe.models, name) is getattr(drupe.evaluation, name)
    with pytest.raises(AttributeError, match="has no attribute 'evaluation_of'"):
        _ = drupe.models.evaluation_of
