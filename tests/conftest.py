"""What all of these tests share: real MLflow, one process for each release and test run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.real_mlflow.process import RealMlflow, real_mlflows


@pytest.fixture(scope="session")
def mlflow_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], RealMlflow]]:
    """A function that gives the process of a release."""
    with real_mlflows(tmp_path_factory) as of:
        yield of
