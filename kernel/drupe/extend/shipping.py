"""How a parcel reaches a store that has no transaction of its own for it: part by part, with the methods that every store has.

Sending a parcel again then writes its parts again, which changes nothing as long as nobody else wrote to the run in between. A store that
can do better overrides `TrackingStore.ship` and declares `Feature.ORIGINS`.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import evolve

from drupe.entities import ParamClash, Parcel, Receipt, limits
from drupe.errors import ParamConflict, TagNotFound
from drupe.extend.features import Feature
from drupe.extend.moving import at_home

if TYPE_CHECKING:
    from drupe.extend.tracking_store import TrackingStore

__all__ = ["ship_in_parts"]

ATTEMPTS = 10  # others may log params of the run while a parcel's are compared with them


def ship_in_parts(store: TrackingStore, parcel: Parcel) -> Receipt:
    """Write a parcel with the store's other methods; what they raise passes through, and earlier parts stay written then."""
    limits.check_parcel(parcel)
    if parcel.new is not None:
        store.create_run(parcel.new)
    models = parcel.models
    if models and store.features.get(Feature.MOVES):
        home = store.get_run(parcel.run_id).info.experiment_id
        models = tuple(at_home(model, parcel.run_id, home) for model in models)
    for model in models:
        store.create_logged_model(model)
    for key in parcel.removed_tags:
        with suppress(TagNotFound):
            store.delete_run_tag(parcel.run_id, key)
    if parcel.model_inputs:
        store.log_model_inputs(parcel.run_id, parcel.model_inputs)
    if parcel.model_outputs:
        store.log_outputs(parcel.run_id, parcel.model_outputs)
    clashes = _log_what_fits(store, parcel)
    if parcel.inputs:
        store.log_inputs(parcel.run_id, parcel.inputs)
    if parcel.status is not None or parcel.end_time is not None:
        store.update_run(parcel.run_id, status=parcel.status, end_time=parcel.end_time)
    return Receipt(clashes)


def _log_what_fits(store: TrackingStore, parcel: Parcel) -> tuple[ParamClash, ...]:
    given = dict(limits.check_param(key, value) for key, value in parcel.batch.params.items())
    clashes: list[ParamClash] = []
    for attempt in range(1, ATTEMPTS + 1):
        kept = store.get_run(parcel.run_id).data.params if given else {}
        clashes = [ParamClash(key, kept[key], value) for key, value in given.items() if kept.get(key, value) != value]
        refused = {clash.key for clash in clashes}
        fitting = {key: value for key, value in given.items() if key not in refused}
        try:
            store.log_batch(parcel.run_id, evolve(parcel.batch, params=fitting))
        except ParamConflict:
            if attempt == ATTEMPTS:
                raise
        else:
            break
    return tuple(clashes)
