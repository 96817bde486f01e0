"""What only drupe's own clients ask: parcels of journals, signs of life, runs with summaries, series in columns."""

from __future__ import annotations

from attrs import evolve

from drupe.entities import LogBatch, Parcel, ViewType
from drupe.entities.codec import to_plain
from drupe.search import Entity, Field, Kind, parse
from drupe.wire import own as wire
from drupe.wire.run_columns import AskColumns, AskKeys, KeysFound, columns_form, fields_of, keys_form
from drupe.wire.series import PackedSeries, pack_series
from drupe.wire.shapes import Form
from drupe.wire.tracking import Nothing
from drupe_server_rest.changes import kind_of
from drupe_server_rest.handlers.runs import run_told
from drupe_server_rest.services import Services

__all__ = ["HANDLERS"]

PAGE = 1000
TOLD_MAX = 100  # one by one; listeners then read all anew
_ADDRESS = Field(Entity.ATTRIBUTE, "artifact_uri")


def _ship(services: Services, asked: wire.Ship) -> wire.Shipped:
    """See `wire.Ship`."""
    parcel = wire.parcel_of(asked)
    receipt = services.tracking.ship(parcel)
    if not receipt.is_repeat:
        services.changes.tell(_kind_of(parcel), run_id=asked.run_id)
    return wire.Shipped(receipt.clashes, receipt.is_repeat)


def _kind_of(parcel: Parcel) -> str:
    if parcel.new is not None or parcel.status is not None:
        return "run"
    has_tags_alone = parcel.removed_tags and parcel.batch == LogBatch()
    return "tag" if has_tags_alone else kind_of(parcel.batch)


def _shipped_to(services: Services, asked: wire.Writer) -> wire.Position:
    """See `wire.Writer`."""
    return wire.Position(services.tracking.shipped_to(asked.writer))


def _beat(services: Services, asked: wire.Beats) -> Nothing:
    """See `wire.Beats`."""
    services.tracking.beat(asked.beats)
    return Nothing()


def _heartbeats(services: Services, asked: wire.AskBeats) -> wire.Beats:
    """See `wire.AskBeats`."""
    return wire.Beats(tuple(services.tracking.heartbeats(asked.run_ids)))


def _log_columns(services: Services, asked: wire.LogColumns) -> Nothing:
    """See `wire.LogColumns`."""
    batch = wire.batch_of(asked)
    services.tracking.log_batch(asked.run_id, batch)
    services.changes.tell(kind_of(batch), run_id=asked.run_id)
    return Nothing()


def _get_run(services: Services, asked: wire.ReadRun) -> wire.FullRun:
    """See `wire.ReadRun`."""
    return wire.FullRun(to_plain(run_told(services, services.tracking.get_run(asked.run_id)), extras=True))


def _search_runs(services: Services, asked: wire.FindRuns) -> wire.FullRuns:
    """See `wire.FindRuns`."""
    page = services.tracking.search_runs(
        parse(Kind.RUNS, asked.filter, asked.order_by),
        experiment_ids=asked.experiment_ids,
        view=asked.view or ViewType.ACTIVE_ONLY,
        limit=PAGE if asked.limit is None else asked.limit,
        page_token=asked.page_token or None,
    )
    return wire.FullRuns(tuple(to_plain(run_told(services, run), extras=True) for run in page), page.token)


def _run_columns(services: Services, asked: AskColumns) -> Form:
    """See `AskColumns`."""
    fields = fields_of(asked.fields)
    given = {} if asked.limit is None else {"limit": asked.limit}
    found = services.tracking.run_columns(
        parse(Kind.RUNS, asked.filter, asked.order_by),
        experiment_ids=asked.experiment_ids,
        view=asked.view or ViewType.ACTIVE_ONLY,
        fields=fields,
        **given,
    )
    told = [
        list(map(services.places.told, column)) if field == _ADDRESS else column
        for field, column in zip(fields, found.columns, strict=True)
    ]
    return columns_form(evolve(found, columns=told), fields)


def _run_keys(services: Services, asked: AskKeys) -> KeysFound:
    """See `AskKeys`."""
    given = {} if asked.limit is None else {"limit": asked.limit}
    found = services.tracking.run_keys(
        experiment_ids=asked.experiment_ids, view=asked.view or ViewType.ACTIVE_ONLY, prefix=asked.prefix or "", **given
    )
    return keys_form(found)


def _series(services: Services, asked: wire.AskSeries) -> PackedSeries:
    """See `wire.AskSeries`."""
    found = services.tracking.metric_bulk(
        asked.run_ids, asked.keys, buckets=asked.buckets, first_step=asked.first_step, last_step=asked.last_step
    )
    return pack_series(found)


def _set_experiment_tags(services: Services, asked: wire.SetExperimentTags) -> Nothing:
    """See `wire.SetExperimentTags`."""
    services.tracking.set_experiment_tags(asked.experiment_id, {tag.key: tag.value for tag in asked.tags})
    services.changes.tell("experiment", experiment_id=asked.experiment_id)
    return Nothing()


def _move_runs(services: Services, asked: wire.MoveRuns) -> Nothing:
    """See `wire.MoveRuns`."""
    services.tracking.move_runs(asked.run_ids, asked.experiment_id)
    for run_id in dict.fromkeys(asked.run_ids[:TOLD_MAX]):
        services.changes.tell("run", run_id=run_id)
    if len(asked.run_ids) > TOLD_MAX:
        services.changes.tell("missed")
    services.changes.tell("experiment", experiment_id=asked.experiment_id)
    return Nothing()


HANDLERS = {
    "POST drupe/ship": _ship,
    "POST drupe/shipped-to": _shipped_to,
    "POST drupe/beat": _beat,
    "POST drupe/heartbeats": _heartbeats,
    "POST drupe/log-columns": _log_columns,
    "POST drupe/get-run": _get_run,
    "POST drupe/search-runs": _search_runs,
    "POST drupe/run-columns": _run_columns,
    "POST drupe/run-keys": _run_keys,
    "POST drupe/series": _series,
    "POST drupe/move-runs": _move_runs,
    "POST drupe/set-experiment-tags": _set_experiment_tags,
}
