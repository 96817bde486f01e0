"""A workspace of its own for every test, a small fitted model, and the folders that MLflow wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]


@pytest.fixture(autouse=True)
def workspace(drupe_workspace: Path) -> Path:
    return drupe_workspace


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(0).random((40, 3)), columns=["a", "b", "c"])


@pytest.fixture(scope="session")
def classifier(table: pd.DataFrame) -> LogisticRegression:
    return LogisticRegression().fit(table, table["a"] > 0.5)


@pytest.fixture(scope="session")
def mlflow_folders() -> Path:
    return Path(__file__).parent / "mlflow_folders"
