"""Runs as their journals tell, for those that no store has yet: what `offline` answers reads with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import define, evolve, field

from drupe.entities import (
    DatasetInput,
    LifecycleStage,
    MetricSummary,
    NewRun,
    Parcel,
    Points,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from drupe.entities.metrics import rank, summary_of
from drupe.tracking.journal.adoption import run_folders
from drupe.tracking.journal.cursor import Cursor, read_header, writers_in
from drupe.tracking.journal.folding import fold
from drupe.tracking.journal.places import STAGED

__all__ = ["LocalRun", "local_run", "local_runs"]

NAME_TAG = "mlflow.runName"


@define
class LocalRun:
    """What the journals in one folder amount to. `series` are sorted by rank, each point once."""

    folder: Path
    new: NewRun
    status: RunStatus = RunStatus.RUNNING
    end_time: int | None = None
    params: dict[str, str] = field(factory=dict)
    tags: dict[str, str] = field(factory=dict)
    series: dict[str, Points] = field(factory=dict)
    inputs: list[DatasetInput] = field(factory=list)

    def read(self) -> Run:
        """The run as a value; its artifacts are those that wait in its folder."""
        summaries: dict[str, MetricSummary] = {key: summary_of(points) for key, points in self.series.items()}
        info = RunInfo(
            run_id=self.folder.name,
            experiment_id=self.new.experiment_id,
            run_name=self.tags.get(NAME_TAG) or self.new.run_name or "",
            user_id=self.new.user_id,
            status=self.status,
            start_time=self.new.start_time,
            end_time=self.end_time,
            lifecycle_stage=LifecycleStage.ACTIVE,
            artifact_uri=(self.folder / STAGED).absolute().as_uri(),
        )
        metrics = {key: summary.last for key, summary in summaries.items()}
        return Run(info, RunData(metrics, dict(self.params), dict(self.tags), summaries), RunInputs(tuple(self.inputs)))

    def take(self, parcel: Parcel) -> None:
        """Take in what a part of a journal does to the run."""
        for key in parcel.removed_tags:
            self.tags.pop(key, None)
        self.tags |= parcel.batch.tags
        self.params = {**parcel.batch.params, **self.params}
        self.inputs += [used for used in parcel.inputs if used.dataset not in [one.dataset for one in self.inputs]]
        self.status = parcel.status or self.status
        self.end_time = self.end_time if parcel.end_time is None else parcel.end_time
        for key, points in parcel.batch.metrics.items():
            known = {rank(*point): point for point in self.series.get(key, Points())}
            known = {**{rank(*point): point for point in points}, **known}
            self.series[key] = Points.of(known[place] for place in sorted(known))


def local_runs(root: Path) -> Iterator[LocalRun]:
    """Every run below a root that was started without its store."""
    for folder in run_folders(root):
        found = local_run(folder)
        if found is not None:
            yield found


def local_run(folder: Path) -> LocalRun | None:
    """The run in a folder; None where its journals do not say how it began. Raises StoreCorrupt."""
    parcels = list(_parcels(folder))
    new = next((parcel.new for parcel in parcels if parcel.new is not None), None)
    if new is None:
        return None
    run = LocalRun(folder, new, tags=dict(new.tags))
    for parcel in parcels:
        run.take(evolve(parcel, new=None))
    return run


def _parcels(folder: Path) -> Iterator[Parcel]:
    for writer, files in sorted(writers_in(folder).items(), key=lambda each: int(read_header(each[1][0])["made_ms"])):
        cursor = Cursor(files)
        while stretch := cursor.read():
            yield fold(folder.name, writer, stretch)
