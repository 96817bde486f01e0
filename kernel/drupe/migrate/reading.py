"""Reading runs and models back from the stores of this house, whole, and pages of a source several at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from attrs import evolve

from drupe.entities import Points, Run, WholeLoggedModel, WholeModel, WholeRun, gather
from drupe.errors import LoggedModelNotFound, RegisteredModelNotFound, RunNotFound
from drupe.extend import RegistryStore, TrackingStore
from drupe.search.parse import parse
from drupe.search.prompts import PROMPT_TAG
from drupe.search.query import And, Comparison, Condition, Entity, Field, Kind, Op

__all__ = ["ahead", "pages_of", "whole_logged_models", "whole_model", "whole_runs"]

T = TypeVar("T")
R = TypeVar("R")


def whole_runs(store: TrackingStore, run_ids: Sequence[str]) -> dict[str, WholeRun]:
    """Those of these runs that the store has, by id."""
    found: dict[str, Run] = {}
    for run_id in run_ids:
        try:
            run = store.get_run(run_id)
        except RunNotFound:
            continue
        found[run_id] = evolve(run, data=evolve(run.data, metrics={}, summaries={}))
    points: dict[str, dict[str, Points]] = {run_id: {} for run_id in found}
    if found:
        for series in store.metric_bulk(list(found)):
            points[series.run_id][series.key] = series.points
    return {run_id: WholeRun(run, points[run_id]) for run_id, run in found.items()}


def whole_logged_models(store: TrackingStore, model_ids: Sequence[str]) -> dict[str, WholeLoggedModel]:
    """Those of these logged models that the store has, deleted ones too, by id; which runs they are tied to is with the runs."""
    found: dict[str, WholeLoggedModel] = {}
    for model_id in model_ids:
        try:
            found[model_id] = WholeLoggedModel(store.get_logged_model(model_id))
        except LoggedModelNotFound:
            with suppress(LoggedModelNotFound):
                found[model_id] = WholeLoggedModel(store.get_logged_model(model_id, allow_deleted=True), is_deleted=True)
    return found


def whole_model(store: RegistryStore, name: str) -> WholeModel | None:
    """The model of that name with all of its versions; None when there is none."""
    try:
        model = store.get_registered_model(name)
    except RegisteredModelNotFound:
        return None
    where: Condition = Comparison(Field(Entity.ATTRIBUTE, "name"), Op.EQ, name)
    if model.tags.get(PROMPT_TAG) == "true":  # MLflow's servers only show them when asked
        where = And((where, Comparison(Field(Entity.TAG, PROMPT_TAG), Op.EQ, "true")))
    query = evolve(parse(Kind.MODEL_VERSIONS, None, None), where=where)
    versions = gather(lambda limit, token: store.search_model_versions(query, limit=limit, page_token=token), page_size=1000)
    kept = tuple(evolve(version, aliases=()) for version in versions)
    return WholeModel(evolve(model, latest_versions=()), kept, max((int(version.version) for version in kept), default=0))


def pages_of(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things in lists of at most `size`."""
    page: list[T] = []
    for thing in things:
        page.append(thing)
        if len(page) == size:
            yield page
            page = []
    if page:
        yield page


def ahead(read: Callable[[T], R], things: Iterable[T], *, workers: int) -> Iterator[R]:
    """`read` of each thing, in their order, by so many threads that are at most twice as many things ahead of the reader."""
    with ThreadPoolExecutor(workers, thread_name_prefix="drupe-import") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for thing in things:
                waiting.append(pool.submit(partial(read, thing)))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()
