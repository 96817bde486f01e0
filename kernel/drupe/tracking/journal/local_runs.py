"""Runs as their journals tell, for those that no store has yet: what `offline` answers reads with.

A run is followed: what was read once is not read again. Points are not kept, only what is known of each series; `points_of` reads them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import define, field

from drupe.entities import (
    DatasetInput,
    LifecycleStage,
    MetricSummary,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    NewRun,
    Parcel,
    Points,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
)
from drupe.entities.metrics import rank
from drupe.errors import StoreCorrupt
from drupe.tracking.journal.cursor import Cursor, read_header, writers_in
from drupe.tracking.journal.folding import fold
from drupe.tracking.journal.places import STAGED

__all__ = ["NAME_TAG", "LocalRun", "points_of"]

NAME_TAG = "mlflow.runName"

_Point = tuple[int, int, float]


@define
class _Series:
    """What is known of the points of one metric. One that was logged twice counts twice."""

    first: _Point
    last: _Point
    count: int = 0
    numbers: int = 0
    total: float = 0.0
    low: tuple[float, int] | None = None
    high: tuple[float, int] | None = None

    def add(self, points: Points) -> None:
        """Take in more points; their greatest is looked for among those of the greatest step only."""
        self.first = min(self.first, *_at_step(points, min(points.steps)), key=lambda point: rank(*point))
        self.last = max(self.last, *_at_step(points, max(points.steps)), key=lambda point: rank(*point))
        self.count += len(points)
        numbers = [value for value in points.values if value == value]
        if numbers:
            low, high = min(numbers), max(numbers)
            lows = [step for step, _, value in points if value == low]
            highs = [step for step, _, value in points if value == high]
            if self.low is None or (low, min(lows)) < self.low:
                self.low = (low, min(lows))
            if self.high is None or (high, -min(highs)) > (self.high[0], -self.high[1]):
                self.high = (high, min(highs))
            self.numbers += len(numbers)
            self.total += sum(numbers)

    def summary(self) -> MetricSummary:
        """The same as a value."""
        nan = math.nan
        return MetricSummary(
            count=self.count,
            first=self.first[2],
            last=self.last[2],
            last_step=self.last[0],
            last_timestamp=self.last[1],
            min=self.low[0] if self.low else nan,
            max=self.high[0] if self.high else nan,
            mean=self.total / self.numbers if self.numbers else nan,
            argmin=self.low[1] if self.low else None,
            argmax=self.high[1] if self.high else None,
        )


@define
class LocalRun:
    """What the journals in one folder amount to, as far as `follow` has read them. `new` is None until one says how the run began."""

    folder: Path
    new: NewRun | None = None
    status: RunStatus = RunStatus.RUNNING
    end_time: int | None = None
    params: dict[str, str] = field(factory=dict)
    tags: dict[str, str] = field(factory=dict)
    inputs: list[DatasetInput] = field(factory=list)
    models: list[NewLoggedModel] = field(factory=list)
    used: dict[str, None] = field(factory=dict)
    made: dict[str, int] = field(factory=dict)
    measured: dict[str, list[ModelPoints]] = field(factory=dict)
    _series: dict[str, _Series] = field(factory=dict)
    _cursors: dict[str, Cursor] = field(factory=dict)

    def follow(self) -> LocalRun | None:
        """Read what was logged since the last time; None where the journals do not say how the run began, or are shipped. Raises StoreCorrupt."""
        found = writers_in(self.folder)
        try:
            self._follow(found)
        except (StoreCorrupt, FileNotFoundError):
            if all(path.exists() for files in found.values() for path in files):
                raise
            return None  # `drupe sync` has shipped and deleted them a moment ago
        return self if self.new is not None else None

    def _follow(self, found: Mapping[str, list[Path]]) -> None:
        for writer, files in found.items():
            cursor = self._cursors.setdefault(writer, Cursor([]))
            cursor.files += files[len(cursor.files) :]
        for writer in sorted(found, key=lambda writer: int(read_header(found[writer][0])["made_ms"])):
            while stretch := self._cursors[writer].read():
                self._take(fold(self.folder.name, writer, stretch))

    def read(self) -> Run:
        """The run as a value; its artifacts are those that wait in its folder."""
        assert self.new is not None
        summaries = {key: series.summary() for key, series in self._series.items()}
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
        return Run(
            info,
            RunData(metrics, dict(self.params), dict(self.tags), summaries),
            RunInputs(tuple(self.inputs), tuple(map(ModelInput, self.used))),
            RunOutputs(tuple(ModelOutput(model_id, step) for model_id, step in self.made.items())),
        )

    def _take(self, parcel: Parcel) -> None:
        if parcel.new is not None and self.new is None:
            self.new = parcel.new
            self.tags = {**parcel.new.tags, **self.tags}
        for key in parcel.removed_tags:
            self.tags.pop(key, None)
        self.tags.update(parcel.batch.tags)
        self.params = {**parcel.batch.params, **self.params}
        self.inputs += [used for used in parcel.inputs if used.dataset not in [one.dataset for one in self.inputs]]
        self.status = parcel.status or self.status
        self.end_time = self.end_time if parcel.end_time is None else parcel.end_time
        self.models += [new for new in parcel.models if new.model_id not in {one.model_id for one in self.models}]
        self.used |= {one.model_id: None for one in parcel.model_inputs}
        self.made = {**{one.model_id: one.step for one in parcel.model_outputs}, **self.made}
        for given in parcel.batch.model_points:
            self.measured.setdefault(given.model_id, []).append(given)
        for key, points in _series_of(parcel):
            point = (points.steps[0], points.timestamps[0], points.values[0])
            self._series.setdefault(key, _Series(point, point)).add(points)


def points_of(folder: Path) -> dict[str, Points]:
    """All points in the journals of one run, by metric, sorted by rank, each once. Raises StoreCorrupt."""
    found: dict[str, dict[tuple[int, int, float, bool], _Point]] = {}
    for writer, files in writers_in(folder).items():
        for parcel in _parcels(folder.name, writer, files):
            for key, points in _series_of(parcel):
                kept = found.setdefault(key, {})
                for point in points:
                    kept.setdefault(rank(*point), point)
    return {key: Points.of(kept[place] for place in sorted(kept)) for key, kept in found.items()}


def _series_of(parcel: Parcel) -> Iterator[tuple[str, Points]]:
    yield from parcel.batch.metrics.items()
    yield from ((one.key, one.points) for one in parcel.batch.model_points)


def _parcels(run_id: str, writer: str, files: list[Path]) -> Iterator[Parcel]:
    cursor = Cursor(files)
    while stretch := cursor.read():
        yield fold(run_id, writer, stretch)


def _at_step(points: Points, wanted: int) -> list[_Point]:
    if points.steps.count(wanted) == 1:
        place = points.steps.index(wanted)
        return [(wanted, points.timestamps[place], points.values[place])]
    return [point for point in points if point[0] == wanted]
