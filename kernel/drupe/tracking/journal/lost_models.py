"""Shipping what belongs to logged models that the store does not have: it is the run's all the same.

A model may be deleted, or its store may keep none, after what is measured on it was logged; that must not hold up the rest of the journal.
"""

from __future__ import annotations

from collections.abc import Container

from attrs import evolve

from drupe.entities import ModelInput, ModelOutput, ModelPoints, Parcel, Points, Receipt
from drupe.errors import InvalidValue, LoggedModelNotFound
from drupe.extend import Feature, TrackingStore

__all__ = ["ship"]


def ship(store: TrackingStore, parcel: Parcel) -> Receipt:
    """Ship a parcel, without what ties it to logged models that are not there. Raises what the store raises."""
    named = _named(parcel)
    if named and not store.features.get(Feature.LOGGED_MODELS):
        return store.ship(_without(parcel, named))
    try:
        return store.ship(parcel)
    except (InvalidValue, LoggedModelNotFound):
        lost = {model_id for model_id in named if not _is_there(store, parcel, model_id)}
        if not lost:
            raise
        return store.ship(_without(parcel, lost))


def _named(parcel: Parcel) -> set[str]:
    ties: tuple[ModelInput | ModelOutput | ModelPoints, ...] = (*parcel.model_inputs, *parcel.model_outputs, *parcel.batch.model_points)
    return {one.model_id for one in ties} | {str(one.model_id) for one in parcel.models}


def _is_there(store: TrackingStore, parcel: Parcel, model_id: str) -> bool:
    if any(one.model_id == model_id for one in parcel.models):
        return True
    try:
        store.get_logged_model(model_id)
    except LoggedModelNotFound:
        return False
    return True


def _without(parcel: Parcel, lost: Container[str]) -> Parcel:
    """The parcel with the points of these models as points of the run alone."""
    metrics = dict(parcel.batch.metrics)
    for one in parcel.batch.model_points:
        if one.model_id in lost:
            joined = Points()
            joined.extend(metrics.get(one.key, Points()))
            joined.extend(one.points)
            metrics[one.key] = joined
    kept = tuple(one for one in parcel.batch.model_points if one.model_id not in lost)
    return evolve(
        parcel,
        batch=evolve(parcel.batch, metrics=metrics, model_points=kept),
        models=tuple(one for one in parcel.models if one.model_id not in lost),
        model_inputs=tuple(one for one in parcel.model_inputs if one.model_id not in lost),
        model_outputs=tuple(one for one in parcel.model_outputs if one.model_id not in lost),
    )
