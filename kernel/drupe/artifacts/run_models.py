"""Which logged model a path in a run means: `runs:/<run>/<name>` names the newest model that the run has made under that name.

Its files lie below the run where the store can choose their place, and elsewhere where it cannot; whoever reads should not have to know.
"""

from __future__ import annotations

import json
import re

from drupe.entities import LoggedModel, LoggedModelStatus, Run
from drupe.extend import Feature, TrackingStore
from drupe.search import Kind, parse
from drupe.uris import ArtifactPath

__all__ = ["VERSIONS_TAG", "find_in_run", "made_by", "model_name", "versions_of"]

VERSIONS_TAG = "mlflow.modelVersions"
"""The tag of a logged model that lists its registered versions: JSON, a list of {name, version}."""
_NOT_IN_NAMES = re.compile(r"[/:.%\"']")
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
