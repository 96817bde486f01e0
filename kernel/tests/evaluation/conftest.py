"""A workspace for every test, a small table and a model of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

FAST = {"permutation_importance": False, "pictures": False}


@pytest.fixture(autouse=True)
def workspace(drupe_workspace: Path) -> Path:
    return drupe_workspace


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60)})
    return frame.assign(y=(frame.a + 0.5 * rng.normal(size=60) > 0).astype(int), kind=["p", "q", "r"] * 20)


@pytest.fixture(scope="session")
def model(table: pd.DataFrame) -> Any:
    return LogisticRegression().fit(table[["a", "b"]], table.y)
