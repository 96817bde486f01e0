"""Columns and keys of runs: what may be asked for, and how a store answers that has nothing better than `search_runs`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from drupe.entities import LatestPoints, Run, RunColumns, RunKey, RunKeys, Stat, ViewType, each, limits
from drupe.errors import InvalidQuery, InvalidValue
from drupe.search.fields import SEARCHES
from drupe.search.match import reader
from drupe.search.parse import parse
from drupe.search.query import Entity, Field, Kind, Query

if TYPE_CHECKING:
    from drupe.extend.tracking_store import TrackingStore

__all__ = [
    "CELLS_MAX",
    "FIELDS_MAX",
    "KEYS_MAX",
    "LOOKED_AT",
    "RUNS_MAX",
    "check_cells",
    "check_fields",
    "columns_by_pages",
    "keys_by_pages",
    "keys_told",
]

RUNS_MAX = 1_000_000
FIELDS_MAX = 2000
CELLS_MAX = 10_000_000  # half a gigabyte of Python objects
KEYS_MAX = 50_000
LOOKED_AT = 20_000
"""How many runs `run_keys` looks at: what the newest have in common tells a person more than what the oldest had."""

PAGE = 1000
FEWER = 5000  # where whole runs must be read to see their keys

_OF_COLUMNS_ONLY: Mapping[str, Callable[[Run], Any]] = {
    "experiment_id": lambda run: run.info.experiment_id,
    "lifecycle_stage": lambda run: run.info.lifecycle_stage,
}
_ATTRIBUTES = (*(attribute.key for attribute in SEARCHES[Kind.RUNS].attributes), *_OF_COLUMNS_ONLY)


def check_fields(fields: Sequence[Field]) -> Sequence[Field]:
    """Return fields of which runs have one value each. Raises InvalidQuery that names all that are not."""
    if len(fields) > FIELDS_MAX:
        raise InvalidQuery(f"{len(fields)} fields are asked for; at most {FIELDS_MAX} are told at once")
    faults = [fault for fault in map(_fault_of, fields) if fault]
    if faults:
        raise InvalidQuery("; ".join(dict.fromkeys(faults)))
    return fields


def check_cells(runs: int, fields: int) -> None:
    """Raises InvalidValue when so many runs with so many fields are too much for one answer."""
    if runs * fields > CELLS_MAX:
        raise InvalidValue(
            f"{runs} runs with {fields} fields each are more than the {CELLS_MAX} values of one answer; "
            f"ask for {CELLS_MAX // runs} fields at a time, or narrow the filter"
        )


def columns_by_pages(
    store: TrackingStore, query: Query, *, experiment_ids: Sequence[str] | None, view: ViewType, fields: Sequence[Field], limit: int
) -> RunColumns:
    """See `TrackingStore.run_columns`."""
    limits.check_limit(limit, maximum=RUNS_MAX, name="limit")
    readers = [_reader(field) for field in check_fields(fields)]
    needs_summaries = any(field.entity is Entity.METRIC and field.stat not in (None, Stat.LAST) for field in fields)
    run_ids: list[str] = []
    columns: list[list[Any]] = [[] for _ in fields]
    for run in _runs(store, query, experiment_ids, view, at_most=limit + 1, summaries=needs_summaries):
        if len(run_ids) == limit:
            return RunColumns(run_ids, columns, is_cut=True)
        run_ids.append(run.info.run_id)
        check_cells(len(run_ids), len(fields))
        for column, read in zip(columns, readers, strict=True):
            column.append(read(run))
    return RunColumns(run_ids, columns)


def keys_by_pages(
    store: TrackingStore, *, experiment_ids: Sequence[str] | None, view: ViewType, prefix: str, limit: int, looked_at: int = FEWER
) -> RunKeys:
    """See `TrackingStore.run_keys`."""
    limits.check_limit(limit, maximum=KEYS_MAX, name="limit")
    metrics, params, tags = (Counter[str](), Counter[str](), Counter[str]())
    first_values: dict[tuple[str, str], str] = {}
    differing: set[tuple[str, str]] = set()
    newest = _runs(store, parse(Kind.RUNS), experiment_ids, view, at_most=looked_at + 1, summaries=False)
    count = 0
    for run in islice(newest, looked_at):
        count += 1
        metrics.update(run.data.metrics.keys())
        for kind, counter, texts in (("params", params, run.data.params), ("tags", tags, run.data.tags)):
            counter.update(texts.keys())
            differing.update((kind, key) for key, text in texts.items() if first_values.setdefault((kind, key), text) != text)
    return keys_told(
        ((key, runs, None) for key, runs in metrics.items()),
        ((key, runs, ("params", key) in differing) for key, runs in params.items()),
        ((key, runs, ("tags", key) in differing) for key, runs in tags.items()),
        prefix=prefix,
        limit=limit,
        looked_at=count,
        is_whole=next(newest, None) is None,
    )


def keys_told(
    metrics: Iterable[tuple[str, int, None]],
    params: Iterable[tuple[str, int, bool]],
    tags: Iterable[tuple[str, int, bool]],
    *,
    prefix: str,
    limit: int,
    looked_at: int,
    is_whole: bool,
) -> RunKeys:
    """The answer of `run_keys` from what was counted: name, runs, and whether they differ; cut and in order."""
    told: dict[str, tuple[RunKey, ...]] = {}
    cut: list[str] = []
    kinds: Mapping[str, Iterable[tuple[str, int, bool | None]]] = {"metrics": metrics, "params": params, "tags": tags}
    for kind, counted in kinds.items():
        keys = sorted((-runs, name, differs) for name, runs, differs in counted if name.startswith(prefix))
        told[kind] = tuple(RunKey(name, -runs, differs) for runs, name, differs in keys[:limit])
        if len(keys) > limit:
            cut.append(kind)
    return RunKeys(**told, looked_at=looked_at, is_whole=is_whole, cut=tuple(cut))


def _fault_of(field: Field) -> str | None:
    if field.entity is Entity.DATASET:
        return f"a run may have several datasets, so their {field.key!r} is no column; ask for attributes, metrics, params and tags"
    if field.entity is Entity.ATTRIBUTE and field.key not in _ATTRIBUTES:
        return f"runs have no attribute {field.key[:60]!r}; their attributes are {', '.join(_ATTRIBUTES)}"
    if field.datasets:
        return f"metric {field.key[:60]!r}: metrics of runs are not told apart by dataset"
    return None if field.key else f"a {field.entity.value} without a name is asked for"


def _reader(field: Field) -> Callable[[Run], Any]:
    if field.entity is Entity.ATTRIBUTE and field.key in _OF_COLUMNS_ONLY:
        return _OF_COLUMNS_ONLY[field.key]
    read = reader(field, Run)
    if field.entity is not Entity.METRIC:
        return read

    is_of_series = field.stat not in (None, Stat.LAST)

    def number(run: Run) -> float | None:
        if is_of_series and isinstance(run.data.summaries, LatestPoints) and field.shadow not in run.data.metrics:
            return None  # this store does not know
        value = read(run)
        return None if value is None else float(value)

    return number


def _runs(
    store: TrackingStore, query: Query, experiment_ids: Sequence[str] | None, view: ViewType, *, at_most: int, summaries: bool
) -> Iterator[Run]:
    return each(
        lambda size, token: store.search_runs(
            query, experiment_ids=experiment_ids, view=view, limit=size, page_token=token, summaries=summaries
        ),
        page_size=PAGE,
        at_most=at_most,
    )
