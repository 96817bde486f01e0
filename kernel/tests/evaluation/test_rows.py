"""Data in every form becomes rows, and what is wrong with it is said before a model is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import drupe
from drupe.errors import InvalidValue
from drupe.evaluation.rows import rows_of


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"a": [1.0, 2.0, 3.0], "w": [1, 2, 1], "y": [0, 1, 0], "guess": [0, 1, 1]})


def test_targets_and_weights_are_no_features(frame: pd.DataFrame) -> None:
    rows = rows_of(frame, targets="y", weights="w", has_model=True)
    assert list(rows.features.columns) == ["a", "guess"]
    assert (list(rows.targets), list(rows.weights), rows.targets_name) == ([0, 1, 0], [1, 2, 1], "y")
    assert list(rows.frame.columns) == ["a", "w", "y", "guess"]
    assert rows.dataset.to_dict()["digest"]
    static = rows_of(frame, targets="y", predictions="guess", has_model=False)
    assert list(static.features.columns) == ["a", "w"]
    assert list(static.predictions) == [0, 1, 1]


def test_data_may_have_many_forms(frame: pd.DataFrame, tmp_path: Path) -> None:
    import polars

    frame.to_csv(tmp_path / "test.csv", index=False)
    forms: list[Any] = [
        frame.to_dict(orient="list"),
        frame.to_dict(orient="records"),
        polars.from_dict(frame.to_dict(orient="list")),
        str(tmp_path / "test.csv"),
    ]
    for form in forms:
        rows = rows_of(form, targets="y", has_model=True)
        assert list(rows.targets) == [0, 1, 0]
        assert rows.features.a.tolist() == [1.0, 2.0, 3.0]
    described = drupe.data.from_pandas(frame, targets="y", name="mine")
    assert rows_of(described, has_model=True).dataset is described
    array = rows_of(frame[["a", "w"]].to_numpy(), targets=[0, 1, 0], has_model=True)
    assert array.is_array
    assert list(array.features.columns) == ["feature_1", "feature_2"]
    named = rows_of(drupe.data.from_numpy(np.ones((3, 2)), targets=np.array([0, 1, 0])), feature_names=["x", "z"], has_model=True)
    assert list(named.features.columns) == ["x", "z"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"data": None}, "evaluate needs data: a DataFrame, an array"),
        ({"data": "no-such.csv"}, "no-such.csv"),
        ({"data": pd.DataFrame({"y": []})}, "there are no rows to evaluate on"),
        ({"data": np.ones((2, 2, 2))}, "of 3 dimensions is none of them"),
        ({"data": {"a": [1], "b": [1, 2]}}, "do not make a table"),
        ({"data": pd.DataFrame([[1, 2]], columns=["y", "y"])}, "several columns named 'y'"),
        ({"targets": "yy"}, "targets is 'yy', which is not a column; there are a, w, y, guess; did you mean 'y'?"),
        ({"targets": [1, 0]}, "targets has 2 values, and the data has 3 rows"),
        ({"targets": [1, None, 0]}, r"targets has 1 missing value \(first in row 1, counted from 0\); drop those rows"),
        ({"weights": [1, -1, 1]}, "sample weights must be numbers that are not negative"),
        ({"weights": "nowhere"}, r"evaluator_config\['sample_weights'\] is 'nowhere'"),
        ({"feature_names": ["a", "c"]}, "feature_names has 'c', which is not a column"),
        ({"predictions": "gues", "has_model": False}, "predictions is 'gues', which is not a column.*did you mean 'guess'"),
    ],
)
def test_what_is_wrong_with_data_is_said(frame: pd.DataFrame, changed: dict[str, Any], told: str) -> None:
    with pytest.raises((InvalidValue, drupe.DrupeError), match=told):
        rows_of(**{"data": frame, "targets": "y", "has_model": True, **changed})


def test_a_described_dataset_says_its_columns_itself(frame: pd.DataFrame) -> None:
    with pytest.raises(InvalidValue, match="the dataset says its targets itself"):
        rows_of(drupe.data.from_pandas(frame, targets="y"), targets="y", has_model=True)
    with pytest.raises(InvalidValue, match="judge the ones or the other"):
        rows_of(drupe.data.from_pandas(frame, targets="y", predictions="guess"), has_model=True)
