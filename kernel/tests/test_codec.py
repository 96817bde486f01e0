"""The JSON forms of entities: MLflow's names out, the same entities back."""

from __future__ import annotations

import json
import math

import pytest

from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    FileInfo,
    InputTag,
    LifecycleStage,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    MetricSummary,
    ModelInput,
    ModelOutput,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    Stage,
)
from drupe.entities.codec import from_plain, to_plain
from drupe.errors import InvalidValue

INFO = RunInfo("ab" * 16, "3", "ripe-plum-7", "ada", RunStatus.RUNNING, 1000, None, LifecycleStage.ACTIVE, "file:///tmp/a")
SUMMARY = MetricSummary(3, 0.9, 0.5, 2, 1700, 0.5, 0.9, 0.7, 2, 0)


def test_a_run_has_the_shape_that_mlflow_clients_read() -> None:
    run = Run(
        INFO,
        RunData({"loss": 0.5}, {"lr": "0.1"}, {"team": "x"}, {"loss": SUMMARY}),
        RunInputs((DatasetInput(Dataset("iris", "d1", "code", "{}"), (InputTag("mlflow.data.context", "training"),)),)),
    )
    assert to_plain(run) == {
        "info": {
            "run_uuid": "ab" * 16,
            "run_id": "ab" * 16,
            "experiment_id": "3",
            "run_name": "ripe-plum-7",
            "user_id": "ada",
            "status": "RUNNING",
            "start_time": 1000,
            "lifecycle_stage": "active",
            "artifact_uri": "file:///tmp/a",
        },
        "data": {
            "metrics": [{"key": "loss", "value": 0.5, "timestamp": 1700, "step": 2}],
            "params": [{"key": "lr", "value": "0.1"}],
            "tags": [{"key": "team", "value": "x"}],
        },
        "inputs": {
            "dataset_inputs": [
                {
                    "dataset": {"name": "iris", "digest": "d1", "source_type": "code", "source": "{}"},
                    "tags": [{"key": "mlflow.data.context", "value": "training"}],
                }
            ]
        },
        "outputs": {},
    }


def test_an_empty_run_keeps_its_four_objects_and_nothing_else() -> None:
    form = to_plain(Run(INFO))
    assert (form["data"], form["inputs"], form["outputs"]) == ({}, {}, {})


PIE = LoggedModel(
    "m-1",
    "7",
    "pie",
    "file:///a/models/m-1/artifacts",
    5,
    6,
    LoggedModelStatus.FAILED,
    "tree",
    "ab" * 16,
    "disk full",
    {"team": "x"},
    {"depth": "3"},
    (Metric("acc", 0.5, 9, 2, "ab" * 16, "m-1", "iris", "d1"), Metric("loss", math.inf, 9, 2, "ab" * 16, "m-1")),
)


def test_a_logged_model_has_the_shape_that_mlflow_clients_read() -> None:
    assert to_plain(PIE) == {
        "info": {
            "model_id": "m-1",
            "experiment_id": "7",
            "name": "pie",
            "creation_timestamp_ms": 5,
            "last_updated_timestamp_ms": 6,
            "artifact_uri": "file:///a/models/m-1/artifacts",
            "status": "LOGGED_MODEL_UPLOAD_FAILED",
            "model_type": "tree",
            "source_run_id": "ab" * 16,
            "status_message": "disk full",
            "tags": [{"key": "team", "value": "x"}],
        },
        "data": {
            "params": [{"key": "depth", "value": "3"}],
            "metrics": [
                {
                    "key": "acc",
                    "value": 0.5,
                    "timestamp": 9,
                    "step": 2,
                    "run_id": "ab" * 16,
                    "model_id": "m-1",
                    "dataset_name": "iris",
                    "dataset_digest": "d1",
                },
                {"key": "loss", "value": "Infinity", "timestamp": 9, "step": 2, "run_id": "ab" * 16, "model_id": "m-1"},
            ],
        },
    }


