"""A source in memory, for tests of what an import does with what a source has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, evolve, field

from drupe.entities import (
    Experiment,
    LifecycleStage,
    ModelVersion,
    Points,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    WholeModel,
    WholeRun,
)
from drupe.extend import FoundExperiment, FoundLoggedModel, FoundRun, ImportSource, Loss
from drupe.uris import Uri

__all__ = ["ShelfSource", "full_shelf", "model", "run", "version"]


@define(slots=False)
class ShelfSource(ImportSource):
    """What it has are its fields; `asked` are the ids of the runs that were read."""

    found: list[Experiment] = field(factory=list)
    runs: dict[str, WholeRun] = field(factory=dict)
    shelved: list[WholeModel] = field(factory=list)
    logged: list[FoundLoggedModel] = field(factory=list)
    files: dict[str, Path] = field(factory=dict)
    asked: list[str] = field(factory=list)

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> ShelfSource:
        return full_shelf()

    def close(self) -> None:
        pass

    def description(self) -> str:
        return "a shelf"

    def experiments(self) -> Iterator[FoundExperiment | Loss]:
        yield from map(FoundExperiment, self.found)

    def run_ids(self, experiment_id: str) -> Iterator[str]:
        yield from (run_id for run_id, one in self.runs.items() if one.run.info.experiment_id == experiment_id)

    def read_runs(self, experiment_id: str, run_ids: Sequence[str]) -> Iterator[FoundRun | Loss]:
        for run_id in run_ids:
            self.asked.append(run_id)
            if run_id in self.runs:
                yield FoundRun(self.runs[run_id])

    def logged_models(self, experiment_id: str) -> Iterator[FoundLoggedModel | Loss]:
        yield from (one for one in self.logged if one.model.experiment_id == experiment_id)

    def models(self) -> Iterator[WholeModel | Loss]:
        yield from self.shelved

    def roots(self) -> Sequence[tuple[str, Path]]:
        return list(self.files.items())


def run(run_id: str, experiment_id: str = "7", **info: Any) -> WholeRun:
    made = RunInfo(
        run_id,
        experiment_id,
        f"name of {run_id}",
        "ada",
        RunStatus.FINISHED,
        1000,
        2000,
        LifecycleStage.ACTIVE,
        f"/old/7/{run_id}/artifacts",
    )
    tags = {"mlflow.runName": f"name of {run_id}"}
    return WholeRun(Run(evolve(made, **info), RunData(params={"a": "1"}, tags=tags)), {"loss": Points.of([(0, 1, 0.5), (1, 2, 0.25)])})


def version(number: str, **given: Any) -> ModelVersion:
    return evolve(ModelVersion("pear", number, 1000 + int(number), 2000, f"/old/7/a{number}/artifacts/model", f"a{number}"), **given)


def model(*versions: ModelVersion, **given: Any) -> WholeModel:
    made = RegisteredModel("pear", 1000, 2000, "a pear", {"task": "x"}, {"champion": versions[-1].version})
    return WholeModel(evolve(made, **given), versions, max(int(one.version) for one in versions))


def full_shelf(count: int = 3) -> ShelfSource:
    runs = {f"a{number}": run(f"a{number}") for number in range(1, count + 1)}
    experiments = [
        Experiment("7", "fruit", "/old/7", LifecycleStage.ACTIVE, 500, 600, {"team": "a"}),
        Experiment("8", "gone", "s3://bucket/8", LifecycleStage.DELETED, 500, 600),
    ]
    runs["b1"] = run("b1", "8", artifact_uri="s3://bucket/8/b1/artifacts", lifecycle_stage=LifecycleStage.DELETED)
    return ShelfSource(experiments, runs, [model(version("1"), version("2"))])
