"""Every metric is scikit-learn's, to the last digits, with and without weights; those of slices are the same of the rows of the slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve
from sklearn.inspection import permutation_importance

Judge = Callable[..., Any]
FEATURES = ["a", "b"]


def agree(found: dict[str, float], expected: dict[str, float]) -> None:
    assert {name: found.get(name) for name in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
def test_of_two_classes(judge: Judge, table: pd.DataFrame, models: dict[str, Any], weighted: bool) -> None:
    result = judge("two", config={"sample_weights": "weight", "pos_label": "no"} if weighted else {})
    model, y = models["two"], table.two
    label, place = ("no", 0) if weighted else ("yes", 1)
    w = {"sample_weight": table.weight if weighted else None}
    said, chance, is_it = model.predict(table[FEATURES]), model.predict_proba(table[FEATURES]), y == label
    agree(
        result.metrics,
        {
            "example_count": 150,
            "true_positives": float(((said == label) & is_it).sum()),
            "false_negatives": float(((said != label) & is_it).sum()),
            "accuracy_score": sk.accuracy_score(y, said, **w),
            "balanced_accuracy_score": sk.balanced_accuracy_score(y, said, **w),
            "precision_score": sk.precision_score(y, said, pos_label=label, **w),
            "recall_score": sk.recall_score(y, said, pos_label=label, **w),
            "f1_score": sk.f1_score(y, said, pos_label=label, **w),
            "matthews_corrcoef": sk.matthews_corrcoef(y, said, **w),
            "log_loss": sk.log_loss(y, chance, **w),
            "brier_score_loss": sk.brier_score_loss(is_it, chance[:, place], **w),
            "roc_auc": sk.roc_auc_score(is_it, chance[:, place], **w),
            "precision_recall_auc": sk.average_precision_score(is_it, chance[:, place], **w),
            "score": model.score(table[FEATURES], y, **w),
        },
    )


def test_of_three_classes(judge: Judge, table: pd.DataFrame, models: dict[str, Any]) -> None:
    result = judge("three", config={"sample_weights": table.weight.tolist(), "average": "macro"})
    model, y, w = models["three"], table.three, {"sample_weight": table.weight}
    said, chance = model.predict(table[FEATURES]), model.predict_proba(table[FEATURES])
    expected = {
        "balanced_accuracy_score": sk.balanced_accuracy_score(y, said, **w),
        "matthews_corrcoef": sk.matthews_corrcoef(y, said, **w),
        "log_loss": sk.log_loss(y, chance, **w),
        "roc_auc": sk.roc_auc_score(y, chance, multi_class="ovr", average="macro", **w),
        "brier_score_loss": float(np.average(((chance - np.eye(3)[y]) ** 2).sum(axis=1), weights=table.weight)),
        "precision_recall_auc": float(np.mean([sk.average_precision_score(y == k, chance[:, k], **w) for k in range(3)])),
        "f1_score": sk.f1_score(y, said, average="macro", **w),
    }
    for kind in ("micro", "macro", "weighted"):
        expected[f"f1_score_{kind}"] = sk.f1_score(y, said, average=kind, **w)
        expected[f"precision_score_{kind}"] = sk.precision_score(y, said, average=kind, **w)
        expected[f"recall_score_{kind}"] = sk.recall_score(y, said, average=kind, **w)
    agree(result.metrics, expected)
    by_class = result.tables["per_class_metrics"].set_index("positive_class")
    assert by_class.loc[1, "recall_score"] == pytest.approx(sk.recall_score(y == 1, said == 1, **w), rel=1e-9)
    assert by_class.loc[2, "roc_auc"] == pytest.approx(sk.roc_auc_score(y == 2, chance[:, 2], **w), rel=1e-9)


def test_of_numbers(judge: Judge, table: pd.DataFrame, models: dict[str, Any]) -> None:
    result = judge("number", config={"sample_weights": "weight"})
    y, told, w = table.number, models["number"].predict(table[FEATURES]), {"sample_weight": table.weight}
    agree(
        result.metrics,
        {
            "mean_absolute_error": sk.mean_absolute_error(y, told, **w),
            "mean_squared_error": sk.mean_squared_error(y, told, **w),
            "root_mean_squared_error": sk.root_mean_squared_error(y, told, **w),
            "median_absolute_error": sk.median_absolute_error(y, told, **w),
            "mean_absolute_percentage_error": sk.mean_absolute_percentage_error(y, told, **w),
            "max_error": sk.max_error(y, told),
            "r2_score": sk.r2_score(y, told, **w),
            "mean_error": float(np.average(told - y, weights=table.weight)),
            "score": models["number"].score(table[FEATURES], y, **w),
        },
    )


def test_of_slices(judge: Judge, table: pd.DataFrame, models: dict[str, Any]) -> None:
    found = judge("two", slices=["region"], config={"sample_weights": "weight"}).tables["slice_metrics"].set_index("slice")
    part = table[table.region == "west"]
    said, chance, is_it = models["two"].predict(part[FEATURES]), models["two"].predict_proba(part[FEATURES]), part.two == "yes"
    w = {"sample_weight": part.weight}
    row = found.loc["region = west"]
    agree(
        row.to_dict(),
        {
            "rows": len(part),
            "accuracy_score": sk.accuracy_score(part.two, said, **w),
            "precision_score": sk.precision_score(part.two, said, pos_label="yes", **w),
            "recall_score": sk.recall_score(part.two, said, pos_label="yes", **w),
            "f1_score": sk.f1_score(part.two, said, pos_label="yes", **w),
            "roc_auc": sk.roc_auc_score(is_it, chance[:, 1], **w),
            "log_loss": sk.log_loss(is_it, chance, **w),
        },
    )
    numbers = judge("number", slices=["age > 50"]).tables["slice_metrics"].set_index("slice").loc["age > 50"]
    part = table[table.age > 50]
    told = models["number"].predict(part[FEATURES])
    agree(
        numbers.to_dict(),
        {
            "mean_absolute_error": sk.mean_absolute_error(part.number, told),
            "root_mean_squared_error": sk.root_mean_squared_error(part.number, told),
            "r2_score": sk.r2_score(part.number, told),
        },
    )


def test_of_curves(judge: Judge, table: pd.DataFrame, models: dict[str, Any]) -> None:
    tables = judge("two").tables
    is_it, chance = table.two == "yes", models["two"].predict_proba(table[FEATURES])[:, 1]
    observed, predicted = calibration_curve(is_it, chance, n_bins=10, strategy="quantile")
    assert tables["calibration_curve_data"].observed.to_numpy() == pytest.approx(observed)
    assert tables["calibration_curve_data"].predicted.to_numpy() == pytest.approx(predicted)
    false, true, _ = sk.roc_curve(is_it, chance)
    assert tables["roc_curve_data"].true_positive_rate.to_numpy() == pytest.approx(true)
    assert tables["roc_curve_data"].false_positive_rate.to_numpy() == pytest.approx(false)
    gain = tables["gain_curve_data"]
    best = np.argsort(-chance)[:30]
    assert np.interp(30 / 150, gain.share, gain.gain) == pytest.approx(is_it.to_numpy()[best].sum() / is_it.sum())
    assert tables["lift_curve_data"].lift.iloc[-1] == pytest.approx(1.0)
    matrix = tables["confusion_matrix_data"].set_index(["true", "predicted"])
    assert matrix.loc[("no", "no"), "rows"] == ((table.two == "no") & (models["two"].predict(table[FEATURES]) == "no")).sum()


def test_an_interval_holds_the_number_and_is_that_of_a_bootstrap_of_the_rows(
    judge: Judge, table: pd.DataFrame, models: dict[str, Any]
) -> None:
    row = judge("two", slices=["age > 50"]).tables["slice_metrics"].iloc[0]
    right = (models["two"].predict(table[FEATURES]) == table.two).to_numpy()
    rng = np.random.default_rng(99)  # another seed, another way: means of samples with replacement
    low, high = np.percentile([right[rng.integers(0, 150, 150)].mean() for _ in range(2000)], [2.5, 97.5])
    assert row.accuracy_score_low == pytest.approx(low, abs=0.01)
    assert row.accuracy_score_high == pytest.approx(high, abs=0.01)
    assert row.accuracy_score_low < row.accuracy_score < row.accuracy_score_high


def test_importance_is_that_of_scikit_learn(judge: Judge, table: pd.DataFrame, models: dict[str, Any]) -> None:
    found = judge("number", config={"permutation_importance": True}).tables["permutation_importance_data"].set_index("feature")
    expected = permutation_importance(models["number"], table[FEATURES], table.number, n_repeats=50, random_state=1)
    assert found.index[0] == "a"
    assert found.loc["a", "importance"] == pytest.approx(expected.importances_mean[0], rel=0.15)
    assert abs(found.loc["b", "importance"]) < 0.05


def test_importance_reads_probabilities_in_the_models_own_order_of_classes(
    judge: Judge, table: pd.DataFrame, models: dict[str, Any]
) -> None:
    class Backwards:
        """Gives probabilities, the last class first."""

        classes_ = models["three"].classes_[::-1]

        def fit(self, x: Any, y: Any) -> Backwards:
            return self

        def predict(self, x: Any) -> Any:
            return models["three"].predict_proba(x)[:, ::-1]

    data = table[[*FEATURES, "three"]]
    given: dict[str, Any] = {"data": data, "config": {"permutation_importance": True}}
    plain, backwards = (
        judge("three", model=model, **given).tables["permutation_importance_data"].set_index("feature")
        for model in (models["three"], Backwards())
    )
    assert backwards.loc["a", "importance"] == pytest.approx(plain.loc["a", "importance"])
