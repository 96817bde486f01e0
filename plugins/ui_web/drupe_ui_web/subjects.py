"""What a page is about (a run, a logged model, a version), and where its files lie.

Only places below the server's own artifacts are ever opened; a version that leads elsewhere is refused in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from drupe.artifacts.resolve import find_version, split_models_uri
from drupe.artifacts.run_models import find_in_run
from drupe.errors import InvalidUri, InvalidValue
from drupe.extend import ArtifactRepo, ServedStore
from drupe.uris import ArtifactPath, RunsUri, inside_of

__all__ = ["Place", "address_of", "place_at", "place_of"]

_MOST_HOPS = 8
_LOGGED_MODEL = re.compile(r"models:/+(?P<model_id>m-[^/]+)(?:/(?P<path>.*))?", re.DOTALL)
WAYS = "run_id=…, model_id=…, or name=… and version=…"


@frozen
class Place:
    """A file or folder: `root` is the path in the repository of what the page is about, `path` what is asked below it."""

    repo: ArtifactRepo
    root: ArtifactPath
    path: ArtifactPath

    @property
    def whole(self) -> ArtifactPath:
        """The path in the repository."""
        return ArtifactPath(self.root.segments + self.path.segments)

    def told(self, path: str) -> str:
        """A path of the repository as one below `root`."""
        return path if self.root.is_root else path[len(str(self.root)) + 1 :]


def address_of(query: Mapping[str, str]) -> str:
    """The address that people use for what is asked: `runs:/…`, `models:/m-…` or `models:/NAME/3`. Raises InvalidValue."""
    if query.get("model_id"):
        return f"models:/{query['model_id']}"
    if query.get("name") and query.get("version"):
        return f"models:/{query['name']}/{query['version']}"
    if query.get("run_id"):
        path = query.get("folder", "")
        return f"runs:/{query['run_id']}/{path}" if path else f"runs:/{query['run_id']}"
    raise InvalidValue(f"say what this is about: {WAYS}")


def place_of(store: ServedStore, query: Mapping[str, str]) -> Place:
    """The place that the parameters of an address name, with `path` below it.

    Raises InvalidValue, InvalidPath, InvalidUri (elsewhere), and NotFound of runs, models and versions.
    """
    path = ArtifactPath.parse(query.get("path", ""))
    if query.get("name") and query.get("version"):  # names with a slash have no address of their own
        address = store.registry.get_model_version(query["name"], query["version"]).source
    else:
        address = address_of(query)
    repo, root = place_at(store, address)
    return Place(repo, root, path)


def place_at(store: ServedStore, address: str) -> tuple[ArtifactRepo, ArtifactPath]:
    """The repository and path that an address leads to, over versions, runs and logged models. Raises as `place_of`."""
    inner = ArtifactPath()
    for _ in range(_MOST_HOPS):
        logged = _LOGGED_MODEL.fullmatch(address)
        if logged is not None:
            inner = ArtifactPath(ArtifactPath.parse(logged["path"] or "").segments + inner.segments)
            address = store.tracking.get_logged_model(logged["model_id"]).artifact_location
        elif address.startswith("models:"):
            model, path = split_models_uri(address)
            inner = ArtifactPath(path.segments + inner.segments)
            address = find_version(store.registry, model).source
        else:
            break
    else:
        raise InvalidUri(f"{address!r} leads from model to model and never to files")
    if address.startswith("runs:"):
        return _in_run(store, address, inner)
    repo, root = store.files(address)
    return repo, ArtifactPath(root.segments + inner.segments)


def _in_run(store: ServedStore, address: str, inner: ArtifactPath) -> tuple[ArtifactRepo, ArtifactPath]:
    named = RunsUri.parse(address)
    run, path = store.tracking.get_run(named.run_id), ArtifactPath(named.path.segments + inner.segments)
    repo, root = store.files(run.info.artifact_uri)
    found = find_in_run(store.tracking, run, path)
    if found is not None and inside_of(found[0].artifact_location, run.info.artifact_uri) is None:
        repo, root = store.files(found[0].artifact_location)
        path = found[1]
    return repo, ArtifactPath(root.segments + path.segments)
