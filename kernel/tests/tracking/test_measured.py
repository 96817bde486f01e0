"""Metrics that are a logged model's as well as the run's: through the journal, with a model, a step and a dataset."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import drupe
from drupe.client import Client
from drupe.entities import Dataset, Metric, ModelInput, ModelOutput, NewLoggedModel
from drupe.errors import InvalidName, InvalidValue, LoggedModelNotFound
from drupe.tracking import address

TEST = Dataset("test", "d1", "local", "test.csv")


def made(name: str = "clf") -> str:
    return Client().store.create_logged_model(NewLoggedModel("0", name=name)).model_id


def metrics_of(model_id: str) -> list[tuple[str, float, int, str | None]]:
    return [(one.key, one.value, one.step, one.dataset_name) for one in Client().store.get_logged_model(model_id).metrics]


def test_a_metric_of_a_model_is_the_runs_too_and_ties_model_and_dataset_to_the_run() -> None:
    model_id = made()
    with drupe.start_run() as run:
        drupe.log_metric("acc", 0.9, step=2, model_id=model_id, dataset=TEST)
        drupe.log_metrics({"acc": 0.8, "f1": 0.7}, step=3, model_id=model_id)
    assert metrics_of(model_id) == [("acc", 0.8, 3, None), ("acc", 0.9, 2, "test"), ("f1", 0.7, 3, None)]
    found = drupe.get_run(run.info.run_id)
    assert found.data.metrics == {"acc": 0.8, "f1": 0.7}
    assert found.data.summaries["acc"].count == 2
    assert found.inputs.model_inputs == (ModelInput(model_id),)
    assert [one.dataset.name for one in found.inputs.dataset_inputs] == ["test"]


def test_what_the_run_has_made_at_a_step_is_measured_at_that_step() -> None:
    model_id = made()
    with drupe.start_run() as run:
        Client().store.log_outputs(run.info.run_id, [ModelOutput(model_id, 7)])
    with drupe.start_run(run.info.run_id):
        drupe.log_metric("acc", 0.1, step=6)
        drupe.log_metric("acc", 0.2, step=7)
    assert metrics_of(model_id) == [("acc", 0.2, 7, None)]
    assert drupe.get_run(run.info.run_id).inputs.model_inputs == ()


def test_the_active_model_is_measured_where_no_other_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    model_id, other = made(), made("other")
    monkeypatch.setenv("MLFLOW_ACTIVE_MODEL_ID", model_id)
    drupe.tracking.chosen.reset()
    assert drupe.get_active_model_id() == model_id
    with drupe.start_run():
        drupe.log_metric("acc", 0.5, step=0)
        drupe.log_metric("acc", 0.25, step=1, model_id=other)
        drupe.clear_active_model()
        drupe.log_metric("acc", 0.125, step=2)
    assert (metrics_of(model_id), metrics_of(other)) == ([("acc", 0.5, 0, None)], [("acc", 0.25, 1, None)])


def test_a_model_that_is_not_there_is_an_error_before_anything_is_logged() -> None:
    with drupe.start_run() as run:
        with pytest.raises(LoggedModelNotFound):
            drupe.log_metric("acc", 0.5, model_id=f"m-{'0' * 32}")
        with pytest.raises(InvalidName, match="m- and 32"):
            drupe.log_metric("acc", 0.5, model_id="clf")
    assert drupe.get_run(run.info.run_id).data.metrics == {}


def test_what_is_measured_on_a_model_that_is_deleted_meanwhile_stays_the_runs() -> None:
    model_id, kept = made(), made("kept")
    with drupe.start_run() as run:
        drupe.log_metric("acc", 0.5, step=0, model_id=model_id)
        drupe.flush()
        Client().store.delete_logged_model(model_id)
        drupe.log_metric("acc", 0.75, step=1, model_id=model_id)
        drupe.log_metric("acc", 0.875, step=2, model_id=kept)
    assert [point.value for point in drupe.get_metric_history(run.info.run_id, "acc")] == [0.5, 0.75, 0.875]
    assert metrics_of(kept) == [("acc", 0.875, 2, None)]


def test_a_run_of_another_process_takes_metrics_of_models_directly() -> None:
    model_id, client = made(), Client()
    run_id = client.create_run("0").info.run_id
    drupe.log_metric("acc", 0.5, run_id=run_id, model_id=model_id, dataset=TEST)
    client.log_metric(run_id, "f1", 0.25, 1000, 2, dataset_name="test", dataset_digest="d1", model_id=model_id)
    client.log_batch(run_id, [Metric("auc", 0.75, 1000, 0, model_id=model_id), Metric("loss", 1.0, 1000)])
    assert metrics_of(model_id) == [("acc", 0.5, 0, "test"), ("auc", 0.75, 0, None), ("f1", 0.25, 2, "test")]
    assert client.get_run(run_id).inputs.model_inputs == (ModelInput(model_id),)
    assert set(client.get_run(run_id).data.metrics) == {"acc", "auc", "f1", "loss"}


def test_inputs_are_named_in_lists_or_one_by_one() -> None:
    model_id, second = made(), made("second")
    with drupe.start_run() as run:
        drupe.log_input(TEST, context="testing", model=ModelInput(model_id))
        drupe.log_inputs([Dataset("a", "1"), None], contexts=["training", None], models=[None, ModelInput(second)])
        with pytest.raises(InvalidValue, match="one length"):
            drupe.log_inputs([TEST], contexts=["a", "b"])
    found = drupe.get_run(run.info.run_id).inputs
    assert {one.model_id for one in found.model_inputs} == {model_id, second}
    assert {(one.dataset.name, one.tags[0].value) for one in found.dataset_inputs} == {("test", "testing"), ("a", "training")}


def test_metrics_of_models_survive_a_kill_and_are_told_once(workspace: Path) -> None:
    model_id = made()
    code = f"""
import os, signal, drupe
run = drupe.start_run()
print(run.info.run_id, flush=True)
for step in range(200):
    drupe.log_metric("acc", step / 200, step=step, timestamp=1000, model_id="{model_id}")
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), cwd=workspace)
    assert done.returncode == -signal.SIGKILL, done.stderr
    run_id = done.stdout.split()[0]
    address.close_stores()
    assert [point.step for point in drupe.get_metric_history(run_id, "acc")] == list(range(200))
    assert metrics_of(model_id) == [("acc", 199 / 200, 199, None)]
    assert drupe.get_run(run_id).inputs.model_inputs == (ModelInput(model_id),)
