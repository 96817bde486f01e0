"""Which logged model a path in a run means: `runs:/<run>/<name>` names the newest model that the run has made under that name.

Its files lie below the run where the store can choose their place, and elsewhere where it cannot; whoever reads should not have to know.
"""

from __future__ import annotations

import json
import re

from drupe.entities import LoggedModel, LoggedModelStatus, Run
from drupe.errors import LoggedModelNotFound, RunNotFound
from drupe.extend import Feature, TrackingStore
from drupe.search import Kind, parse
from drupe.uris import ArtifactPath, Uri, inside_of

__all__ = ["VERSIONS_TAG", "address_in_store", "find_in_run", "made_by", "model_name", "versions_of"]

VERSIONS_TAG = "mlflow.modelVersions"
"""The tag of a logged model that lists its registered versions: JSON, a list of {name, version}."""
_NOT_IN_NAMES = re.compile(r"[/:.%\"']")
_ID = re.compile(r"(?P<model>m-)?[0-9a-f]{32}")
_PROXIED, _PROXY_ROUTE = "mlflow-artifacts", "/api/2.0/mlflow-artifacts/artifacts/"
_MOST = 1000


def model_name(path: ArtifactPath) -> str:
    """The name of the logged model at this path of a run: names may not hold all that paths do."""
    return _NOT_IN_NAMES.sub("-", str(path))


def made_by(store: TrackingStore, run: Run) -> list[LoggedModel]:
    """The logged models that a run has made, the newest first; at most 1000."""
    return _search(store, run, "")


def find_in_run(store: TrackingStore, run: Run, path: ArtifactPath) -> tuple[LoggedModel, ArtifactPath] | None:
    """The logged model that a path in a run leads into, and the path inside it; None when the path is of another artifact.

    Of several of that name it is the newest whose files are in place, else the newest of which that is not known.
    """
    parts = path.segments
    if not parts:
        return None
    names = {model_name(ArtifactPath(parts[:count])): ArtifactPath(parts[count:]) for count in range(1, len(parts) + 1)}
    quoted = ", ".join(f"'{name}'" for name in names)
    found = [one for one in _search(store, run, f" AND name IN ({quoted})") if one.status is not LoggedModelStatus.FAILED]
    if not found:
        return None
    model = next((one for one in found if one.status is LoggedModelStatus.READY), found[0])
    return model, names[model.name]


def address_in_store(store: TrackingStore, address: str, tracking_uri: str) -> str | None:
    """The `models:/m-…` or `runs:/…` address of what lies at an artifact address or local path; None when it is no artifact of this store.

    Stores make the id of a run or a logged model part of the place of its files; whether that place is its own, the store is asked.
    """
    place = _as_stored(Uri.parse(address, query=True), tracking_uri)
    for part in place.split("/"):
        matched = _ID.fullmatch(part)
        if matched is None:
            continue
        try:
            if matched["model"]:
                root = store.get_logged_model(part).artifact_location if store.features.get(Feature.LOGGED_MODELS) else None
                found = f"models:/{part}"
            else:
                root, found = store.get_run(part).info.artifact_uri, f"runs:/{part}"
        except (RunNotFound, LoggedModelNotFound):
            continue
        path = None if root is None else ArtifactPath() if _plain(root) == place.rstrip("/") else inside_of(place, _plain(root))
        if path is not None:
            return f"{found}/{path}".rstrip("/")
    return None


def _as_stored(address: Uri, tracking_uri: str) -> str:
    """An address as a store has it: what a server hands on is named there without the server."""
    server = Uri.parse(tracking_uri, query=True, user_info=True)
    if server.host and address.host == server.host:
        route = server.path.rstrip("/") + _PROXY_ROUTE
        if address.scheme == server.scheme and address.path.startswith(route):
            return f"{_PROXIED}:/{address.path.removeprefix(route)}"
        if address.scheme == _PROXIED:
            return f"{_PROXIED}:{address.path}"
    return _plain(address)


def _plain(address: str | Uri) -> str:
    parsed = Uri.parse(address, query=True, user_info=True)
    return (parsed.path if parsed.scheme == "file" else f"{parsed.scheme}:{f'//{parsed.host}' if parsed.host else ''}{parsed.path}").rstrip(
        "/"
    )


def versions_of(model: LoggedModel) -> list[tuple[str, str]]:
    """Name and number of the registered versions that a logged model lists; of what anybody else wrote into the tag, nothing."""
    try:
        told = json.loads(model.tags.get(VERSIONS_TAG, "[]"))
        return [(str(one["name"]), str(one["version"])) for one in told]
    except (ValueError, TypeError, KeyError):
        return []


def _search(store: TrackingStore, run: Run, more: str) -> list[LoggedModel]:
    if not run.outputs.model_outputs or not store.features.get(Feature.LOGGED_MODELS):
        return []
    query = parse(Kind.LOGGED_MODELS, f"source_run_id = '{run.info.run_id}'{more}")
    return list(store.search_logged_models(query, experiment_ids=[run.info.experiment_id], limit=_MOST))
