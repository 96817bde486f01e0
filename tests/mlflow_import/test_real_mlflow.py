"""Stores that real MLflow has just filled arrive as MLflow's own client reads them: from its server, its SQLite file, and PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drupe.artifacts.repos import repo_for
from drupe.artifacts.resolve import locate
from drupe.artifacts.trees import list_tree
from drupe.entities import ViewType
from drupe.extend import RegistryStore, TrackingStore
from drupe.loading import catalog
from drupe.migrate.bringing import Options, bring
from drupe.migrate.report import ImportReport
from drupe.search.parse import parse
from drupe.search.query import Kind
from drupe.uris import Uri
from tests.real_mlflow.environments import RELEASES
from tests.real_mlflow.process import RealMlflow

from .conftest import INSIDE, Source, serving

HISTORY = "mlflow.log-model.history"


class Here:
    """A new store, and importing into it."""

    def __init__(self, folder: Path) -> None:
        address = Uri.parse(f"sqlite:///{folder}/here.db")
        self.tracking: TrackingStore = catalog().open("drupe_tracking_stores", address)
        self.registry: RegistryStore = catalog().open("drupe_registry_stores", address)

    def bring(self, source: str) -> ImportReport:
        opened = catalog().open("drupe_import_sources", Uri.parse(source, query=True, user_info=True))
        try:
            return bring(opened, self.tracking, self.registry, options=Options())
        finally:
            opened.close()

    def describe(self) -> dict[str, Any]:
        """What is here, in the form in which `inside_mlflow.py` tells it."""
        experiments = self.tracking.search_experiments(parse(Kind.EXPERIMENTS, None, None), view=ViewType.ALL)
        runs = self.tracking.search_runs(parse(Kind.RUNS, None, None), experiment_ids=None, view=ViewType.ALL)
        models = self.registry.search_registered_models(parse(Kind.REGISTERED_MODELS, None, None))
        versions = self.registry.search_model_versions(parse(Kind.MODEL_VERSIONS, None, None))
        return {
            "experiments": {
                one.experiment_id: [one.name, one.lifecycle_stage.value, dict(one.tags), one.creation_time]
                for one in experiments
                if one.experiment_id != "0"
            },
            "runs": {
                run.info.run_id: {
                    "experiment": run.info.experiment_id,
                    "name": run.info.run_name,
                    "status": run.info.status.value,
                    "stage": run.info.lifecycle_stage.value,
                    "start": run.info.start_time,
                    "end": run.info.end_time,
                    "params": dict(run.data.params),
                    "tags": dict(run.data.tags),
                    "history": {
                        one.key: sorted(
                            [[step, at, value if math.isfinite(value) else str(value)] for step, at, value in one.points], key=str
                        )
                        for one in self.tracking.metric_bulk([run.info.run_id])
                    },
                    "inputs": [
                        [one.dataset.name, one.dataset.digest, {tag.key: tag.value for tag in one.tags}]
                        for one in run.inputs.dataset_inputs
                    ],
                    "files": {file.path: file.file_size for file in list_tree(repo_for(run.info.artifact_uri))},
                    "models": sorted(
                        [
                            *([one.model_id, None] for one in run.inputs.model_inputs),
                            *(
                                [one.model_id, one.step]
                                for one in map(self.tracking.get_run, [run.info.run_id])
                                for one in one.outputs.model_outputs
                            ),
                        ],
                        key=str,
                    ),
                }
                for run in runs
            },
            "logged": {
                one.model_id: {
                    "experiment": one.experiment_id,
                    "name": one.name,
                    "type": one.model_type,
                    "run": one.source_run_id,
                    "status": one.status.value,
                    "created": one.creation_timestamp,
                    "tags": dict(one.tags),
                    "params": dict(one.params),
                    "metrics": {
                        f"{metric.key} {metric.run_id} {metric.dataset_name or ''} {metric.dataset_digest or ''}": [
                            metric.step,
                            metric.timestamp,
                            metric.value,
                        ]
                        for metric in one.metrics
                    },
                }
                for one in self.tracking.search_logged_models(parse(Kind.LOGGED_MODELS), experiment_ids=None)
            },
            "models": {
                model.name: {
                    "description": model.description,
                    "tags": dict(model.tags),
                    "aliases": dict(model.aliases),
                    "created": model.creation_timestamp,
                    "versions": {
                        one.version: [one.current_stage.value, one.description, dict(one.tags), one.run_id, one.creation_timestamp]
                        for one in versions
                        if one.name == model.name
                    },
                }
                for model in models
            },
        }


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    made = Here(tmp_path)
    yield made
    made.tracking.close()
    made.registry.close()


def check(here: Here, report: ImportReport, wanted: dict[str, Any]) -> None:
    wanted = {**wanted, "experiments": {number: one for number, one in wanted["experiments"].items() if number != "0"}}
    assert here.describe() == wanted, "the default experiment is here from the start"
    assert report.is_whole
    assert {loss.what for loss in report.losses} <= {"tie to a logged model"}
    repo, path = locate("models:/pear/1", tracking=here.tracking, registry=here.registry)
    assert repo.is_file(path / "MLmodel")
    assert here.registry.get_model_version("pear", "3").source == "s3://bucket/3"
    for one in here.tracking.search_logged_models(parse(Kind.LOGGED_MODELS, "name = 'pie'"), experiment_ids=None):
        assert [(file.path, file.file_size) for file in list_tree(repo_for(one.artifact_location))] == [("deep/a b.txt", 5)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("release", list(RELEASES))
def test_a_server_and_then_its_database_arrive_as_mlflow_reads_them(
    release: str, source_of: Callable[[str], Source], here: Here, tmp_path: Path
) -> None:
    source = source_of(release)
    report = here.bring(source.address)
    check(here, report, source.holds)
    again = here.bring(source.address)
    assert (again.runs.new, again.runs.extended, again.logged_models.new, again.files.new) == (0, 0, 0, 0)
    assert again.digest == report.digest
    (tmp_path / "other").mkdir()
    other = Here(tmp_path / "other")
    try:
        from_database = other.bring(str(source.database))
        assert other.describe() == here.describe()
        gone = 1 if source.holds["logged"] else 0  # a database shows what was deleted
        assert from_database.logged_models.new == report.logged_models.new + gone
        assert from_database.files.new == report.files.new
    finally:
        other.tracking.close()
        other.registry.close()


@pytest.mark.timeout(600)
def test_a_postgresql_database_arrives_as_mlflow_reads_it(mlflow_of: Callable[[str], RealMlflow], postgres_server: Any, here: Here) -> None:
    mlflow = mlflow_of("3.17.2")
    database = postgres_server.address(postgres_server.new_database())
    mlflow.ask(INSIDE, "fill", database)
    wanted = mlflow.ask(INSIDE, "describe", database)
    opened = catalog().open("drupe_import_sources", Uri.parse(database, user_info=True))
    folder = mlflow.folder / "mlruns"
    try:
        report = bring(opened, here.tracking, here.registry, options=Options(roots=((str(folder), folder),)))
    finally:
        opened.close()
    check(here, report, wanted)
    assert database not in report.source, "it holds the password"
    assert report.source.startswith("MLflow database postgresql://")


@pytest.mark.timeout(600)
def test_mlflows_client_finds_and_loads_on_our_server_what_was_carried_over(
    source_of: Callable[[str], Source], mlflow_of: Callable[[str], RealMlflow], here: Here, tmp_path: Path
) -> None:
    source = source_of("3.17.2")
    here.bring(source.address)
    with serving(tmp_path) as address:
        found = mlflow_of("3.17.2").ask(INSIDE, "describe", address)
        assert found["runs"] == source.holds["runs"]
        assert found["logged"] == source.holds["logged"]
        (model_id,) = (one for one, told in found["logged"].items() if told["name"] == "model")
        for model in (f"models:/{model_id}", "models:/pear/1", "models:/pear@champion"):
            assert mlflow_of("3.17.2").ask(INSIDE, "load", address, model) == [21]
