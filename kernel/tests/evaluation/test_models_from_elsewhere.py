"""Models that the store of the run does not know, though they say that they are logged models: their results are the run's alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import drupe
from drupe.errors import LoggedModelNotFound

from .conftest import FAST

MANNER = {"targets": "y", "model_type": "classifier", "evaluator_config": FAST}
NOBODY = "m-" + 32 * "0"


@pytest.fixture
def elsewhere(table: pd.DataFrame, model: Any, workspace: Path) -> tuple[Path, str]:
    """The folder of a model that was logged to another store than the one in use, and the id that it has there."""
    drupe.set_tracking_uri("sqlite:///theirs.db")
    with drupe.start_run():
        info = drupe.log_model(model, name="theirs", input_example=table[["a", "b"]].head(2), pip_requirements=["scikit-learn"])
        folder = Path(drupe.download_artifacts(info.model_uri))
    drupe.set_tracking_uri("sqlite:///ours.db")
    return folder, str(info.model_id)


@pytest.mark.parametrize("as_what", ["folder", "loaded"])
def test_results_of_a_model_of_another_store_are_logged_on_the_run(as_what: str, table: pd.DataFrame, elsewhere: tuple[Path, str]) -> None:
    folder, model_id = elsewhere
    given = folder if as_what == "folder" else drupe.load_model(folder)
    with drupe.start_run() as run:
        result = drupe.evaluate(given, table, **MANNER)
    assert (result.run_id, result.model_id) == (run.info.run_id, None)
    kept = drupe.get_run(run.info.run_id)
    assert kept.data.metrics == result.metrics
    assert [one.dataset.name for one in kept.inputs.dataset_inputs] == ["dataset"]
    assert kept.inputs.model_inputs == ()
    with pytest.raises(LoggedModelNotFound):
        drupe.Client().get_logged_model(model_id)


def test_the_store_of_the_run_is_asked_not_the_one_in_use(table: pd.DataFrame, elsewhere: tuple[Path, str]) -> None:
    folder, model_id = elsewhere
    drupe.set_tracking_uri("sqlite:///theirs.db")
    with drupe.start_run():
        drupe.set_tracking_uri("sqlite:///ours.db")
        result = drupe.evaluate(folder, table, **MANNER)
    assert result.model_id == model_id
    theirs = drupe.Client("sqlite:///theirs.db").get_logged_model(model_id)
    assert {one.key: one.value for one in theirs.metrics} == result.metrics


def test_results_are_not_those_of_another_model_that_the_run_makes(table: pd.DataFrame, model: Any, elsewhere: tuple[Path, str]) -> None:
    folder, _ = elsewhere
    with drupe.start_run():
        before = drupe.log_model(model, name="before", pip_requirements=["scikit-learn"])
        drupe.evaluate(folder, table, **MANNER)
        after = drupe.log_model(model, name="after", pip_requirements=["scikit-learn"])
    assert drupe.get_logged_model(str(before.model_id)).metrics == ()
    assert drupe.get_logged_model(str(after.model_id)).metrics == ()


def test_the_active_model_has_the_results_of_a_model_from_elsewhere(table: pd.DataFrame, elsewhere: tuple[Path, str]) -> None:
    folder, _ = elsewhere
    with drupe.start_run(), drupe.set_active_model(name="brought-in") as brought:
        result = drupe.evaluate(folder, table, **MANNER)
    assert result.model_id == brought.model_id
    assert {one.key for one in drupe.get_logged_model(brought.model_id).metrics} == set(result.metrics)


@pytest.mark.parametrize("claim", [NOBODY, "../../x", "m-short", ""])
def test_what_a_folder_says_it_is_may_be_anything(claim: str, table: pd.DataFrame, model: Any) -> None:
    drupe.sklearn.save_model(model, "folder", pip_requirements=["scikit-learn"])
    text = (Path("folder") / "MLmodel").read_text()
    claimed = Path(shutil.copytree("folder", "claimed"))
    (claimed / "manifest.json").unlink()
    (claimed / "MLmodel").write_text("".join(line for line in text.splitlines(True) if "model_id" not in line) + f"model_id: '{claim}'\n")
    result = drupe.evaluate(claimed, table.drop(columns="kind"), **MANNER)
    assert result.model_id is None
    assert drupe.get_run(str(result.run_id)).data.metrics == result.metrics


def test_an_id_that_was_given_must_be_known_before_anything_is_computed(table: pd.DataFrame) -> None:
    asked: list[Any] = []
    with pytest.raises(LoggedModelNotFound, match=NOBODY):
        drupe.evaluate(asked.append, table, model_id=NOBODY, **MANNER)
    assert asked == []
    assert drupe.search_runs(output_format="list") == []
