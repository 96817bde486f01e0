"""Parcels of journals and signs of life: writing each parcel exactly once, and knowing who was last heard of.

What a parcel does to its run is done by the rooms that do it for everyone; here is what makes it one.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select, text

from drupe.entities import Heartbeat, Parcel, Receipt, RunStatus, limits, logged_limits
from drupe.errors import OriginGap
from drupe.extend.moving import at_home
from drupe_store_sql import inputs, logged_models, moving, runs, ties
from drupe_store_sql.session import Session
from drupe_store_sql.statements import held, replace, stretch
from drupe_store_sql.tables import heartbeats, origins, runs as runs_table

__all__ = ["beat", "heard", "ship", "shipped_to"]

_POSITION = select(origins.c.position).where(origins.c.writer == bindparam("of"))
_HELD = held(_POSITION)
_BEGIN = text("INSERT INTO origins (writer, position) VALUES (:writer, 0) ON CONFLICT (writer) DO NOTHING")
_ADVANCE = replace(origins, on=("writer",))

_ENDED = ", ".join(f"'{status}'" for status in RunStatus if status.has_ended)
_FACTS = ("at_ms", "interval_ms", "host", "pid", "boot_id")
_BEAT = text(
    f"INSERT INTO heartbeats (run, writer, {', '.join(_FACTS)}) SELECT id, :writer, {', '.join(f':{name}' for name in _FACTS)} FROM runs "
    f"WHERE run_id = :run_id AND status NOT IN ({_ENDED}) "
    f"ON CONFLICT (run, writer) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _FACTS)}"
)
_HEARD = (
    select(runs_table.c.run_id, heartbeats.c.writer, *(heartbeats.c[name] for name in _FACTS))
    .join_from(heartbeats, runs_table, runs_table.c.id == heartbeats.c.run)
    .where(runs_table.c.status == text(f"'{RunStatus.RUNNING}'"))
    .order_by(runs_table.c.run_id, heartbeats.c.writer)
)
_HEARD_OF = _HEARD.where(stretch(runs_table.c.run_id))


def shipped_to(session: Session, writer: str) -> int:
    """See TrackingStore.shipped_to."""
    row = session.row(_POSITION, of=writer)
    return 0 if row is None else int(row[0])


def ship(session: Session, parcel: Parcel, *, now: int) -> Receipt:
    """See TrackingStore.ship. The parcel's origin was checked before."""
    origin = parcel.origin
    position = _hold_position(session, origin.writer)
    if origin.end <= position:
        return Receipt(is_repeat=True)
    if origin.start != position:
        raise OriginGap(
            f"{session.dialect.place} has the journal of writer {origin.writer} up to {position}; a parcel of {origin.start} to {origin.end} "
            f"cannot follow, one that starts at {position} can",
            position=position,
            writer=origin.writer,
        )
    batch = runs.check_batch(parcel.batch)
    models = [logged_limits.check_new_logged_model(one) for one in parcel.models]
    made = logged_limits.check_model_outputs(parcel.model_outputs)
    used = [limits.check_dataset_input(one) for one in parcel.inputs]
    if parcel.new is not None:
        runs.add(session, parcel.new, parcel.run_id)
    number = runs.require_active(session, parcel.run_id)
    if models:
        home = moving.home_of(session, number)
        for model in models:
            logged_models.add(session, at_home(model, parcel.run_id, home), now=now)
    if parcel.model_inputs:
        ties.tie_inputs(session, number, parcel.model_inputs)
    if made:
        ties.tie_outputs(session, number, made)
    for key in parcel.removed_tags:
        runs.remove_tag(session, number, key)
    clashes = runs.write(session, number, batch)
    if used:
        inputs.tie(session, number, used)
    if parcel.status is not None or parcel.end_time is not None:
        runs.change(session, parcel.run_id, status=parcel.status, end_time=parcel.end_time, run_name=None)
    session.run(_ADVANCE, writer=origin.writer, position=origin.end)
    return Receipt(tuple(clashes))


def _hold_position(session: Session, writer: str) -> int:
    """The position of a writer, whose parcels nobody else writes meanwhile: two processes may find the same journal."""
    row = session.row(_HELD, of=writer)
    if row is None:
        session.run(_BEGIN, writer=writer)
        row = session.row(_HELD, of=writer)
    return 0 if row is None else int(row[0])


def beat(session: Session, beats: Sequence[Heartbeat]) -> None:
    """See TrackingStore.beat."""
    names = ("run_id", "writer", *_FACTS)
    session.many(_BEAT, [{name: getattr(one, name) for name in names} for one in beats])


def heard(session: Session, run_ids: Sequence[str] | None) -> list[Heartbeat]:
    """See TrackingStore.heartbeats."""
    rows = session.rows(_HEARD) if run_ids is None else session.among(_HEARD_OF, dict.fromkeys(run_ids))
    return [Heartbeat(*row) for row in rows]
