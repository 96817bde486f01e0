"""Bringing a journal to its store, stretch by stretch: exactly once, in order, and from the right place after an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from attrs import define, evolve, field

from drupe.entities import LogBatch, Origin, ParamClash, Parcel
from drupe.errors import OriginGap
from drupe.extend import TrackingStore
from drupe.tracking.journal.cursor import Cursor, Ending
from drupe.tracking.journal.folding import fold
from drupe.tracking.journal.lost_models import ship

__all__ = ["CLASHES_TAG", "Consignment", "Shipped"]

CLASHES_TAG = "drupe.param_clashes"
"""The tag of a run that tells, as JSON, which params were logged again with another value."""


@define
class Shipped:
    """What was brought to a store."""

    points: int = 0
    params: int = 0
    tags: int = 0
    bytes: int = 0
    clashes: list[ParamClash] = field(factory=list)
    is_new: bool = False
    """True when the run itself was among it."""
    is_ended: bool = False
    """True when an end status of the run was among it."""

    def add(self, other: Shipped) -> None:
        """Take in what else was brought."""
        self.points += other.points
        self.params += other.params
        self.tags += other.tags
        self.bytes += other.bytes
        self.clashes += other.clashes
        self.is_new = self.is_new or other.is_new
        self.is_ended = self.is_ended or other.is_ended


@define
class Consignment:
    """One writer's journal on its way. `position` is up to where the store has it; `files` may grow while it is under way.

    `prepare` changes each parcel before it is sent; a store that has forgotten a journal whose beginning is deleted already gets the rest as one
    of another name.
    """

    run_id: str
    writer: str
    files: list[Path]
    prepare: Callable[[Parcel], Parcel] | None = None
    position: int = 0
    _cursor: Cursor | None = None
    _lost: int = 0
    _clashes: dict[str, dict[str, str]] = field(factory=dict)

    def send(self, store: TrackingStore, *, end: int | None = None, passed: Callable[[Shipped], None] | None = None) -> Shipped:
        """Ship everything up to position `end` (of a living writer), or up to the end of the files; `passed` is told of every stretch.

        Raises what the store raises, and StoreCorrupt for a damaged journal; what was shipped before stays shipped, and the next call goes on from there.
        """
        total = Shipped()
        told: int | None = None
        while end is None or self.position < end:
            try:
                done = self._step(store, end)
            except OriginGap as gap:
                if gap.position == told:  # it was sent from there
                    self._cursor = None
                    raise
                told = gap.position
                self._start_at(told)
                continue
            except BaseException:
                self._cursor = None  # whether the store has it is not known: ask
                raise
            if done is None:
                break
            total.add(done)
            if passed is not None:
                passed(done)
        return total

    def delete_shipped(self) -> None:
        """Delete the files of which the store has everything; the last one is kept, since its writer may still write to it."""
        if self._cursor is not None:
            for path in self._cursor.forget_done():
                self.files.remove(path)
                path.unlink(missing_ok=True)

    def ending(self) -> Ending:
        """What lies behind the last frame, when all was shipped and the writer is dead."""
        return Ending.CLEAN if self._cursor is None else self._cursor.ending()

    def _step(self, store: TrackingStore, end: int | None) -> Shipped | None:
        if self._cursor is None:
            self._start_at(store.shipped_to(self._origin_name()) + self._lost)
            assert self._cursor is not None
        self._cursor.files = list(self.files)
        stretch = self._cursor.read(end=end)
        if stretch is None:
            self.position = max(self.position, self._cursor.seen)
            return None
        parcel = fold(self.run_id, self._origin_name(), stretch)
        if self._lost:
            parcel = evolve(parcel, origin=Origin(parcel.origin.writer, stretch.start - self._lost, stretch.end - self._lost))
        if self.prepare is not None:
            parcel = self.prepare(parcel)
        receipt = ship(store, parcel)
        self.position = stretch.end
        if receipt.clashes:
            self._clashes |= {clash.key: {"kept": clash.kept[:200], "refused": clash.refused[:200]} for clash in receipt.clashes}
            store.log_batch(self.run_id, LogBatch(tags={CLASHES_TAG: json.dumps(self._clashes)}))
        batch = parcel.batch
        return Shipped(
            sum(map(len, batch.metrics.values())) + sum(len(one.points) for one in batch.model_points),
            len(batch.params) - len(receipt.clashes),
            len(batch.tags),
            stretch.end - stretch.start,
            list(receipt.clashes),
            parcel.new is not None,
            parcel.status is not None and parcel.status.has_ended,
        )

    def _start_at(self, position: int) -> None:
        cursor = Cursor(list(self.files), position=position)
        first = cursor.begins_at
        if position < first:  # the store was put back to an earlier state, or the journal's beginning is lost
            self._lost = first
            cursor.position = first
        self._cursor, self.position = cursor, cursor.position

    def _origin_name(self) -> str:
        return f"{self.writer}-{self._lost}" if self._lost else self.writer
