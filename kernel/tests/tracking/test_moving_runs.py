"""Moving runs to another experiment with the Python API, while they are logged to and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import drupe
from drupe.errors import ExperimentNotFound, InvalidValue, RunNotFound
from drupe.testing.plugin import drupe_workspace, use_plugin

__all__ = ["drupe_workspace", "use_plugin"]


@pytest.fixture(autouse=True)
def _two_experiments() -> Iterator[None]:
    drupe.set_experiment("draft")
    drupe.create_experiment("final")
    yield
    drupe.end_run()


def test_a_run_that_is_being_logged_to_goes_on_in_its_new_experiment() -> None:
    with drupe.start_run() as run:
        drupe.log_metric("loss", 0.5, step=0)
        drupe.move_runs(run.info.run_id, experiment_name="final")
        drupe.log_metric("loss", 0.25, step=1)
        drupe.log_param("lr", 0.1)
        drupe.log_text("words", "note.txt")
        model = drupe.log_model(lambda rows: rows, "echo", step=1)
    (found,) = drupe.search_runs(experiment_names=["final"], filter_string="params.lr = '0.1' AND metrics.loss < 0.3", output_format="list")
    assert found.info.run_id == run.info.run_id
    assert found.info.status == drupe.RunStatus.FINISHED
    assert [metric.value for metric in drupe.get_metric_history(run.info.run_id, "loss")] == [0.5, 0.25]
    assert found.info.artifact_uri == run.info.artifact_uri
    assert drupe.get_logged_model(str(model.model_id)).experiment_id == found.info.experiment_id
    assert drupe.load_model(model.model_uri).predict([1]) == [1]
    assert drupe.search_runs(experiment_names=["draft"], output_format="list") == []


def test_runs_are_moved_by_id_or_name_of_the_experiment_and_plugins_hear_of_it(use_plugin: Any) -> None:
    heard = []

    class Listener:
        DRUPE_API = "1.0"

        @drupe.extend.hookimpl
        def drupe_event(self, event: Any) -> None:
            if isinstance(event, drupe.extend.RunMoved):
                heard.append((event.run_id, event.experiment_id))

    use_plugin("listener", Listener())
    ids = []
    for _ in range(2):
        with drupe.start_run() as run:
            ids.append(run.info.run_id)
    final = drupe.get_experiment_by_name("final")
    assert final is not None
    drupe.move_runs(ids, final.experiment_id)
    assert {run.info.run_id for run in drupe.search_runs([final.experiment_id], output_format="list")} == set(ids)
    assert heard == [(run_id, final.experiment_id) for run_id in ids]


def test_what_cannot_be_moved_is_told_in_one_sentence() -> None:
    with drupe.start_run() as run:
        pass
    with pytest.raises(ExperimentNotFound, match="no experiment is named 'nowhere'"):
        drupe.move_runs(run.info.run_id, experiment_name="nowhere")
    with pytest.raises(InvalidValue, match="either experiment_id or experiment_name"):
        drupe.move_runs(run.info.run_id)
    with pytest.raises(RunNotFound, match="no run has the id 'unknown'; none was moved"):
        drupe.move_runs([run.info.run_id, "unknown"], experiment_name="final")
    assert drupe.get_run(run.info.run_id).info.experiment_id == run.info.experiment_id
