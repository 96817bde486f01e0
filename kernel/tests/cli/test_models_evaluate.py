"""`drupe models evaluate`: tables for people, JSON for programs, and an exit code for pipelines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import drupe

from .conftest import Drupe

FAST = ("-c", "permutation_importance=false", "-c", "pictures=false")


@pytest.fixture
def folder(workspace: Path) -> Path:
    """A model `good` and one that knows nothing, `bad`, with test.csv beside them."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"a": rng.normal(size=80), "kind": ["p", "q"] * 40})
    frame["y"] = np.where(frame.a > 0, "yes", "no")
    frame.to_csv("test.csv", index=False)
    for name, values in (("good", frame.a), ("bad", rng.normal(size=80))):
        model = LogisticRegression().fit(pd.DataFrame({"a": values}), frame.y)
        drupe.sklearn.save_model(model, name, input_example=frame[["a"]].head(2))
    return workspace


def test_a_model_is_judged_and_the_results_are_on_a_run(drupe_cli: Drupe, folder: Path) -> None:
    told = drupe_cli("models", "evaluate", "-m", "good", "-d", "test.csv", "-t", "y", "--slice", "kind", *FAST)
    assert (told.code, told.err) == (0, "")
    assert any(line.startswith("accuracy_score") for line in told.lines)
    assert any(line.startswith("kind = p") for line in told.lines)
    run = drupe.search_runs(output_format="list")[0]
    assert run.info.run_name == "evaluation of good"
    assert told.lines[-1].endswith(f"are on run {run.info.run_id}")


def test_a_missed_threshold_is_an_exit_code_after_the_results_were_shown(drupe_cli: Drupe, folder: Path) -> None:
    words = ("models", "evaluate", "bad", "-d", "test.csv", "-t", "y", "--no-log", "--baseline", "good", *FAST)
    told = drupe_cli(*words, "--threshold", "accuracy_score>=baseline-1%", "--threshold", "log_loss<=100")
    assert told.code == 1
    assert told.err.startswith("drupe: the model misses 1 of 2 thresholds: accuracy_score is 0.")
    assert "CHANGE" in told.lines[0]
    assert [line.split()[-1] for line in told.lines if line.startswith(("accuracy_score  >=", "log_loss        <="))] == ["missed", "met"]
    met = drupe_cli(*words, "--threshold", "log_loss<=100", "--json")
    assert met.code == 0
    found = json.loads(met.out)
    assert found["thresholds"] == [{"metric": "log_loss", "rule": "<= 100", "value": found["metrics"]["log_loss"], "passed": True}]
    assert set(found) == {"metrics", "baseline", "slices", "thresholds", "failures", "artifacts", "run_id", "model_id"}
    assert found["run_id"] is None
    assert drupe.search_runs(output_format="list") == []


def test_predictions_in_a_column_are_judged_and_kept_in_a_folder(drupe_cli: Drupe, workspace: Path) -> None:
    pd.DataFrame({"minutes": [1.0, 2.0, 4.0], "guess": [1.0, 2.0, 3.0]}).to_csv("told.csv", index=False)
    words = ("models", "evaluate", "-d", "told.csv", "-t", "minutes", "--predictions", "guess", "--no-log", "--save", "kept", *FAST)
    told = drupe_cli(*words, "--output", "csv")
    assert told.lines[:3] == ["metric,value", "example_count,3.0", "mean_absolute_error,0.3333333333333333"]
    assert drupe.evaluation.EvaluationResult.load("kept").metrics["max_error"] == 1.0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("-t", "z"), 1, "targets is 'z', which is not a column; there are a, kind, y"),
        (("-t", "y", "--slice", "kin"), 1, "did you mean 'kind'?"),
        (("-t", "y", "--threshold", "f1>0.5"), 1, "'f1>0.5' is no threshold"),
        (("-t", "y", "--threshold", "f1>=baseline"), 2, "say which model that is: --baseline URI"),
        (("-t", "y", "--no-log", "--experiment", "e"), 2, "Give one of --run, --experiment and --no-log."),
        (("-t", "y", "-c", "pos_label"), 1, "'pos_label' is not a pair"),
        (("-t", "y", "--evaluator", "fair"), 3, "no evaluator for name 'fair'"),
    ],
)
def test_what_cannot_be_done_is_said(drupe_cli: Drupe, folder: Path, words: tuple[str, ...], code: int, told: str) -> None:
    answer = drupe_cli("models", "evaluate", "-m", "good", "-d", "test.csv", *words)
    assert answer.code == code
    assert told in answer.err
    assert drupe.search_runs(output_format="list") == []
