"""What only drupe's clients and servers say to each other: whole parcels of a journal, signs of life, runs with summaries, series in columns.

MLflow's protocol has no words for these. Its clients never ask for them, and our client asks only servers that say that they are ours.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from drupe.entities import (
    DatasetInput,
    Heartbeat,
    LogBatch,
    ModelInput,
    ModelOutput,
    ModelPoints,
    NewRun,
    Origin,
    Param,
    ParamClash,
    Parcel,
    Points,
    RunStatus,
    RunTag,
    ViewType,
)
from drupe.entities.endian import from_little_endian, to_little_endian
from drupe.entities.limits import STEP_MAX
from drupe.errors import InvalidValue
from drupe.wire.logged_models import CreateLoggedModel, SearchedDataset, SortedBy, new_model_form, new_model_of
from drupe.wire.shapes import bounded, needed
from drupe.wire.tracking import CreateRun

__all__ = [
    "AskBeats",
    "AskSeries",
    "Beats",
    "Column",
    "FindLoggedModels",
    "FindRuns",
    "FullRun",
    "FullRuns",
    "LogColumns",
    "ModelColumn",
    "MoveRuns",
    "Position",
    "ReadRun",
    "SetExperimentTags",
    "Ship",
    "Shipped",
    "Writer",
    "batch_of",
    "columns_form",
    "parcel_of",
    "ship_form",
]


@frozen
class Column:
    """The points of one metric: `points` is base64 of `count` steps, then as many timestamps (both int64), then values (float64), little-endian."""

    key: str
    count: int
    points: str


@frozen
class ModelColumn:
    """Points of a run that are a logged model's too, as `Column`, and the dataset that they were measured on, if any."""

    model_id: str
    key: str
    count: int
    points: str
    dataset_name: str | None = None
    dataset_digest: str | None = None


