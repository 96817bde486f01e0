"""From frames to a parcel: what a stretch of a journal amounts to, however many calls it came from."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from itertools import compress
from typing import Any

from attrs import asdict, define, field

from drupe.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LogBatch,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewLoggedModel,
    NewRun,
    Origin,
    Parcel,
    Points,
    RunStatus,
)
from drupe.entities.endian import from_little_endian
from drupe.tracking.journal import layout
from drupe.tracking.journal.cursor import Stretch
from drupe.tracking.journal.layout import FrameKind

__all__ = ["dataset_form", "fold", "model_form", "model_points_form", "new_run_form", "ties_form"]

FEW_KEYS = 24


def fold(run_id: str, writer: str, stretch: Stretch) -> Parcel:
    """The parcel of a stretch. Its points are in the order of arrival, of params the first value counts, of tags the last."""
    folded = _Folded(stretch.keys)
    for kind, payload in stretch.frames:
        handle = _HANDLERS.get(kind)
        if isinstance(payload, layout.MetricRun):
            folded.run(payload)
        elif handle is not None:  # a kind of a later release says nothing that this one could keep
            handle(folded, payload)
    return Parcel(
        run_id=run_id,
        origin=Origin(writer, stretch.start, stretch.end),
        new=folded.new,
        batch=LogBatch(metrics=folded.metrics, params=folded.params, tags=folded.tags, model_points=folded.model_points()),
        removed_tags=tuple(folded.removed),
        inputs=tuple(folded.inputs),
        status=folded.status,
        end_time=folded.end_time,
        models=tuple(folded.models),
        model_inputs=tuple(map(ModelInput, folded.used)),
        model_outputs=tuple(ModelOutput(model_id, step) for model_id, step in folded.made.items()),
    )


def new_run_form(new: NewRun) -> dict[str, Any]:
    """A run to be made, as JSON takes it."""
    return asdict(new)


def dataset_form(used: DatasetInput) -> dict[str, Any]:
    """A dataset as used by a run, as JSON takes it."""
    return asdict(used)


def model_form(new: NewLoggedModel) -> dict[str, Any]:
    """A logged model to be made, as JSON takes it."""
    return asdict(new)


def ties_form(used: Iterable[str] = (), made: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Logged models that a run uses, and those that it has made with the step, as JSON takes them."""
    return {"used": list(used), "made": dict(made or {})}


def model_points_form(model_id: str, points: Iterable[tuple[str, int, int, float]], dataset: tuple[str, str] | None) -> dict[str, Any]:
    """Points (key, step, time, value) of a logged model on a dataset (name, digest), as JSON takes them."""
    return {"model_id": model_id, "dataset": dataset, "points": list(points)}


