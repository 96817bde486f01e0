"""Whether the rows of a database agree with each other: chunks decode, their headers and the summaries say what their points say, runs and
names are sane. Whether the database itself is whole, down to its pages, is for its plugin to check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter, lt
from typing import Any

from attrs import fields
from sqlalchemy import bindparam, func, select

from drupe.entities import Damage, LoggedModelStatus, Points, RunStatus
from drupe.entities.metrics import rank
from drupe.errors import StoreCorrupt
from drupe.extend.tracking_store import Progress
from drupe_store_sql.codec import decode
from drupe_store_sql.sampling import WHOLE, sample
from drupe_store_sql.session import Session
from drupe_store_sql.summary import Row
from drupe_store_sql.tables import chunks, experiments, keys, logged_models, runs, series, tags

__all__ = ["check", "isolated"]

RUN_NAME = "mlflow.runName"

_HEADER = ("count", "min_step", "max_step", "min_ms", "max_ms")
_ROW = tuple(one.name for one in fields(Row))
_RUNS = select(runs.c.id, runs.c.run_id, runs.c.name, runs.c.status, runs.c.is_deleted).order_by(runs.c.id)
_EXPERIMENTS = select(experiments.c.id, experiments.c.name, experiments.c.is_deleted)
_NAME_TAGS = select(tags.c.run, tags.c.value).where(tags.c.key == bindparam("number"))
_KEY = select(keys.c.id).where(keys.c.name == bindparam("called"))
_KEYS = select(keys.c.id, keys.c.name)
_SERIES = select(series.c.key, *(series.c[name] for name in _ROW)).where(series.c.run == bindparam("number")).order_by(series.c.key)
_CHUNKS = (
    select(chunks.c.key, chunks.c.is_tail, chunks.c.points, chunks.c.level, chunks.c.sample, *(chunks.c[name] for name in _HEADER))
    .where(chunks.c.run == bindparam("number"))
    .order_by(chunks.c.key, chunks.c.min_step)
)
_LOGGED_MODELS = select(logged_models.c.model_id, logged_models.c.name, logged_models.c.status, logged_models.c.is_deleted).order_by(
    logged_models.c.id
)
_WITH_SERIES = select(series.c.run).distinct()
_WITH_CHUNKS = select(chunks.c.run).distinct()
_SIZE = select(func.count(), func.coalesce(func.sum(func.length(chunks.c.points)), 0)).select_from(chunks)


def check(session: Session, *, progress: Progress | None = None) -> Iterator[Damage]:
    """All that does not agree. What the database itself refuses to read is told, and the other checks go on."""
    place = session.dialect.place
    run_ids: dict[int, str] = {}
    names: dict[int, str] = {}
    checks: list[Callable[[], Iterator[Damage]]] = [
        lambda: _runs(session, place, run_ids),
        lambda: _experiments(session, place),
        lambda: _keys(session, place, names),
        lambda: _logged_models(session, place),
        lambda: _all_series(session, place, run_ids, names, progress),
    ]
    for one in checks:
        yield from isolated(session, one)


def isolated(session: Session, one: Callable[[], Iterator[Damage]]) -> Iterator[Damage]:
    """What a check finds; damage that stops it is what it found last."""
    try:
        yield from one()
    except StoreCorrupt as fault:
        yield Damage(session.dialect.place, fault.message)
    except Exception as fault:  # the driver's
        meant = session.dialect.explain(fault)
        if not isinstance(meant, StoreCorrupt):
            raise
        yield Damage(session.dialect.place, str(fault))


def _summary_of(points: Points) -> Row:
    """The row of `series` that these points, sorted by rank, make."""
    row = Row.before(points)
    row.add(points)
    return row


def _header_of(points: Points) -> tuple[int, int, int, int, int]:
    """What the columns of a row of `chunks` say of its points."""
    return len(points), points.steps[0], points.steps[-1], min(points.timestamps), max(points.timestamps)


def _runs(session: Session, place: str, run_ids: dict[int, str]) -> Iterator[Damage]:
    found = session.row(_KEY, called=RUN_NAME)
    tagged = dict(session.rows(_NAME_TAGS, number=found[0])) if found else {}
    for number, run_id, name, status, is_deleted in session.rows(_RUNS):
        run_ids[number] = run_id
        if status not in RunStatus.__members__ or is_deleted not in (0, 1):
            yield Damage(place, f"run {run_id} has the status {status!r} and the stage {is_deleted!r}, which do not exist", run_id)
        if tagged.get(number, name) != name:
            yield Damage(place, f"run {run_id} is named {name!r}, but its tag {RUN_NAME} says {tagged[number]!r}", run_id)


def _experiments(session: Session, place: str) -> Iterator[Damage]:
    for number, name, is_deleted in session.rows(_EXPERIMENTS):
        if is_deleted not in (0, 1) or not name:
            yield Damage(place, f"experiment {number} has the name {name!r} and the stage {is_deleted!r}")


def _keys(session: Session, place: str, names: dict[int, str]) -> Iterator[Damage]:
    names.update(dict(session.rows(_KEYS)))
    yield from (Damage(place, f"key {number} has no name") for number, name in names.items() if not name)


def _logged_models(session: Session, place: str) -> Iterator[Damage]:
    for model_id, name, status, is_deleted in session.rows(_LOGGED_MODELS):
        if status not in LoggedModelStatus.__members__ or is_deleted not in (0, 1) or not name:
            yield Damage(
                place,
                f"logged model {model_id} has the name {name!r}, the status {status!r} and the stage {is_deleted!r}, which cannot all be",
            )


def _all_series(
    session: Session, place: str, run_ids: dict[int, str], names: dict[int, str], progress: Progress | None
) -> Iterator[Damage]:
    told_of = {row[0] for statement in (_WITH_SERIES, _WITH_CHUNKS) for row in session.rows(statement)}
    numbers = sorted(number for number in told_of if isinstance(number, int))
    yield from (Damage(place, f"metrics belong to row {number!r} of runs, which is no number") for number in told_of.difference(numbers))
    total = int((session.row(_SIZE) or (0, 0))[1])
    done = 0
    for number in numbers:
        run_id = run_ids.get(number)
        if run_id is None:
            yield Damage(place, f"metrics belong to row {number} of runs, which is not there")

        def tell(key: int, told: str, run_id: str | None = run_id, number: int = number) -> Damage:
            name = names.get(key, f"key {key}")
            return Damage(place, f"metric {name!r} of run {run_id or number}: {told}", run_id, name)

        rows = {row[0]: row[1:] for row in session.rows(_SERIES, number=number)}
        stored = {key: list(found) for key, found in groupby(session.rows(_CHUNKS, number=number), itemgetter(0))}
        for key in sorted({*rows, *stored}, key=str):  # damage may have put anything there
            if key not in names:
                yield tell(key, "its name is not there")
            yield from (tell(key, told) for told in _one_series(rows.get(key), stored.get(key, [])))
            done += sum(len(row[2]) for row in stored.get(key, []))
        if progress is not None:
            progress(done, max(done, total), "metrics")


def _one_series(row: Sequence[Any] | None, stored: list[Any]) -> Iterator[str]:
    points = Points()
    is_whole = True
    for _, _, content, level, sampled, *header in stored:
        try:
            found = decode(content)
        except ValueError as fault:
            is_whole = False
            yield f"{header[0]} points cannot be read: {fault}"
            continue
        if not len(found) or tuple(header) != _header_of(found) or not _ascends(found):
            is_whole = False
            yield f"the header of {len(found)} points says something else than they do"
        elif not _is_sample(level, sampled, found):
            yield f"the sample of {len(found)} points is not one of them"
        points.extend(found)
    if not is_whole:
        return
    if row is None or not len(points):
        yield "it has points, but no summary" if row is None else f"it has a summary of {row[0]} points, but no points"
        return
    ordered = points if _ascends(points) else Points.of(sorted(points, key=lambda point: rank(*point)))
    if not _ascends(ordered):
        yield "points are there twice"
    expected = _summary_of(ordered)
    tails = [count for _, is_tail, _, _, _, count, *_ in stored if is_tail]
    expected.tail_rows, expected.tail_points = len(tails), sum(tails)
    wrong = [name for name, told in zip(_ROW, row, strict=True) if told != getattr(expected, name)]
    if wrong:
        yield f"its summary does not fit its points ({', '.join(wrong)})"


def _is_sample(level: int | None, sampled: bytes | None, points: Points) -> bool:
    if level is None or sampled is None:  # few points, or those of an older schema
        return level is None and sampled is None
    try:
        return 0 <= level <= WHOLE and list(map(_comparable, decode(sampled))) == list(map(_comparable, sample(points, level)))
    except ValueError:
        return False


def _comparable(point: tuple[int, int, float]) -> tuple[Any, ...]:
    return rank(*point)


def _ascends(points: Points) -> bool:
    if all(map(lt, points.steps, points.steps[1:])):  # the usual case, and told without a loop in Python
        return True
    return all(one < other for one, other in pairwise(rank(*point) for point in points))
