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
    Metric,
    MetricSummary,
    ModelVersion,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
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
    }


def test_an_empty_run_keeps_its_three_objects_and_nothing_else() -> None:
    form = to_plain(Run(INFO))
    assert (form["data"], form["inputs"]) == ({}, {})


@pytest.mark.parametrize(
    "thing",
    [
        Run(INFO, RunData({"loss": 0.5}, {"lr": "0.1"}, {"team": "x"}, {"loss": SUMMARY})),
        Run(INFO, inputs=RunInputs((DatasetInput(Dataset("iris", "d1", schema="{}"), (InputTag("a", ""),)),))),
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
