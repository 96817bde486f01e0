"""Removing for good what was deleted longer ago than some age: files first, then rows, so that what was interrupted is simply done again.

What a registered version was made of stays, and so does whatever has files that cannot be removed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from attrs import define, field

from drupe.artifacts.repos import repo_for
from drupe.entities import Deleted, DeletedKind, LoggedModel, ModelVersion, ViewType, each
from drupe.errors import DrupeError, InvalidValue, LoggedModelNotFound, NotFound, RunNotFound
from drupe.extend import Feature, RegistryStore, TrackingStore
from drupe.extend.upkeep import Progress
from drupe.search import Kind, parse
from drupe.uris import ArtifactPath, Uri, inside_of, redact

__all__ = ["Removable", "find_removable", "read_age", "remove"]

_AGE = re.compile(r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_UNITS_MS = (86_400_000, 3_600_000, 60_000, 1000)
_VERSIONS, _RUNS, _MODELS = parse(Kind.MODEL_VERSIONS), parse(Kind.RUNS), parse(Kind.LOGGED_MODELS)
_ID_IN_SOURCE = re.compile(r"[0-9A-Za-z][\w-]*")
DEFAULT = "0"
AT_ONCE = 200
PAGE = 1000


@define
class Removable:
    """What may be removed, and what was deleted long enough ago too but stays, each with the reason."""

    things: list[Deleted] = field(factory=list)
    kept: list[tuple[Deleted, str]] = field(factory=list)


def read_age(text: str) -> int:
    """Read `30d`, `1d2h3m4s`, as MLflow has it, as milliseconds. Raises InvalidValue."""
    found = _AGE.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise InvalidValue(f"{text!r} is not an age; write days, hours, minutes and seconds like 30d or 1d2h30m")
    return round(sum(float(number) * unit for number, unit in zip(found.groups(), _UNITS_MS, strict=True) if number))


def find_removable(
    store: TrackingStore,
    registry: RegistryStore | None,
    *,
    older_than_ms: int | None,
    now_ms: int,
    run_ids: Collection[str] = (),
    experiment_ids: Collection[str] = (),
    model_ids: Collection[str] = (),
) -> Removable:
    """What was deleted at least `older_than_ms` ago (None: whenever); with ids, only these, with what is in these experiments.

    Raises NotFound for an id that is not of a deleted thing, UnsupportedFeature.
    """
    deleted = store.deleted()
    if run_ids or experiment_ids or model_ids:
        deleted = _named(deleted, run_ids, experiment_ids, model_ids)
    if older_than_ms is not None:
        deleted = [one for one in deleted if one.deleted_at is not None and one.deleted_at <= now_ms - older_than_ms]
    held = _held(registry)
    found = Removable()
    homes_kept: dict[str, str] = {}
    for one in deleted:
        why = _why_kept(store, one, held, homes_kept)
        if why is None:
            found.things.append(one)
            continue
        found.kept.append((one, why))
        homes_kept.setdefault(one.experiment_id, f"{one.kind} {one.id} in it stays")
    return found


def remove(store: TrackingStore, found: Removable, *, progress: Progress | None = None) -> Removable:
    """Remove the files and rows of what was found; what was removed, and what stays."""
    done = Removable(kept=list(found.kept))
    ready: list[Deleted] = []
    for number, one in enumerate(found.things):
        if progress is not None:
            progress(number, len(found.things), one.name)
        try:
            if one.kind is DeletedKind.RUN:
                for model in _models_below(store, one):  # nobody is to be told of files that are gone
                    store.delete_logged_model(model.model_id)
            for id_, address in _files_of(store, one):
                _remove_files(store, id_, address)
        except DrupeError as fault:
            done.kept.append((one, f"its files cannot be removed: {fault.message}"))
            continue
        ready.append(one)
        if len(ready) >= AT_ONCE:
            store.remove(ready)
            done.things += ready
            ready = []
    store.remove(ready)
    done.things += ready
    return done


def _named(deleted: list[Deleted], run_ids: Collection[str], experiment_ids: Collection[str], model_ids: Collection[str]) -> list[Deleted]:
    wanted = {
        **{(DeletedKind.RUN, one): "run" for one in run_ids},
        **{(DeletedKind.EXPERIMENT, one): "experiment" for one in experiment_ids},
        **{(DeletedKind.LOGGED_MODEL, one): "logged model" for one in model_ids},
    }
    missing = wanted.keys() - {(one.kind, one.id) for one in deleted}
    if missing:
        told = ", ".join(f"{kind} {id_}" for kind, id_ in sorted(missing))
        raise NotFound(f"not deleted, or not there at all: {told}; delete it first", ids=sorted(id_ for _, id_ in missing))
    return [one for one in deleted if (one.kind, one.id) in wanted or one.experiment_id in set(experiment_ids)]


def _held(registry: RegistryStore | None) -> dict[str, str]:
    """The ids and addresses that registered versions name as what they were made of, with the version's name."""
    held: dict[str, str] = {}
    if registry is None:
        return held
    version: ModelVersion
    for version in each(lambda limit, token: registry.search_model_versions(_VERSIONS, limit=limit, page_token=token), page_size=PAGE):
        name = f"version {version.version} of {version.name}"
        held.update(dict.fromkeys(_ID_IN_SOURCE.findall(version.source), name))
        held[version.source.rstrip("/")] = name
        if version.run_id:
            held[version.run_id] = name
    return held


