"""Runs as callers see them: rows of `runs` with their metrics, params, tags, inputs and outputs, a whole page with a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from drupe.entities import DatasetInput, LatestPoints, LifecycleStage, ModelInput, Run, RunData, RunInfo, RunInputs, RunOutputs, RunStatus
from drupe.errors import RunNotFound
from drupe_store_sql import inputs, ties
from drupe_store_sql.session import Session
from drupe_store_sql.statements import stretch
from drupe_store_sql.summaries import Summaries
from drupe_store_sql.summary import COLUMNS, NAN
from drupe_store_sql.tables import params, runs, series, tags

__all__ = ["INFO", "by_id", "by_number", "info", "info_of", "read"]

INFO = (
    runs.c.id,
    runs.c.run_id,
    runs.c.experiment,
    runs.c.name,
    runs.c.user_id,
    runs.c.status,
    runs.c.start_ms,
    runs.c.end_ms,
    runs.c.is_deleted,
    runs.c.artifact_uri,
)
"""The columns that `info` and `read` take."""

_BY_ID = select(*INFO).where(runs.c.run_id == bindparam("of"))
_BY_NUMBER = select(*INFO).where(runs.c.id == bindparam("number"))
_SERIES = select(series.c.run, series.c.key, *(series.c[name] for name in COLUMNS)).where(stretch(series.c.run))
_LATEST = select(series.c.run, series.c.key, series.c.last, series.c.last_ms, series.c.last_step).where(stretch(series.c.run))
_PARAMS = select(params.c.run, params.c.key, params.c.value).where(stretch(params.c.run))
_TAGS = select(tags.c.run, tags.c.key, tags.c.value).where(stretch(tags.c.run))

_LAST = Summaries.START + COLUMNS.index("last")
_NO_INPUTS, _NO_OUTPUTS = RunInputs(), RunOutputs()
_STATUSES = {status.value: status for status in RunStatus}  # a look-up costs a tenth of RunStatus(…)
_STAGES = (LifecycleStage.ACTIVE, LifecycleStage.DELETED)

Row = Sequence[Any]
_Kept = tuple[dict[str, float], dict[str, str], dict[str, str], Summaries | LatestPoints]


def by_id(session: Session, run_id: str) -> Run:
    """One run. Raises RunNotFound."""
    row = session.row(_BY_ID, of=run_id) if isinstance(run_id, str) else None
    if row is None:
        raise RunNotFound(f"no run has the id {str(run_id)[:60]!r}", run_id=str(run_id)[:300])
    return read(session, [row])[0]


def by_number(session: Session, number: int) -> Run:
    """The run of a row that is known to be there."""
    return read(session, session.rows(_BY_NUMBER, number=number))[0]


def info_of(session: Session, number: int) -> RunInfo:
    """The info alone of a row that is known to be there."""
    return info(session.rows(_BY_NUMBER, number=number)[0])


def info(row: Row) -> RunInfo:
    """The info of a row with the columns INFO."""
    _, run_id, experiment, name, user_id, status, start, end, is_deleted, artifact_uri = row
    return RunInfo(
        run_id,
        str(experiment),
        name,
        user_id,
        _STATUSES[status],
        start,
        end,
        _STAGES[is_deleted],
        artifact_uri,
    )


def read(session: Session, rows: Sequence[Row], *, summaries: bool = True) -> list[Run]:
    """Whole runs of rows with the columns INFO, in their order; without `summaries`, the latest point is all that is told of a series."""
    numbers = [row[0] for row in rows]
    if not numbers:
        return []
    series_rows = session.among(_SERIES if summaries else _LATEST, numbers)
    param_rows = session.among(_PARAMS, numbers)
    tag_rows = session.among(_TAGS, numbers)
    used = inputs.read(session, numbers)
    tied = ties.read(session, numbers)
    names = session.key_names({row[1] for kind in (series_rows, param_rows, tag_rows) for row in kind})
    kept: dict[int, _Kept] = {number: ({}, {}, {}, Summaries() if summaries else LatestPoints({})) for number in numbers}
    if summaries:
        _take_summaries(kept, series_rows, names)
    else:
        _take_latest(kept, series_rows, names)
    for run, key, value in param_rows:
        kept[run][1][names[key]] = value
    for run, key, value in tag_rows:
        kept[run][2][names[key]] = value
    return [
        Run(info(row), RunData(*kept[number]), *_ends(used.get(number), tied.get(number)))
        for number, row in zip(numbers, rows, strict=True)
    ]


def _take_summaries(kept: Mapping[int, _Kept], rows: Iterable[Row], names: Mapping[int, str]) -> None:
    for row in rows:
        metrics, _, _, summaries = kept[row[0]]
        name, value = names[row[1]], row[_LAST]
        metrics[name] = NAN if value is None else value
        summaries.keep(name, row)  # type: ignore[union-attr]


def _take_latest(kept: Mapping[int, _Kept], rows: Iterable[Row], names: Mapping[int, str]) -> None:
    for run, key, value, timestamp, step in rows:
        metrics, _, _, latest = kept[run]
        name, number = names[key], NAN if value is None else value
        metrics[name] = number
        latest.points[name] = (number, timestamp, step)  # type: ignore[union-attr]


def _ends(used: list[DatasetInput] | None, tied: tuple[tuple[ModelInput, ...], RunOutputs] | None) -> tuple[RunInputs, RunOutputs]:
    if tied is None:
        return _NO_INPUTS if used is None else RunInputs(tuple(used)), _NO_OUTPUTS
    return RunInputs(tuple(used or ()), tied[0]), tied[1]