@define
class _Folded:
    keys: Mapping[int, str]
    new: NewRun | None = None
    metrics: dict[str, Points] = field(factory=dict)
    params: dict[str, str] = field(factory=dict)
    tags: dict[str, str] = field(factory=dict)
    removed: dict[str, None] = field(factory=dict)
    inputs: list[DatasetInput] = field(factory=list)
    status: RunStatus | None = None
    end_time: int | None = None
    models: list[NewLoggedModel] = field(factory=list)
    used: dict[str, None] = field(factory=dict)
    made: dict[str, int] = field(factory=dict)
    _of_models: dict[tuple[str, str, str | None, str | None], Points] = field(factory=dict)
    _columns: dict[int, Points] = field(factory=dict)

    def points_of(self, number: int) -> Points:
        """The column of a metric, by its number in the journal."""
        found = self._columns.get(number)
        if found is None:
            found = self._columns[number] = self.metrics.setdefault(self.keys[number], Points())
        return found

    def run(self, run: layout.MetricRun) -> None:
        """METRIC, many of them: column by column where few keys take turns, point by point where many do."""
        kinds = set(run.keys)
        if len(kinds) == 1:
            self.points_of(run.keys[0]).extend(_points(run.steps, run.times_ms, run.values))
        elif len(kinds) <= FEW_KEYS:
            for number in kinds:
                chosen = [key == number for key in run.keys]
                columns = compress(run.steps, chosen), compress(run.times_ms, chosen), compress(run.values, chosen)
                self.points_of(number).extend(_points(*columns))
        else:
            for number, step, time_ms, value in zip(run.keys, run.steps, run.times_ms, run.values, strict=True):
                self.points_of(number).append(step, time_ms, value)

    def metric(self, payload: memoryview) -> None:
        """METRIC and POINTS."""
        for number, step, time_ms, value in layout.POINT.iter_unpack(payload):
            self.points_of(number).append(step, time_ms, value)

    def series(self, payload: memoryview) -> None:
        """SERIES."""
        head = layout.HEAD_OF_SERIES.size
        number, count = layout.HEAD_OF_SERIES.unpack_from(payload)
        parts = [payload[head + n * count * 8 : head + (n + 1) * count * 8] for n in range(3)]
        columns = (from_little_endian(code, part) for code, part in zip("qqd", parts, strict=True))
        self.points_of(number).extend(Points(*columns))

    def new_run(self, payload: memoryview) -> None:
        """NEW."""
        self.new = NewRun(**layout.from_json(payload))

    def some_params(self, payload: memoryview) -> None:
        """PARAMS."""
        for key, value in layout.from_json(payload).items():
            self.params.setdefault(key, value)

    def some_tags(self, payload: memoryview) -> None:
        """TAGS."""
        for key, value in layout.from_json(payload).items():
            self.removed.pop(key, None)
            self.tags[key] = value

    def untag(self, payload: memoryview) -> None:
        """UNTAG."""
        key = layout.from_json(payload)
        self.tags.pop(key, None)
        self.removed[key] = None

    def some_inputs(self, payload: memoryview) -> None:
        """INPUTS."""
        for told in layout.from_json(payload):
            self.inputs.append(DatasetInput(Dataset(**told["dataset"]), tuple(InputTag(**tag) for tag in told["tags"])))

    def model_points(self) -> tuple[ModelPoints, ...]:
        """The points that are logged models' too."""
        return tuple(ModelPoints(model_id, key, points, *on) for (model_id, key, *on), points in self._of_models.items())

    def model(self, payload: memoryview) -> None:
        """MODEL."""
        self.models.append(NewLoggedModel(**layout.from_json(payload)))

    def ties(self, payload: memoryview) -> None:
        """MODEL_TIES."""
        told = layout.from_json(payload)
        self.used |= dict.fromkeys(told["used"])
        for model_id, step in told["made"].items():
            self.made.setdefault(model_id, step)

    def some_model_points(self, payload: memoryview) -> None:
        """MODEL_POINTS."""
        told = layout.from_json(payload)
        name, digest = told["dataset"] or (None, None)
        for key, *point in told["points"]:
            self._of_models.setdefault((told["model_id"], key, name, digest), Points()).append(*point)

    def change(self, payload: memoryview) -> None:
        """CHANGE."""
        told = layout.from_json(payload)
        self.status = RunStatus(told["status"]) if told.get("status") else self.status
        self.end_time = told.get("end_time", self.end_time)


def _points(steps: Iterable[int], times_ms: Iterable[int], values: Iterable[float]) -> Points:
    return Points(array("q", steps), array("q", times_ms), array("d", values))


_HANDLERS: Mapping[int, Callable[[_Folded, memoryview], None]] = {
    FrameKind.METRIC: _Folded.metric,
    FrameKind.POINTS: _Folded.metric,
    FrameKind.SERIES: _Folded.series,
    FrameKind.NEW: _Folded.new_run,
    FrameKind.PARAMS: _Folded.some_params,
    FrameKind.TAGS: _Folded.some_tags,
    FrameKind.UNTAG: _Folded.untag,
    FrameKind.INPUTS: _Folded.some_inputs,
    FrameKind.CHANGE: _Folded.change,
    FrameKind.MODEL: _Folded.model,
    FrameKind.MODEL_TIES: _Folded.ties,
    FrameKind.MODEL_POINTS: _Folded.some_model_points,
}