def _why_kept(store: TrackingStore, one: Deleted, held: dict[str, str], homes_kept: dict[str, str]) -> str | None:
    if one.kind is not DeletedKind.EXPERIMENT:
        found = held.get(one.id) or held.get((one.artifacts or "").rstrip("/"))
        if found is None and one.kind is DeletedKind.RUN:
            found = next((held[model.model_id] for model in _models_below(store, one) if model.model_id in held), None)
        return f"{found} was made of it" if found else None
    if one.id == DEFAULT:
        return "every store has this experiment"
    if one.id in homes_kept:
        return homes_kept[one.id]
    alive = store.search_runs(_RUNS, experiment_ids=[one.id], view=ViewType.ACTIVE_ONLY, limit=1)
    if len(alive):
        return f"run {alive[0].info.run_id} in it was restored"
    for run in _runs_of(store, one.id):
        if run in held:
            return f"{held[run]} was made of run {run} in it"
    for model in _models_of(store, one.id):
        if model.model_id in held:
            return f"{held[model.model_id]} was made of logged model {model.model_id} in it"
    return None


def _files_of(store: TrackingStore, one: Deleted) -> Iterator[tuple[str, str]]:
    """The ids that name folders of files, with the addresses of the files."""
    if one.kind is not DeletedKind.EXPERIMENT:
        if one.artifacts:
            yield one.id, one.artifacts
        return
    for run in each(
        lambda limit, token: store.search_runs(_RUNS, experiment_ids=[one.id], view=ViewType.ALL, limit=limit, page_token=token),
        page_size=PAGE,
    ):
        yield run.info.run_id, run.info.artifact_uri
    for model in _models_of(store, one.id):
        yield model.model_id, model.artifact_location


def _remove_files(store: TrackingStore, id_: str, address: str) -> None:
    """Remove the folder that is named after the id, or that of a logged model among the files of its run.

    Raises InvalidValue when the files are in no such folder: it may be somebody else's.
    """
    uri = Uri.parse(address, query=True)
    parts = uri.text.partition("?")[0].rstrip("/").split("/")
    if parts[-1] == "artifacts":
        parts.pop()
    if len(parts) < 2 or parts[-1] != id_:
        if _removed_from_run(store, id_, address):
            return
        raise InvalidValue(f"{redact(address)} is no folder of its own")
    repo_for("/".join(parts[:-1])).delete(ArtifactPath.parse(id_))


def _removed_from_run(store: TrackingStore, model_id: str, address: str) -> bool:
    """Remove the files of a logged model that lie among those of its run; False for what is no such model."""
    if not store.features.get(Feature.LOGGED_MODELS):
        return False
    try:
        run_id = store.get_logged_model(model_id, allow_deleted=True).source_run_id
        root = store.get_run(run_id or "").info.artifact_uri
    except LoggedModelNotFound:
        return False
    except RunNotFound:  # it was removed, and its files with it
        return True
    inside = inside_of(address, root)
    if inside is None or inside.is_root:
        return False
    repo_for(root).delete(inside)
    return True


def _models_below(store: TrackingStore, run: Deleted) -> list[LoggedModel]:
    """The logged models, but for deleted ones, whose files lie among those of a run."""
    if not run.artifacts or not store.features.get(Feature.LOGGED_MODELS):
        return []
    query = parse(Kind.LOGGED_MODELS, f"source_run_id = '{run.id}'")
    found = each(
        lambda limit, token: store.search_logged_models(query, experiment_ids=[run.experiment_id], limit=limit, page_token=token),
        page_size=PAGE,
    )
    return [model for model in found if inside_of(model.artifact_location, str(run.artifacts)) is not None]


def _runs_of(store: TrackingStore, experiment_id: str) -> Iterator[str]:
    for run in each(
        lambda limit, token: store.search_runs(_RUNS, experiment_ids=[experiment_id], view=ViewType.ALL, limit=limit, page_token=token),
        page_size=PAGE,
    ):
        yield run.info.run_id


def _models_of(store: TrackingStore, experiment_id: str) -> Iterable[LoggedModel]:
    if not store.features.get(Feature.LOGGED_MODELS):
        return ()
    return each(
        lambda limit, token: store.search_logged_models(_MODELS, experiment_ids=[experiment_id], limit=limit, page_token=token),
        page_size=PAGE,
    )
