"""What the stores say of a model: the digest that its files had when it was logged or registered, and who did so.

The digest stands in a tag of the run, the version or the logged model, not in the model's folder: whoever can change the files need not be
able to change it. `note_logged` writes it; registering copies it to the version, see `drupe.registry`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from attrs import frozen

from drupe.artifacts.manifest import Manifest
from drupe.artifacts.resolve import find_version, split_models_uri
from drupe.artifacts.run_models import find_in_run
from drupe.entities import LoggedModel, Run
from drupe.entities.limits import KEY_MAX
from drupe.errors import InvalidPath, InvalidUri, NotFound
from drupe.extend import Feature, RegistryStore, TrackingStore
from drupe.models.trusted import remember_store
from drupe.tracking.address import get_registry_uri, get_tracking_uri, registry_store, tracking_store
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.model_history import DIGEST_TAG, digest_tag
from drupe.uris import ModelsUri, RunsUri, inside_of

__all__ = ["Word", "note_logged", "words_for"]

_LOGGED_MODEL = re.compile(r"models:/+(?P<model_id>m-[0-9a-f]{32})/?")
_MOST_HOPS = 8


@frozen
class Word:
    """What one store says: `store` is its address, `what` the run, version or logged model, `user` who logged it; `digest` None when it knows none."""

    store: str
    what: str
    digest: str | None = None
    user: str = ""


def note_logged(client: ArtifactClient, run_id: str, path: str, sealed: Manifest | None, *, model_id: str | None = None) -> None:
    """Note the digest of a model that was just logged, with the logged model or else with its run, and that this user logs to that store.

    `path` is where it lies among the run's artifacts. What is offline goes to the run, whose tags travel with its journal.
    """
    if sealed is not None and model_id is not None and not client.is_offline:
        client.set_logged_model_tags(model_id, {DIGEST_TAG: sealed.digest})
    elif sealed is not None and len(key := digest_tag(path)) <= KEY_MAX:
        client.set_tag(run_id, key, sealed.digest)
    remember_store(client.tracking_uri)


def words_for(
    model_uri: str, *, tracking: Callable[[], TrackingStore] = tracking_store, registry: Callable[[], RegistryStore] = registry_store
) -> list[Word]:
    """What the stores in use say of the model at this address, the nearest first; nothing for plain folders and artifact addresses.

    `tracking` and `registry` give these stores. A version's source may be another version or a run, whose word is asked for too. What is not
    found is left out.
    """
    found: list[Word] = []
    text = model_uri
    for _ in range(_MOST_HOPS):
        with suppress(NotFound, InvalidUri, InvalidPath):
            step = _step(text, tracking, registry)
            if step is None:
                break
            word, text = step
            found.append(word)
            continue
        break
    return found


def _step(text: str, tracking: Callable[[], TrackingStore], registry: Callable[[], RegistryStore]) -> tuple[Word, str] | None:
    """What is said of this address, and where it leads; None when it names nothing that a store keeps."""
    if text.startswith("runs:"):
        return _of_run(text, tracking())
    if logged := _LOGGED_MODEL.fullmatch(text):
        return _word_of(store := tracking(), store.get_logged_model(logged["model_id"])), ""
    return _of_version(text, tracking, registry) if text.startswith("models:") else None


def _of_run(text: str, store: TrackingStore) -> tuple[Word, str]:
    address = RunsUri.parse(text)
    run = store.get_run(address.run_id)
    found = find_in_run(store, run, address.path) if store.features.get(Feature.LOGGED_MODELS) else None
    if found is not None:
        return _word_of(store, found[0], run), ""
    return Word(get_tracking_uri(), f"run {address.run_id}", run.data.tags.get(digest_tag(str(address.path))), run.info.user_id or ""), ""


def _word_of(store: TrackingStore, model: LoggedModel, run: Run | None = None) -> Word:
    """A logged model's own note, else that of its run for the place where it lies."""
    digest = model.tags.get(DIGEST_TAG)
    if digest is None and model.source_run_id:
        with suppress(NotFound):
            run = run or store.get_run(model.source_run_id)
            path = inside_of(model.artifact_location, run.info.artifact_uri)
            digest = None if path is None else run.data.tags.get(digest_tag(str(path)))
    return Word(get_tracking_uri(), f"logged model {model.model_id}", digest)


def _of_version(text: str, tracking: Callable[[], TrackingStore], registry: Callable[[], RegistryStore]) -> tuple[Word, str]:
    model: ModelsUri = split_models_uri(text)[0]
    version = find_version(registry(), model)
    what = f"version {version.version} of {version.name}"
    word = Word(get_registry_uri(), what, version.tags.get(DIGEST_TAG), version.user_id or "")
    return word, _as_run_address(version.run_id, version.source, tracking)


def _as_run_address(run_id: str | None, source: str, tracking: Callable[[], TrackingStore]) -> str:
    """MLflow's clients register the place of a run's model; its run knows more of it."""
    if not run_id or source.startswith(("runs:", "models:")):
        return source
    with suppress(NotFound):
        root = tracking().get_run(run_id).info.artifact_uri.rstrip("/")
        if source.startswith(f"{root}/"):
            return f"runs:/{run_id}/{source.removeprefix(root).strip('/')}"
    return source
