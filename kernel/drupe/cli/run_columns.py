"""The columns in which runs are listed: attributes, and the metrics, params and tags that they happen to have.

A column is written as in filters: `status`, `metrics.loss`, `metrics.loss.min`, `params.lr`, `tags.team`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from attrs import evolve

from drupe.cli import formats
from drupe.cli.output import Column
from drupe.cli.references import short_id
from drupe.entities import Run, RunStatus, Stat
from drupe.errors import InvalidValue
from drupe.search.query import Entity, Field
from drupe.tracking.reaper import crash_of

__all__ = [
    "ATTRIBUTES",
    "PARENT",
    "STATUS_STYLES",
    "default_columns",
    "is_number",
    "length_ms",
    "metric_value",
    "named_columns",
    "shown_status",
    "stored_columns",
]

PARENT = "mlflow.parentRunId"
STATUS_STYLES = {
    RunStatus.FINISHED: "green",
    RunStatus.RUNNING: "cyan",
    RunStatus.SCHEDULED: "yellow",
    RunStatus.FAILED: "red",
    RunStatus.KILLED: "red",
}
_SHORT_NAMES = {
    "id": "run_id",
    "name": "run_name",
    "started": "start_time",
    "ended": "end_time",
    "duration": "duration_s",
    "user": "user_id",
}
_ENTITIES = {"metrics": "metrics", "metric": "metrics", "params": "params", "param": "params", "tags": "tags", "tag": "tags"}


def default_columns(runs: Sequence[Run], experiments: Mapping[str, str], sorted_by: Sequence[Field] = ()) -> list[Column[Run]]:
    """What tells these runs apart: identity and state, what they are sorted by, every metric, the params that are not the same in all.

    System metrics are left out unless the runs are sorted by them.
    """
    attributes = _attributes(experiments)
    names = ["run_id", "run_name", "status", "start_time", "duration_s"]
    if len({run.info.experiment_id for run in runs}) > 1:
        names.insert(2, "experiment")
    metrics = sorted(
        (key for key in _keys(runs, "metrics") if not key.startswith("system/")), key=lambda key: not _varies(runs, "metrics", key)
    )
    params = [key for key in _keys(runs, "params") if len(runs) == 1 or _varies(runs, "params", key)]
    rest = [_metric(key) for key in metrics] + [_text("params", key, runs) for key in params]
    first = {column.name: column for column in map(_sort_column, sorted_by) if column is not None}
    return [attributes[name] for name in names] + list(first.values()) + [column for column in rest if column.name not in first]


def _sort_column(by: Field) -> Column[Run] | None:
    if by.entity is Entity.METRIC:
        return evolve(_metric(by.key if by.stat in (None, Stat.LAST) else f"{by.key}.{by.stat}"), keep=True)
    if by.entity in (Entity.PARAM, Entity.TAG):
        return _text(f"{by.entity.value}s", by.key)
    return None


def named_columns(names: Iterable[str], experiments: Mapping[str, str]) -> list[Column[Run]]:
    """Columns by name. Raises InvalidValue for an unknown one, with the nearest that there is."""
    attributes = _attributes(experiments)
    found: list[Column[Run]] = []
    for name in names:
        name = _SHORT_NAMES.get(name, name)
        entity, dot, key = name.partition(".")
        if name in attributes:
            found.append(attributes[name])
        elif dot and key and entity in _ENTITIES:
            found.append(_metric(key) if _ENTITIES[entity] == "metrics" else _text(_ENTITIES[entity], key))
        else:
            near = get_close_matches(name, attributes, n=1)
            hint = f"did you mean {near[0]}?" if near else f"use {', '.join(attributes)}, metrics.KEY, params.KEY or tags.KEY"
            raise InvalidValue(f"{name!r} is not a column of runs; {hint}", column=name)
    return [evolve(column, is_asked_for=True) for column in found]


def stored_columns(keys: Mapping[str, Iterable[str]], experiments: Mapping[str, str]) -> list[Column[Run]]:
    """Every attribute, then every metric, param and tag named in `keys`, for CSV."""
    columns = list(_attributes(experiments).values())
    columns += [_metric(key) for key in sorted(keys["metrics"])]
    for entity in ("params", "tags"):
        columns += [_text(entity, key) for key in sorted(keys[entity])]
    return columns


def metric_value(run: Run, key: str) -> float | int | None:
    """The latest value of metric `key`; of `loss.min` the least value of `loss`, unless a metric has that very name."""
    if key in run.data.metrics:
        return run.data.metrics[key]
    base, _, stat = key.rpartition(".")
    summary = run.data.summaries.get(base)
    if summary is None or stat not in set(Stat):
        return None
    found: float | int = getattr(summary, stat)
    return found


def length_ms(run: Run) -> int | None:
    """How long an ended run took; None for one that goes on."""
    return None if run.info.end_time is None else max(0, run.info.end_time - run.info.start_time)


def _attributes(experiments: Mapping[str, str]) -> dict[str, Column[Run]]:
    columns: list[Column[Run]] = [
        Column("run_id", lambda run: run.info.run_id, short_id, heading="ID", keep=True),
        Column("run_name", lambda run: run.info.run_name, heading="NAME"),
        Column("experiment_id", lambda run: run.info.experiment_id, right=True),
        Column("experiment", lambda run: experiments.get(run.info.experiment_id, run.info.experiment_id)),
        Column(
            "status",
            _status,
            lambda shown: shown[0],
            export=lambda shown: shown[1].value,
            keep=True,
            style=lambda shown: STATUS_STYLES[shown[1]],
        ),
        Column("lifecycle_stage", lambda run: run.info.lifecycle_stage.value, heading="STATE"),
        Column("user_id", lambda run: run.info.user_id, heading="USER"),
        Column.time("start_time", lambda run: run.info.start_time, heading="STARTED", keep=True),
        Column.time("end_time", lambda run: run.info.end_time, heading="ENDED"),
        Column("duration_s", length_ms, formats.duration, export=_seconds, heading="DURATION", right=True, rank=1),
        Column("parent", lambda run: run.data.tags.get(PARENT), lambda run_id: short_id(run_id or "")),
        Column("artifact_uri", lambda run: run.info.artifact_uri),
    ]
    return {column.name: column for column in columns}


def shown_status(run: Run) -> str:
    """The status for a person: CRASHED for a run whose process died."""
    return "CRASHED" if crash_of(run) is not None else run.info.status.value


def _status(run: Run) -> tuple[str, RunStatus]:
    return shown_status(run), run.info.status


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000


def _metric(key: str) -> Column[Run]:
    return Column(f"metrics.{key}", lambda run: metric_value(run, key), formats.number, heading=key, right=True)


def _text(entity: str, key: str, runs: Sequence[Run] = ()) -> Column[Run]:
    values = [run.data.params[key] for run in runs if key in run.data.params]
    return Column(
        f"{entity}.{key}",
        lambda run: getattr(run.data, entity).get(key),
        heading=key,
        right=bool(values) and all(map(is_number, values)),
        rank=2,
    )


def is_number(text: str) -> bool:
    """True when a param's text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _varies(runs: Iterable[Run], entity: str, key: str) -> bool:
    return len({getattr(run.data, entity).get(key) for run in runs}) > 1


def _keys(runs: Iterable[Run], entity: str) -> list[str]:
    return sorted({key for run in runs for key in getattr(run.data, entity)})


ATTRIBUTES = (*_attributes({}), *_SHORT_NAMES)
