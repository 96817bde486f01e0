"""Recorded stores of MLflow 2 and 3 arrive as MLflow's own client read them."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.artifacts.repos import repo_for
from drupe.artifacts.resolve import locate
from drupe.artifacts.trees import list_tree
from drupe.entities import ModelOutput, Run, ViewType, gather
from drupe.search.parse import parse
from drupe.search.query import Kind

from .conftest import EXPECTED, Brought

NAMES = sorted(EXPECTED)
HISTORY = "mlflow.log-model.history"


def shown(value: float) -> Any:
    return value if math.isfinite(value) else str(value)


def each_once(points: list[list[Any]]) -> list[list[Any]]:
    """A file store repeats what was logged twice; a point is a point."""
    return sorted([list(point) for point in {tuple(point) for point in points}], key=str)


def told(here: Brought, run: Run) -> dict[str, Any]:
    """A run as `expected.json` describes one."""
    info, data = run.info, run.data
    series = here.tracking.metric_bulk([info.run_id])
    return {
        "run_id": info.run_id,
        "run_name": info.run_name,
        "status": info.status,
        "lifecycle_stage": info.lifecycle_stage,
        "start_time": info.start_time,
        "end_time": info.end_time,
        "params": data.params,
        "tags": {key: value for key, value in data.tags.items() if key != HISTORY},
        "has_log_model_history_tag": HISTORY in data.tags,
        "latest_metrics": {key: shown(value) for key, value in data.metrics.items()},
        "metric_history_as_step_timestamp_value": {
            one.key: each_once([[step, time, shown(value)] for step, time, value in one.points]) for one in series
        },
        "dataset_inputs": [
            {
                "name": one.dataset.name,
                "digest": one.dataset.digest,
                "source_type": one.dataset.source_type,
                "tags": {tag.key: tag.value for tag in one.tags},
            }
            for one in run.inputs.dataset_inputs
        ],
        "artifacts": [[file.path, file.file_size] for file in list_tree(repo_for(info.artifact_uri))],
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_run_arrives_as_mlflow_reads_it(name: str, unpack: Callable[[str], Path], here: Brought) -> None:
    report = here.bring(unpack(name))
    assert report.is_whole
    assert report.digest is not None
    found = gather(
        lambda limit, token: here.tracking.search_experiments(
            parse(Kind.EXPERIMENTS, None, None), view=ViewType.ALL, limit=limit, page_token=token
        ),
        page_size=100,
    )
    arrived = {one.name: (one.experiment_id, one.lifecycle_stage.value, dict(one.tags)) for one in found}
    assert arrived == {one["name"]: (one["experiment_id"], one["lifecycle_stage"], one["tags"]) for one in EXPECTED[name]["experiments"]}
    for experiment in EXPECTED[name]["experiments"]:
        runs = here.tracking.search_runs(
            parse(Kind.RUNS, None, ["attributes.start_time ASC"]), experiment_ids=[experiment["experiment_id"]], view=ViewType.ALL
        )
        wanted = [dict(run) for run in experiment["runs"]]
        for run in wanted:
            history = run["metric_history_as_step_timestamp_value"]
            run["metric_history_as_step_timestamp_value"] = {key: each_once(points) for key, points in history.items()}
        assert [told(here, run) for run in runs] == wanted


@pytest.mark.parametrize("name", NAMES)
def test_every_registered_model_arrives_as_mlflow_reads_it(name: str, unpack: Callable[[str], Path], here: Brought) -> None:
    here.bring(unpack(name))
    wanted = EXPECTED[name]["registered_models"]
    models = here.registry.search_registered_models(parse(Kind.REGISTERED_MODELS, None, None))
    assert sorted(model.name for model in models) == [model["name"] for model in wanted]
    for model in wanted:
        kept = here.registry.get_registered_model(model["name"])
        assert kept.description == (model["description"] or "")
        assert (kept.tags, kept.aliases) == (model["tags"], {alias: str(number) for alias, number in model["aliases"].items()})
        for version in model["versions"]:
            one = here.registry.get_model_version(model["name"], version["version"])
            assert (one.current_stage, one.description, one.tags) == (version["stage"], version["description"] or "", version["tags"])
            assert (one.status, one.run_id) == (version["status"], version["run_id"])
    assert here.registry.create_model_version("iris-classifier", "s3://bucket/new").version == "5", "version 4 was deleted there"


@pytest.mark.parametrize("name", [name for name in NAMES if "3_17" in name])
def test_every_logged_model_arrives_as_mlflow_reads_it(name: str, unpack: Callable[[str], Path], here: Brought) -> None:
    report = here.bring(unpack(name))
    count = 0
    for experiment in EXPECTED[name]["experiments"]:
        found = here.tracking.search_logged_models(parse(Kind.LOGGED_MODELS), experiment_ids=[experiment["experiment_id"]])
        assert [
            {
                "metrics": [[one.key, one.value, one.step] for one in model.metrics],
                "model_id": model.model_id,
                "name": model.name,
                "source_run_id": model.source_run_id,
                "status": model.status.value,
            }
            for model in found
        ] == experiment["logged_models"]
        for model in found:
            count += 1
            assert here.tracking.get_run(model.source_run_id or "").outputs.model_outputs == (ModelOutput(model.model_id, 0),)
            assert {one.run_id for one in model.metrics} == {model.source_run_id}
            assert model.params == {"x": "1"}
            assert "MLmodel" in [file.path for file in list_tree(repo_for(model.artifact_location))]
    assert (report.logged_models.new, report.model_ties, count) == (2, 2, 2)


@pytest.mark.parametrize("name", NAMES)
def test_versions_point_to_the_files_that_were_copied(name: str, unpack: Callable[[str], Path], here: Brought) -> None:
    here.bring(unpack(name))
    for number in ("1", "2", "3"):
        source = here.registry.get_model_version("iris-classifier", number).source
        assert source.startswith("models:/m-") == ("3_17" in name), "a logged model is named as it was there"
        repo, path = locate(f"models:/iris-classifier/{number}", tracking=here.tracking, registry=here.registry)
        assert repo.is_file(path / "MLmodel")
    assert here.registry.get_model_version("churn-model", "1").source == "s3://bucket/models/churn"


@pytest.mark.parametrize("name", NAMES)
def test_a_second_import_changes_nothing(name: str, unpack: Callable[[str], Path], here: Brought) -> None:
    source = unpack(name)
    first = here.bring(source)
    second = here.bring(source)
    assert second.digest == first.digest
    assert {what: (tally.new, tally.extended) for what, tally in second.tallies().items()} == dict.fromkeys(first.tallies(), (0, 0))
    assert {what: tally.unchanged for what, tally in second.tallies().items()} == {what: one.total for what, one in first.tallies().items()}
    assert second.losses == first.losses


@pytest.mark.parametrize("name", NAMES)
def test_a_dry_run_tells_the_same_and_writes_nothing(name: str, unpack: Callable[[str], Path], here: Brought, tmp_path: Path) -> None:
    source = unpack(name)
    dry = here.bring(source, is_dry_run=True)
    assert here.tracking.count_runs(parse(Kind.RUNS, None, None), view=ViewType.ALL) == 0
    assert list(here.registry.search_registered_models(parse(Kind.REGISTERED_MODELS, None, None))) == []
    assert not (tmp_path / "here-artifacts").exists()
    real = here.bring(source)
    assert {what: tally.new for what, tally in dry.tallies().items()} == {what: tally.new for what, tally in real.tallies().items()}
    assert (dry.points, dry.params, dry.tags, dry.file_bytes) == (real.points, real.params, real.tags, real.file_bytes)
    assert (dry.losses, dry.digest) == (real.losses, None)


@pytest.mark.parametrize("name", NAMES)
def test_linked_artifacts_are_read_where_they_lie(name: str, unpack: Callable[[str], Path], here: Brought, tmp_path: Path) -> None:
    report = here.bring(unpack(name), link=True)
    assert report.is_whole
    assert not (tmp_path / "here-artifacts").exists()
    full = [run for experiment in EXPECTED[name]["experiments"] for run in experiment["runs"] if run["run_name"] == "full"]
    for run in full:
        address = here.tracking.get_run(run["run_id"]).info.artifact_uri
        assert [[file.path, file.file_size] for file in list_tree(repo_for(address))] == run["artifacts"]


def test_what_has_no_place_is_told_with_its_count(unpack: Callable[[str], Path], here: Brought) -> None:
    report = here.bring(unpack("db_3_17_2"))
    assert {(loss.what, loss.count, loss.is_damage) for loss in report.losses} == {
        ("trace", 1, False),
        ("assessment of a trace", 1, False),
    }


def test_prompts_come_as_the_registered_models_that_they_are(unpack: Callable[[str], Path], here: Brought) -> None:
    here.bring(unpack("db_3_17_2"))
    (prompt,) = EXPECTED["db_3_17_2"]["prompts"]
    asked = parse(Kind.REGISTERED_MODELS, "tags.`mlflow.prompt.is_prompt` = 'true'", None)
    (kept,) = here.registry.search_registered_models(asked)
    assert (kept.name, kept.aliases) == (prompt["name"], prompt["aliases"])
    assert here.registry.get_model_version("greeting", "2").tags["mlflow.prompt.text"] == "Hi {{name}}!"
