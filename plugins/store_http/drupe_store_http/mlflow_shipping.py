"""Parcels to an MLflow server, which has no transaction for them: written part by part, and the position in the journal last.

Points that are sent again change nothing where the server keeps a point once, as MLflow does in databases.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from attrs import evolve

from drupe.entities import LogBatch, Origin, ParamClash, Parcel, Receipt, ViewType, limits
from drupe.errors import OriginGap, ParamConflict, RunNotFound, TagNotFound
from drupe.wire import tracking as wire
from drupe_store_http.batches import checked, log_in_pieces
from drupe_store_http.ids import PARENT_TAG, POSITION_TAG, experiment_ids
from drupe_store_http.link import Link
from drupe_store_http.mlflow_tracking import MlflowRuns
from drupe_store_http.servers import Server

__all__ = ["MlflowTrackingStore"]

CHILDREN_MOST = 1000
WRITER_MOST = 200  # characters of a writer in a tag's name
ATTEMPTS = 10  # others may log params of the run while a parcel's are compared with them


class MlflowTrackingStore(MlflowRuns):
    """Experiments and runs on a server of MLflow's, and what journals bring to them."""

    def __init__(self, link: Link, server: Server) -> None:
        super().__init__(link, server)
        self._positions: dict[str, int] = {}

    def shipped_to(self, writer: str) -> int:
        known = self._positions.get(limits.check_origin(Origin(writer, 0, 0)).writer)
        if known is not None:
            return known
        tag = _position_tag(writer)
        asked = wire.SearchRuns(
            experiment_ids=experiment_ids(self._link), filter=f"tags.`{tag}` LIKE '%'", run_view_type=ViewType.ALL, max_results=1
        )
        runs = self._link.ask("POST runs/search", asked).runs if asked.experiment_ids else ()
        self._positions[writer] = found = _number(runs[0].data.tags.get(tag)) if runs else 0
        return found

    def ship(self, parcel: Parcel) -> Receipt:
        """As `TrackingStore.ship` in what it keeps, but written part by part; where the parcel ends is written last."""
        limits.check_parcel(parcel)
        parcel = evolve(parcel, batch=checked(parcel.batch), inputs=tuple(map(limits.check_dataset_input, parcel.inputs)))
        writer = parcel.origin.writer
        try:
            receipt = self._shipped(parcel)
        except OriginGap:
            raise
        except BaseException:
            self._positions.pop(writer, None)  # whether the server has it is not known: ask
            raise
        if not receipt.is_repeat:
            self._positions[writer] = parcel.origin.end
        return receipt

    def _shipped(self, parcel: Parcel) -> Receipt:
        origin = parcel.origin
        at = self._positions.get(origin.writer) or self._position_in(parcel)
        if origin.end <= at:
            return Receipt(is_repeat=True)
        if origin.start != at:
            raise OriginGap(f"the parcel starts at {origin.start}, and the store has {origin.writer} up to {at}", position=at)
        if parcel.new is not None:
            made = self.create_run(parcel.new).info.run_id
            self._adopt_children(parcel.run_id, made, parcel.new.experiment_id)
        there = self._ids.there(parcel.run_id)
        for model in parcel.models:
            self.create_logged_model(model)
        if parcel.model_inputs:
            self.log_model_inputs(there, parcel.model_inputs)
        if parcel.model_outputs:
            self.log_outputs(there, parcel.model_outputs)
        parcel = evolve(parcel, batch=self._with_ids_there(parcel.batch))
        for key in parcel.removed_tags:
            with suppress(TagNotFound):
                self.delete_run_tag(there, key)
        has_more = bool(parcel.inputs) or parcel.status is not None or parcel.end_time is not None
        place = {_position_tag(origin.writer): str(origin.end)}
        clashes = self._log_what_fits(there, parcel, {} if has_more else place)
        if parcel.inputs:
            self.log_inputs(there, parcel.inputs)
        if parcel.status is not None or parcel.end_time is not None:
            self.update_run(there, status=parcel.status, end_time=parcel.end_time)
        if has_more:
            log_in_pieces(self._link, self._ids, there, LogBatch(), last_tags=place)
        return Receipt(clashes)

    def _log_what_fits(self, there: str, parcel: Parcel, last_tags: dict[str, str]) -> tuple[ParamClash, ...]:
        given = parcel.batch.params
        attempt = 0
        while True:
            attempt += 1
            kept = self._ids.read(there).data.params if given else {}
            clashes = tuple(ParamClash(key, kept[key], value) for key, value in given.items() if kept.get(key, value) != value)
            refused = {clash.key for clash in clashes}
            batch = evolve(parcel.batch, params={key: value for key, value in given.items() if key not in refused})
            try:
                log_in_pieces(self._link, self._ids, there, batch, last_tags=last_tags)
            except ParamConflict:
                if attempt == ATTEMPTS:
                    raise
            else:
                return clashes

    def _position_in(self, parcel: Parcel) -> int:
        """Up to where the run has the journal that the parcel is of."""
        try:
            run = self._ids.read(parcel.run_id)
        except RunNotFound:
            if parcel.new is None:
                raise
            return 0
        return _number(run.data.tags.get(_position_tag(parcel.origin.writer)))

    def _adopt_children(self, chosen: str, made: str, experiment_id: str) -> None:
        """Runs that were shipped before the one they are nested in know it by the id that was chosen here."""
        if chosen == made:
            return
        asked = wire.SearchRuns((experiment_id,), f"tags.`{PARENT_TAG}` = '{chosen}'", ViewType.ALL, CHILDREN_MOST)
        for child in self._link.ask("POST runs/search", asked).runs:
            self._link.ask("POST runs/set-tag", wire.SetTag(key=PARENT_TAG, value=made, run_id=child.info.run_id))


def _position_tag(writer: str) -> str:
    return POSITION_TAG + (writer if len(writer) <= WRITER_MOST else hashlib.sha256(writer.encode()).hexdigest())


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else 0
