"""Logged models copied from one store into another, and compared, with the runs that use and have made them. All else is for `copying`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, evolve, field

from drupe.entities import DeletedKind, LoggedModel, Page, Run, WholeLoggedModel
from drupe.errors import LoggedModelNotFound
from drupe.extend import Feature, TrackingStore
from drupe.search import Kind, parse

__all__ = ["Ties", "compare_models", "copy_models"]

AT_ONCE = 100
_MODELS = parse(Kind.LOGGED_MODELS)

Told = tuple[Any, ...]


@define
class Ties:
    """Which runs use a model and which have made it, by its id, as reading the runs has shown."""

    used: dict[str, set[str]] = field(factory=dict)
    made: dict[str, dict[str, int]] = field(factory=dict)

    def add(self, runs: Iterable[Run]) -> None:
        """Note what these runs say."""
        for run in runs:
            for one in run.inputs.model_inputs:
                self.used.setdefault(one.model_id, set()).add(run.info.run_id)
            for output in run.outputs.model_outputs:
                self.made.setdefault(output.model_id, {})[run.info.run_id] = output.step

    def whole(self, model: LoggedModel, *, is_deleted: bool) -> WholeLoggedModel:
        """A model with its runs."""
        used, made = self.used.get(model.model_id, set()), self.made.get(model.model_id, {})
        return WholeLoggedModel(model, is_deleted, tuple(sorted(used)), dict(sorted(made.items())))


def copy_models(source: TrackingStore, target: TrackingStore, ours: Ties, theirs: Ties) -> int:
    """Copy those that the target lacks or has otherwise, with the runs of `ours`; their runs are there already. How many were copied."""
    copied = 0
    waiting: list[WholeLoggedModel] = []
    for whole in _all(source, ours):
        there = _same(target, whole, theirs)
        if there is not None and _told(there) == _told(whole):
            continue
        waiting.append(whole)
        copied += 1
        if len(waiting) >= AT_ONCE:
            target.import_logged_models(waiting)
            waiting = []
    target.import_logged_models(waiting)
    return copied


def compare_models(source: TrackingStore, target: TrackingStore, ours: Ties, theirs: Ties, digest: hashlib._Hash) -> tuple[int, list[str]]:
    """How many models the source has, and what differs. What they are goes into the digest."""
    count, differences = 0, []
    known: set[str] = set()
    for whole in _all(source, ours):
        count += 1
        known.add(whole.model.model_id)
        digest.update(repr(_told(whole)).encode())
        there = _same(target, whole, theirs)
        if there is None:
            differences.append(f"logged model {whole.model.model_id} ({whole.model.name!r}) is missing")
        elif _told(there) != _told(whole):
            wrong = [name for name, one, other in zip(_PARTS, _told(whole), _told(there), strict=True) if one != other]
            differences.append(f"logged model {whole.model.model_id} ({whole.model.name!r}) differs in {', '.join(wrong)}")
    extra = [whole.model for whole in _all(target, theirs) if whole.model.model_id not in known]
    differences += [f"logged model {model.model_id} ({model.name!r}) is in the target only" for model in extra]
    return count, differences


_PARTS = ("info", "tags", "params", "metrics", "stage", "the runs that use it", "the runs that made it")


def _told(whole: WholeLoggedModel) -> Told:
    model = whole.model
    return (
        evolve(model, tags={}, params={}, metrics=()),
        sorted(model.tags.items()),
        sorted(model.params.items()),
        sorted(map(repr, model.metrics)),  # repr: NaN is NaN then
        whole.is_deleted,
        sorted(whole.used_by),
        sorted(whole.made_by.items()),
    )


def _same(store: TrackingStore, whole: WholeLoggedModel, ties: Ties) -> WholeLoggedModel | None:
    """The model of the store that has this one's id."""
    try:
        found, is_deleted = store.get_logged_model(whole.model.model_id), False
    except LoggedModelNotFound:
        try:
            found, is_deleted = store.get_logged_model(whole.model.model_id, allow_deleted=True), True
        except LoggedModelNotFound:
            return None
    return ties.whole(found, is_deleted=is_deleted)


def _all(store: TrackingStore, ties: Ties) -> Iterator[WholeLoggedModel]:
    """Every model, the deleted ones last where the store tells of them."""
    token = None
    while True:
        page: Page[LoggedModel] = store.search_logged_models(_MODELS, experiment_ids=None, limit=1000, page_token=token)
        yield from (ties.whole(model, is_deleted=False) for model in page)
        token = page.token
        if token is None:
            break
    if store.features.get(Feature.UPKEEP):
        for one in store.deleted():
            if one.kind is DeletedKind.LOGGED_MODEL:
                yield ties.whole(store.get_logged_model(one.id, allow_deleted=True), is_deleted=True)
