"""Reading metric series."""

from __future__ import annotations

from drupe.entities import Metric, each
from drupe.entities.limits import SEARCH_MAX
from drupe.errors import InvalidValue
from drupe.wire import tracking as wire
from drupe.wire.points import history_form
from drupe.wire.shapes import Form
from drupe_server_rest.handlers.runs import run_of
from drupe_server_rest.services import Services

__all__ = ["HANDLERS"]

MOST_RUNS = 100
MOST_POINTS = 25_000
POINTS_OF_A_CURVE = 320


def _get_history(services: Services, asked: wire.GetHistory) -> wire.HistoryFound | Form:
    """A page, or all points when no size of page is given. Unknown runs and keys have no points."""
    run_id = run_of(asked, "metrics/get-history")
    if asked.max_results is None:
        found = each(
            lambda limit, token: services.tracking.metric_history(run_id, asked.metric_key, limit=limit, page_token=token),
            page_size=SEARCH_MAX,
        )
        return wire.HistoryFound(tuple(found))
    points, token = services.tracking.history_columns(
        run_id, asked.metric_key, limit=min(asked.max_results, SEARCH_MAX), page_token=asked.page_token or None
    )
    return history_form(run_id, asked.metric_key, points, token)


def _get_history_bulk(services: Services, asked: wire.GetHistoryBulk) -> wire.HistoryFound:
    """The first points of each run, by its own order."""
    most = _most(asked.max_results, MOST_POINTS)
    runs = _runs(asked.run_id, "run_id")
    found: list[Metric] = []
    for run_id in runs:
        if len(found) < most:
            found += services.tracking.metric_history(run_id, asked.metric_key, limit=most - len(found))
    return wire.HistoryFound(tuple(found))


def _get_history_interval(services: Services, asked: wire.GetHistoryInterval) -> wire.HistoryFound:
    """The points of each run between two steps, thinned so that no spike is lost."""
    buckets = max(_most(asked.max_results, MOST_POINTS) // 3, 1) if asked.max_results is not None else POINTS_OF_A_CURVE
    if (asked.start_step is None) != (asked.end_step is None):
        raise InvalidValue("metrics/get-history-bulk-interval: give both start_step and end_step, or neither")
    if asked.start_step is not None and asked.end_step is not None and asked.start_step > asked.end_step:
        raise InvalidValue(f"metrics/get-history-bulk-interval: start_step {asked.start_step} is after end_step {asked.end_step}")
    found = services.tracking.metric_bulk(
        _runs(asked.run_ids, "run_ids"), [asked.metric_key], buckets=buckets, first_step=asked.start_step, last_step=asked.end_step
    )
    return wire.HistoryFound(
        tuple(Metric(series.key, value, timestamp, step, series.run_id) for series in found for step, timestamp, value in series.points)
    )


def _runs(run_ids: tuple[str, ...], field: str) -> list[str]:
    if not 1 <= len(run_ids) <= MOST_RUNS:
        raise InvalidValue(f"give 1 to {MOST_RUNS} runs as {field}, not {len(run_ids)}")
    return list(dict.fromkeys(run_ids))


def _most(given: int | None, limit: int) -> int:
    if given is not None and given < 1:
        raise InvalidValue(f"max_results is {given}; it must be 1 or more")
    return limit if given is None else min(given, limit)


HANDLERS = {
    "GET metrics/get-history": _get_history,
    "GET metrics/get-history-bulk": _get_history_bulk,
    "GET metrics/get-history-bulk-interval": _get_history_interval,
}