def test_type_and_run_of_a_logged_model_are_empty_texts_when_unset() -> None:
    info = to_plain(LoggedModel("m-2", "0", "plain", "file:///a", 1, 1))["info"]
    assert (info["model_type"], info["source_run_id"], info["status"]) == ("", "", "LOGGED_MODEL_PENDING")
    assert "status_message" not in info


@pytest.mark.parametrize("form", [{}, {"info": {}}, {"info": {"model_id": 5, "experiment_id": "0"}}, {"info": [], "data": {}}])
def test_what_is_no_logged_model_is_refused(form: dict[str, object]) -> None:
    with pytest.raises(InvalidValue, match="not the form of a LoggedModel"):
        from_plain(form, LoggedModel)


@pytest.mark.parametrize(
    "thing",
    [
        Run(INFO, RunData({"loss": 0.5}, {"lr": "0.1"}, {"team": "x"}, {"loss": SUMMARY})),
        Run(INFO, inputs=RunInputs((DatasetInput(Dataset("iris", "d1", schema="{}"), (InputTag("a", ""),)),))),
        Run(INFO, inputs=RunInputs((), (ModelInput("m-1"),)), outputs=RunOutputs((ModelOutput("m-2", 7), ModelOutput("m-3")))),
        PIE,
        LoggedModel("m-2", "0", "plain", "file:///a", 1, 1),
        Experiment("7", "fruit", "file:///a", LifecycleStage.DELETED, 5, 6, {"a": "b"}),
        Experiment("7", "fruit", "file:///a"),
        Metric("loss", 0.25, 12, -3),
        FileInfo("plots/roc.png", False, 0),
        FileInfo("plots", True),
        ModelVersion("m", "3", 1, 2, "runs:/x/model", "x", "best", "ada", Stage.PRODUCTION, tags={"k": "v"}, aliases=("champion",)),
        RegisteredModel("m", 1, 2, "words", {"k": "v"}, {"champion": "3"}, (ModelVersion("m", "3", 1, 2, "s"),)),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_written_reads_back_equal_through_json_text(thing: object) -> None:
    assert from_plain(json.loads(json.dumps(to_plain(thing, extras=True))), type(thing)) == thing


def test_aliases_of_a_model_are_alias_and_version_pairs() -> None:
    form = to_plain(RegisteredModel("m", 1, 2, aliases={"champion": "3"}))
    assert form["aliases"] == [{"alias": "champion", "version": "3"}]


@pytest.mark.parametrize(("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")])
def test_numbers_that_json_lacks_travel_as_words(value: float, text: str) -> None:
    form = to_plain(Metric("loss", value, 1))
    assert form["value"] == text
    assert json.dumps(form, allow_nan=False)
    assert repr(from_plain(form, Metric).value) == repr(value)


def test_long_integers_may_arrive_as_texts() -> None:
    assert from_plain({"key": "loss", "value": 1, "timestamp": "1700000000000", "step": "5"}, Metric) == Metric(
        "loss", 1.0, 1700000000000, 5
    )


def test_unknown_fields_are_ignored() -> None:
    assert from_plain({"path": "a", "is_dir": True, "colour": "red"}, FileInfo) == FileInfo("a", True)


def test_a_metric_from_a_server_without_summaries_keeps_its_step_and_time() -> None:
    form = {"info": to_plain(INFO), "data": {"metrics": [{"key": "loss", "value": 0.5, "timestamp": 9, "step": 4}]}}
    summary = from_plain(form, Run).data.summaries["loss"]
    assert (summary.count, summary.last, summary.last_step, summary.last_timestamp) == (0, 0.5, 4, 9)


def test_every_fault_of_a_form_is_named() -> None:
    with pytest.raises(InvalidValue) as caught:
        from_plain({"key": 3, "value": "fast", "timestamp": 1}, Metric)
    assert "in key" in caught.value.message
    assert "in value" in caught.value.message


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InvalidValue, match="source"):
        from_plain({"name": "m", "version": "1", "creation_timestamp": 1, "last_updated_timestamp": 2}, ModelVersion)


def test_something_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidValue, match="form of a Run"):
        from_plain("run", Run)  # type: ignore[arg-type]
