"""Models of every form are understood, and what cannot be judged is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import drupe
from drupe.errors import InvalidValue, ModelError

Judge = Callable[..., Any]
FEATURES = ["a", "b"]


@pytest.fixture(scope="session")
def chance(table: pd.DataFrame, models: dict[str, Any]) -> Any:
    return models["two"].predict_proba(table[FEATURES])


def test_one_row_is_judged_by_what_is_defined_for_it(table: pd.DataFrame) -> None:
    rows = table[FEATURES].assign(number=range(len(table)))
    model = LinearRegression().fit(rows[FEATURES], rows["number"])
    found = drupe.evaluate(model, rows.head(1), targets="number", model_type="regressor")
    assert found.metrics["example_count"] == 1
    assert {"r2_score", "score"} <= set(found.failures)
    assert not {"r2_score", "score"} & set(found.metrics)


def test_probabilities_are_found_however_they_are_given(
    judge: Judge, table: pd.DataFrame, models: dict[str, Any], chance: Any, workspace: Any
) -> None:
    model = models["two"]
    expected = judge("two").metrics
    drupe.sklearn.save_model(model, "saved", input_example=table[FEATURES].head(2), pyfunc_predict_fn="predict_proba")
    given: dict[str, Any] = {
        "a model that was saved to give probabilities": "saved",
        "a matrix": model.predict_proba,
        "a table with a column for each class, in another order": lambda rows: pd.DataFrame(
            model.predict_proba(rows), columns=["no", "yes"]
        )[["yes", "no"]],
        "one column for the positive class": lambda rows: model.predict_proba(rows)[:, 1],
    }
    for name, one in given.items():
        found = judge("two", model=drupe.load_model(one) if isinstance(one, str) else one).metrics
        assert found["roc_auc"] == pytest.approx(expected["roc_auc"]), name
        assert found["accuracy_score"] == pytest.approx(expected["accuracy_score"]), name
        assert found["log_loss"] == pytest.approx(expected["log_loss"]), name
    columns = table.assign(guess=model.predict(table[FEATURES]), p=chance[:, 1])
    static = judge("two", model=None, data=columns, predictions="guess", config={"probabilities": "p"})
    assert static.metrics["roc_auc"] == pytest.approx(expected["roc_auc"])
    assert "score" not in static.metrics


def test_a_class_that_the_data_does_not_show_leaves_out_what_needs_it_and_says_so(judge: Judge, table: pd.DataFrame) -> None:
    result = judge("three", data=table[table.three < 2][[*FEATURES, "three"]])
    assert {"roc_auc"} <= set(result.failures)
    assert "2" in result.failures["roc_auc"]
    assert result.metrics["log_loss"] > 0


def test_a_column_of_a_models_output_is_named(judge: Judge, models: dict[str, Any]) -> None:
    def answers(rows: Any) -> Any:
        return pd.DataFrame({"price": models["number"].predict(rows), "note": "ok"})

    found = judge("number", model=answers, predictions="price")
    assert found.metrics["r2_score"] == pytest.approx(judge("number").metrics["r2_score"])
    with pytest.raises(InvalidValue, match=r"the columns price, note; say which has the predictions"):
        judge("number", model=answers)


@pytest.mark.parametrize(
    ("target", "changed", "told"),
    [
        ("two", {"config": {"pos_label": "maybe"}}, r"pos_label is 'maybe', which is none of the classes 'no', 'yes'"),
        ("two", {"config": {"label_list": ["no", "other"]}}, r"label_list lacks 'yes', which is"),
        ("two", {"config": {"average": "median"}}, r"average is 'median'; it must be one of weighted, macro, micro"),
        ("two", {"model": lambda rows: np.zeros(len(rows))}, r"the targets are text \('\w+', …\) and the predictions numbers"),
        ("two", {"model": lambda rows: np.ones((len(rows), 3))}, r"neither labels nor probabilities; name the column with the labels"),
        ("two", {"slices": ["regio"]}, r"the slice 'regio' is neither a column nor a query.*did you mean 'region'"),
        ("two", {"slices": ["age >"]}, r"the slice 'age >' is neither a column nor a query"),
        ("two", {"slices": ["age + 1"]}, r"says no yes or no for each row"),
        (
            "two",
            {"slices": ["region"], "config": {"slice_metric": "r2"}},
            r"slice_metric is 'r2', which slices do not have; they have accuracy",
        ),
        ("number", {"model_type": "classifier"}, r"numbers with fractions, which are no classes; use model_type='regressor'"),
        ("two", {"model_type": "regressor"}, r"targets of a regressor must be numbers, and '\w+' is none; for classes"),
        (
            "number",
            {"model": lambda rows: np.full(len(rows), np.nan)},
            r"predictions has 150 values that are no finite numbers \(first in row 0\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused(judge: Judge, target: str, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidValue, match=told):
        judge(target, **changed)


def test_one_class_only_is_refused(table: pd.DataFrame) -> None:
    rows = table[table.two == "yes"].assign(guess="yes")
    with pytest.raises(InvalidValue, match="one class only"):
        drupe.evaluate(data=rows, targets="two", predictions="guess", model_type="classifier", log_results=False)


def test_a_model_that_fails_is_named_with_what_it_said(judge: Judge) -> None:
    def fragile(rows: Any) -> Any:
        raise RuntimeError("no licence")

    with pytest.raises(ModelError, match="the model fragile failed on this data: RuntimeError: no licence"):
        judge("two", model=fragile)
    with pytest.raises(ModelError, match="gave 1 predictions for 150 rows"):
        judge("two", model=lambda rows: ["yes"])


def test_slices_come_worst_first_and_the_small_ones_last(judge: Judge, table: pd.DataFrame) -> None:
    data = table[[*FEATURES, "two", "age"]].assign(group=["tiny"] * 5 + ["large"] * 145, gap=[None, *range(149)])
    result = judge("two", data=data, slices=["group", "age", "gap", "age < 0"], config={"pictures": True})
    found = result.tables["slice_metrics"]
    assert found.slice[0] == "(all rows)"
    assert set(found.slice.tail(3)) == {"group = tiny", "gap is missing", "age < 0"}
    assert found.accuracy_score_low.tail(3).isna().all()
    ranked = found.accuracy_score[1:-3].tolist()
    assert ranked == sorted(ranked)
    assert result.metrics["worst_slice_accuracy_score"] == ranked[0]
    assert sum("< age ≤" in name or "≤ age ≤" in name for name in found.slice) == 4
    assert "slice_metrics_plot" in result.artifacts


def test_pictures_are_pictures_and_carry_their_data(judge: Judge) -> None:
    for target in ("two", "three", "number"):
        result = judge(target, config={"permutation_importance": True, "pictures": True})
        assert result.failures == {}
        pictures = [name for name, one in result.artifacts.items() if one.file_name.endswith(".png")]
        assert len(pictures) >= 3
        for name in pictures:
            subject = name.removesuffix("_plot")
            assert len(result.artifacts[f"{subject}_data"].content) > 0, name
            image = result.artifacts[name].content.convert("RGB")
            assert image.getpixel((2, 2)) == (255, 255, 255)  # an opaque ground, for dark pages
            assert len(image.getcolors(maxcolors=1 << 20) or ()) > 8, name


def test_more_classes_than_curves_can_show_are_said(judge: Judge) -> None:
    result = judge("three", config={"max_classes_for_multiclass_roc_pr": 2, "pictures": True})
    assert "max_classes_for_multiclass_roc_pr" in result.failures["roc_curve_plot"]
    assert "confusion_matrix" in result.artifacts
