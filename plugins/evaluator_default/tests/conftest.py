"""A workspace for every test, data that is small and has no pattern by accident, and models that are fitted once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import drupe
from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

FEATURES = ["a", "b"]


@pytest.fixture(autouse=True)
def workspace(drupe_workspace: Path) -> Path:
    return drupe_workspace


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """150 rows: `two` and `three` are classes, `number` a value that `a` tells much of; `weight`, `region` and `age` for the rest."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"a": rng.normal(size=150), "b": rng.normal(size=150)})
    frame["number"] = 3 * frame.a + rng.normal(size=150)
    frame["two"] = np.where(frame.number > 0, "yes", "no")
    frame["three"] = np.digitize(frame.number, [-1.5, 1.5])
    frame["weight"] = rng.random(150) + 0.5
    frame["region"] = np.where(frame.b > 0.8, "north", np.where(frame.b > 0, "south", "west"))
    frame["age"] = rng.integers(18, 90, 150)
    return frame


@pytest.fixture(scope="session")
def models(table: pd.DataFrame) -> dict[str, Any]:
    """A model for each target, from half of the rows."""
    half = table[::2]
    kinds = {"two": LogisticRegression(), "three": LogisticRegression(), "number": LinearRegression()}
    return {target: model.fit(half[FEATURES], half[target]) for target, model in kinds.items()}


@pytest.fixture
def judge(table: pd.DataFrame, models: dict[str, Any]) -> Callable[..., Any]:
    """Judge the model of a target on the table, or something else; nothing is logged, drawn or shuffled unless asked for."""

    def run(target: str, model: Any = "its own", data: Any = None, config: Any = None, **asked: Any) -> Any:
        asked.setdefault("model_type", "regressor" if target == "number" else "classifier")
        columns = [*FEATURES, target, "weight", "region", "age"]
        return drupe.evaluate(
            models[target] if isinstance(model, str) else model,
            table[columns] if data is None else data,
            targets=target,
            evaluator_config={"permutation_importance": False, "pictures": False, **(config or {})},
            log_results=False,
            feature_names=FEATURES if data is None else None,
            **asked,
        )

    return run
