"""What a run, logged model or model is after an import, when it was here before: what is here stays, what it lacks is added.

This is the meaning of `TrackingStore.import_runs`, `import_logged_models` and `RegistryStore.import_model` on values: it tells beforehand what they will do, so that a dry
run can say it and the comparison at the end knows what to find.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from drupe.entities import LoggedModelStatus, ModelVersion, Points, RunInputs, WholeLoggedModel, WholeModel, WholeRun
from drupe.entities.metrics import rank
from drupe.extend import Loss
from drupe.migrate.digests import ordered

__all__ = ["merge_logged_model", "merge_model", "merge_run"]

Tell = Callable[[Loss], None]
_SHOWN = 60


def merge_run(here: WholeRun, given: WholeRun, tell: Tell) -> WholeRun:
    """`here` with what it lacks of `given`; what differs and stays is told."""
    kept, new = here.run, given.run
    place = f"run {kept.info.run_id}"
    if not kept.info.status.has_ended:
        end = kept.info.end_time if new.info.end_time is None else new.info.end_time
        kept = evolve(kept, info=evolve(kept.info, status=new.info.status, end_time=end))
    for name in ("run_name", "user_id", "status", "start_time", "end_time", "lifecycle_stage"):
        mine, theirs = getattr(kept.info, name), getattr(new.info, name)
        if mine != theirs:
            tell(Loss("run", place, f"its {name} is {str(theirs)[:_SHOWN]!r} there and {str(mine)[:_SHOWN]!r} here, which stays"))
    for what, mine, theirs in (("param", kept.data.params, new.data.params), ("tag", kept.data.tags, new.data.tags)):
        for key in theirs:
            if mine.get(key, theirs[key]) != theirs[key]:
                tell(Loss(what, f"{place}, {what} {key!r}", f"another value is here, {mine[key][:_SHOWN]!r}, and stays"))
    data = evolve(kept.data, params={**new.data.params, **kept.data.params}, tags={**new.data.tags, **kept.data.tags})
    known = {(one.dataset.name, one.dataset.digest) for one in kept.inputs.dataset_inputs}
    more = tuple(one for one in new.inputs.dataset_inputs if (one.dataset.name, one.dataset.digest) not in known)
    inputs = RunInputs((*kept.inputs.dataset_inputs, *more))
    return WholeRun(evolve(kept, data=data, inputs=inputs), _together(here, given))


def merge_logged_model(here: WholeLoggedModel, given: WholeLoggedModel, tell: Tell) -> WholeLoggedModel:
    """`here`, which is not deleted, with what it lacks of `given`; what differs and stays is told."""
    kept, new = here.model, given.model
    if kept.status is LoggedModelStatus.PENDING:
        kept = evolve(kept, status=new.status, status_message=new.status_message)
    for name in ("name", "model_type", "source_run_id", "status"):
        mine, theirs = getattr(kept, name), getattr(new, name)
        if mine != theirs:
            tell(
                Loss(
                    "logged model",
                    kept.model_id,
                    f"its {name} is {str(theirs)[:_SHOWN]!r} there and {str(mine)[:_SHOWN]!r} here, which stays",
                )
            )
    if given.is_deleted:
        tell(Loss("logged model", kept.model_id, "it is deleted there and not here, and stays"))
    for what, mine, theirs in (("param", kept.params, new.params), ("tag", kept.tags, new.tags)):
        for key in theirs:
            if mine.get(key, theirs[key]) != theirs[key]:
                place = f"{kept.model_id}, {what} {key!r}"
                tell(Loss(f"logged model {what}", place, f"another value is here, {mine[key][:_SHOWN]!r}, and stays"))
    metrics = {(one.key, one.run_id, one.dataset_name, one.dataset_digest): one for one in kept.metrics}
    for one in new.metrics:
        place_of_metric = one.key, one.run_id, one.dataset_name, one.dataset_digest
        last = metrics.get(place_of_metric)
        if last is None or rank(last.step, last.timestamp, last.value) < rank(one.step, one.timestamp, one.value):
            metrics[place_of_metric] = one
    return WholeLoggedModel(
        evolve(
            kept,
            tags={**new.tags, **kept.tags},
            params={**new.params, **kept.params},
            metrics=tuple(metrics.values()),
            last_updated_timestamp=max(kept.last_updated_timestamp, new.last_updated_timestamp),
        )
    )


def merge_model(here: WholeModel, given: WholeModel, tell: Tell) -> tuple[WholeModel, WholeModel]:
    """(what `here` will be, what of `given` is to be taken in). A version here with the number of another one there keeps it, and its aliases.

    Versions of one number are the same when they were made at the same time.
    """
    place = f"registered model {here.model.name!r}"
    mine = {version.version: version for version in here.versions}
    highest = max([here.highest, *map(int, mine)])
    taken: list[ModelVersion] = []
    for version in given.versions:
        at, kept = f"{place}, version {version.version}", mine.get(version.version)
        if kept is None and int(version.version) <= highest:
            tell(Loss("model version", at, "this number was used here before, by a version that was deleted"))
        elif kept is not None and kept.creation_timestamp != version.creation_timestamp:
            tell(Loss("model version", at, "another version has this number here, and stays"))
        else:
            taken.append(version)
            if kept is not None:
                _tell_changes(at, kept, version, tell)
    numbers = {version.version for version in taken}
    aliases = {alias: number for alias, number in given.model.aliases.items() if number in numbers}
    for alias, number in given.model.aliases.items():
        kept_number = here.model.aliases.get(alias)
        if kept_number not in (None, number):
            tell(Loss("alias", f"{place}, alias {alias!r}", f"it points to version {number} there and {kept_number} here, which stays"))
        elif kept_number is None and number not in numbers:
            tell(Loss("alias", f"{place}, alias {alias!r}", f"version {number}, which it points to, was not taken in"))
    for key, value in given.model.tags.items():
        if here.model.tags.get(key, value) != value:
            tell(
                Loss(
                    "registered model tag", f"{place}, tag {key!r}", f"another value is here, {here.model.tags[key][:_SHOWN]!r}, and stays"
                )
            )
    if here.model.description != given.model.description:
        tell(Loss("registered model", place, "another description is here, and stays"))
    added = tuple(version for version in taken if version.version not in mine)
    merged = evolve(here.model, tags={**given.model.tags, **here.model.tags}, aliases={**aliases, **here.model.aliases})
    wanted = WholeModel(evolve(given.model, aliases=aliases), tuple(taken), given.highest)
    return WholeModel(merged, (*here.versions, *added), max(highest, given.highest)), wanted


def _tell_changes(place: str, kept: ModelVersion, version: ModelVersion, tell: Tell) -> None:
    for name in ("current_stage", "description", "source", "run_id", "status", "tags"):
        mine, theirs = getattr(kept, name), getattr(version, name)
        if mine != theirs:
            tell(Loss("model version", place, f"its {name} is {str(theirs)[:_SHOWN]!r} there and {str(mine)[:_SHOWN]!r} here, which stays"))


def _together(here: WholeRun, given: WholeRun) -> dict[str, Points]:
    points = dict(here.points)
    for key, more in given.points.items():
        if len(more):
            both = Points()
            both.extend(points.get(key, Points()))
            both.extend(more)
            points[key] = ordered(both)
    return points