@frozen
class LogColumns:
    """A batch of any size for one run, all or nothing."""

    run_id: str = needed()
    metrics: tuple[Column, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[RunTag, ...] = ()
    model_metrics: tuple[ModelColumn, ...] = ()


@frozen
class Ship:
    """A parcel: what the positions `start` to `end` of one writer's journal do to a run. Taken once, however often it is sent."""

    run_id: str = needed()
    writer: str = needed()
    start: int = needed()
    end: int = needed()
    new: CreateRun | None = None
    metrics: tuple[Column, ...] = ()
    params: tuple[Param, ...] = ()
    tags: tuple[RunTag, ...] = ()
    model_metrics: tuple[ModelColumn, ...] = ()
    removed_tags: tuple[str, ...] = ()
    inputs: tuple[DatasetInput, ...] = ()
    status: RunStatus | None = None
    end_time: int | None = None
    models: tuple[CreateLoggedModel, ...] = ()
    model_inputs: tuple[ModelInput, ...] = ()
    model_outputs: tuple[ModelOutput, ...] = ()


@frozen
class Shipped:
    """What became of a parcel."""

    clashes: tuple[ParamClash, ...] = ()
    is_repeat: bool = False


@frozen
class Writer:
    """To ask up to where its journal is in the store."""

    writer: str = needed()


@frozen
class Position:
    """0 for a writer that is not known."""

    position: int = 0


@frozen
class Beats:
    """Signs of life."""

    beats: tuple[Heartbeat, ...] = ()


@frozen
class AskBeats:
    """The signs of life of those of these runs that are running; of all, when none are named."""

    run_ids: tuple[str, ...] | None = None


@frozen
class ReadRun:
    """To read one run with the summaries of its metrics."""

    run_id: str = needed()


@frozen
class FullRun:
    """A run in MLflow's form, with `summaries` in its data."""

    run: Mapping[str, Any]


@frozen
class FindRuns:
    """As `SearchRuns`; no `experiment_ids` means all experiments."""

    experiment_ids: tuple[str, ...] | None = None
    filter: str | None = None
    order_by: tuple[str, ...] = ()
    view: ViewType | None = None
    limit: int | None = bounded(1, 50_000)
    page_token: str | None = None


@frozen
class FullRuns:
    """One page."""

    runs: tuple[Mapping[str, Any], ...] = ()
    next_page_token: str | None = None


@frozen
class FindLoggedModels:
    """As `SearchLoggedModels`; no `experiment_ids` means all experiments."""

    experiment_ids: tuple[str, ...] | None = None
    filter: str | None = None
    datasets: tuple[SearchedDataset, ...] = ()
    order_by: tuple[SortedBy, ...] = ()
    limit: int | None = bounded(1, 50_000)
    page_token: str | None = None


@frozen
class AskSeries:
    """The series of many runs at once, thinned to `buckets`; no `keys` means every metric."""

    run_ids: tuple[str, ...] = ()
    keys: tuple[str, ...] | None = None
    buckets: int | None = bounded(1, STEP_MAX)
    first_step: int | None = None
    last_step: int | None = None


@frozen
class SetExperimentTags:
    """Several tags of an experiment, all or nothing."""

    experiment_id: str = needed()
    tags: tuple[RunTag, ...] = ()


@frozen
class MoveRuns:
    """Runs that are to be in another experiment, all or none."""

    run_ids: tuple[str, ...] = needed()
    experiment_id: str = needed()


def ship_form(parcel: Parcel) -> Ship:
    """The request that brings a parcel."""
    new, batch = parcel.new, parcel.batch
    return Ship(
        run_id=parcel.run_id,
        writer=parcel.origin.writer,
        start=parcel.origin.start,
        end=parcel.origin.end,
        new=None
        if new is None
        else CreateRun(
            experiment_id=new.experiment_id,
            user_id=new.user_id,
            run_name=new.run_name,
            start_time=new.start_time,
            tags=_tags(new.tags),
            run_id=new.run_id,
        ),
        metrics=tuple(Column(key, len(points), _packed(points)) for key, points in batch.metrics.items()),
        params=tuple(Param(key, value) for key, value in batch.params.items()),
        tags=_tags(batch.tags),
        model_metrics=_of_models(batch),
        removed_tags=parcel.removed_tags,
        inputs=parcel.inputs,
        status=parcel.status,
        end_time=parcel.end_time,
        models=tuple(map(new_model_form, parcel.models)),
        model_inputs=parcel.model_inputs,
        model_outputs=parcel.model_outputs,
    )


def parcel_of(asked: Ship) -> Parcel:
    """The parcel that a request brings. Raises InvalidValue."""
    new = asked.new
    return Parcel(
        asked.run_id,
        Origin(asked.writer, asked.start, asked.end),
        new=None
        if new is None
        else NewRun(
            new.experiment_id or "0",
            run_id=new.run_id,
            run_name=new.run_name,
            user_id=new.user_id or "",
            start_time=new.start_time or 0,
            tags={tag.key: tag.value for tag in new.tags},
        ),
        batch=batch_of(asked),
        removed_tags=asked.removed_tags,
        inputs=asked.inputs,
        status=asked.status,
        end_time=asked.end_time,
        models=tuple(map(new_model_of, asked.models)),
        model_inputs=asked.model_inputs,
        model_outputs=asked.model_outputs,
    )


def columns_form(run_id: str, batch: LogBatch) -> LogColumns:
    """The request that logs a batch."""
    return LogColumns(
        run_id=run_id,
        metrics=tuple(Column(key, len(points), _packed(points)) for key, points in batch.metrics.items()),
        params=tuple(Param(key, value) for key, value in batch.params.items()),
        tags=_tags(batch.tags),
        model_metrics=_of_models(batch),
    )


def batch_of(asked: Ship | LogColumns) -> LogBatch:
    """The batch that a request holds. Raises InvalidValue."""
    return LogBatch(
        {column.key: _unpacked(column) for column in asked.metrics},
        {param.key: param.value for param in asked.params},
        {tag.key: tag.value for tag in asked.tags},
        tuple(ModelPoints(one.model_id, one.key, _unpacked(one), one.dataset_name, one.dataset_digest) for one in asked.model_metrics),
    )


def _tags(tags: Mapping[str, str]) -> tuple[RunTag, ...]:
    return tuple(RunTag(key, value) for key, value in tags.items())


def _of_models(batch: LogBatch) -> tuple[ModelColumn, ...]:
    return tuple(
        ModelColumn(one.model_id, one.key, len(one.points), _packed(one.points), one.dataset_name, one.dataset_digest)
        for one in batch.model_points
    )


def _packed(points: Points) -> str:
    return base64.b64encode(to_little_endian(points.steps) + to_little_endian(points.timestamps) + to_little_endian(points.values)).decode(
        "ascii"
    )


def _unpacked(column: Column | ModelColumn) -> Points:
    try:
        packed = base64.b64decode(column.points, validate=True)
    except (binascii.Error, ValueError) as fault:
        raise InvalidValue(f"the points of {column.key[:100]!r} are not base64: {fault}") from fault
    size = 8 * column.count
    if len(packed) != 3 * size or size < 0:
        raise InvalidValue(f"{column.count} points of {column.key[:100]!r} are {3 * size} bytes, not {len(packed)}")
    return Points(
        from_little_endian("q", packed[:size]),
        from_little_endian("q", packed[size : 2 * size]),
        from_little_endian("d", packed[2 * size :]),
    )
