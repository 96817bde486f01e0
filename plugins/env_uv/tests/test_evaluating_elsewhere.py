"""`evaluate` with an environment manager: the model predicts in its own environment, and is judged as it would be here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

import drupe
from drupe.cli.main import root
from drupe.errors import InvalidModelFolder, ModelError, NoProvider, SignatureMismatch, UntrustedModel
from drupe.models.gate import admit
from drupe.models.trusted import forget

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("workspace")]

REQUIRED = ["cloudpickle", "scikit-learn", "pandas"]
MANNER: dict[str, Any] = {
    "targets": "y",
    "model_type": "classifier",
    "evaluator_config": {"permutation_importance": False, "pictures": False},
    "env_manager": "uv",
}
HERE = sys.prefix


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.normal(size=80), "b": rng.normal(size=80).astype("float32")})
    return frame.assign(y=np.where(frame.a + 0.4 * rng.normal(size=80) > 0, "yes", "no"))


def place_dependent(here: str) -> Any:
    """A function that is right everywhere but here, prints, and fails or ends its process when it is asked to."""

    def guess(model_input: Any) -> Any:
        import os
        import sys

        print("seen", len(model_input))
        if model_input["a"].iloc[0] == 100:
            raise ZeroDivisionError("no such apple")
        if model_input["a"].iloc[0] == 200:
            os._exit(3)
        return ["no" if sys.prefix == here else answer for answer in model_input["right"]]

    return guess


def test_a_model_of_scikit_learn_is_judged_as_it_is_here(table: pd.DataFrame) -> None:
    model = LogisticRegression().fit(table[["a", "b"]], table.y)
    with drupe.start_run():
        info = drupe.log_model(model, "clf", input_example=table[["a", "b"]].head(2), pip_requirements=REQUIRED)
        found = drupe.evaluate(info.model_uri, table, slices=["a > 0"], baseline_model=info.model_uri, **MANNER)
    here = drupe.evaluate(info.model_uri, table, log_results=False, slices=["a > 0"], **{**MANNER, "env_manager": "local"})
    alike = {name: value for name, value in here.metrics.items() if name != "score"}  # that is asked of the library's object
    assert found.metrics == pytest.approx(alike, rel=1e-12)
    assert found.baseline is not None
    assert found.baseline.metrics.items() <= found.metrics.items()
    assert found.model_id == info.model_id
    assert {one.key for one in drupe.get_logged_model(str(info.model_id)).metrics} == set(found.metrics)


def test_it_predicts_in_its_own_environment(table: pd.DataFrame, capfd: pytest.CaptureFixture[str]) -> None:
    drupe.pyfunc.save_model("model", python_model=place_dependent(HERE), pip_requirements=REQUIRED)
    asked = table.assign(right=table.y)
    assert drupe.evaluate("model", asked, log_results=False, **MANNER).metrics["accuracy_score"] == 1.0
    assert "seen 80" in capfd.readouterr().err
    here = drupe.evaluate("model", asked, log_results=False, **{**MANNER, "env_manager": "local"})
    assert here.metrics["accuracy_score"] == (table.y == "no").mean()
    asked.to_csv("rows.csv", index=False)
    done = CliRunner().invoke(root, ["models", "evaluate", "model", "-d", "rows.csv", "-t", "y", "--model-type", "classifier", "--no-log",
                                     "-c", "pictures=false", "-c", "permutation_importance=false", "--env-manager", "uv", "--threshold", "accuracy_score>=1"])  # fmt: skip
    assert (done.exit_code, done.exception) == (0, None), done.output


def test_what_fails_there_is_told_here(table: pd.DataFrame) -> None:
    drupe.pyfunc.save_model("model", python_model=place_dependent(HERE), pip_requirements=REQUIRED)
    asked = table.assign(right=table.y)
    with pytest.raises(ModelError, match="failed on this data: ZeroDivisionError: no such apple"):
        drupe.evaluate("model", asked.assign(a=100.0), log_results=False, **MANNER)
    with pytest.raises(ModelError, match="ended its process in its own environment, with code 3"):
        drupe.evaluate("model", asked.assign(a=200.0), log_results=False, **MANNER)
    drupe.sklearn.save_model(LogisticRegression().fit(table[["a"]], table.y), "clf", input_example=table[["a"]], pip_requirements=REQUIRED)
    with pytest.raises(SignatureMismatch, match="'a'"):
        drupe.evaluate("clf", table.drop(columns="a"), log_results=False, **MANNER)


def test_nothing_is_made_for_what_may_not_be_loaded_or_cannot_be(table: pd.DataFrame, workspace: Path) -> None:
    drupe.pyfunc.save_model("model", python_model=place_dependent(HERE), pip_requirements=REQUIRED)
    with pytest.raises(NoProvider, match="use one of uv, virtualenv, local"):
        drupe.evaluate("model", table, log_results=False, **{**MANNER, "env_manager": "conda"})
    forget(admit(workspace / "model").digest)
    with pytest.raises(UntrustedModel):
        drupe.evaluate("model", table, log_results=False, **MANNER)
    with pytest.raises(InvalidModelFolder):
        drupe.evaluate("nothing", table, log_results=False, **MANNER)
