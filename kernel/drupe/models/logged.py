"""Logs a model to a run: writes its folder, puts it among the run's artifacts, notes it on the run, registers it if asked to."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

from drupe.artifacts.manifest import MANIFEST_FILE
from drupe.artifacts.repos import repo_for
from drupe.artifacts.trees import put_tree
from drupe.entities.limits import check_model_name
from drupe.errors import InvalidValue
from drupe.extend import ModelLogged
from drupe.loading import catalog
from drupe.models.mlmodel import MLMODEL_FILE, Model, ModelInfo
from drupe.models.saving import write_model
from drupe.registry.client import RegistryClient
from drupe.registry.fluent import register_model
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.chosen import client_of
from drupe.tracking.fluent import active_run, start_run
from drupe.tracking.model_history import HISTORY_TAG, listed
from drupe.tracking.sync import REGISTER_TAG
from drupe.uris import ArtifactPath, redact

__all__ = ["log_model"]

log = logging.getLogger("drupe.models")

_DEFAULT_NAME = "model"
# what MLflow 3 keeps with its logged models, which runs know nothing of
_OF_LOGGED_MODELS = ("params", "tags", "model_type", "step", "model_id")


def log_model(
    model: Any,
    name: str | None = None,
    *,
    flavor: str | None = None,
    artifact_path: str | None = None,
    run_id: str | None = None,
    registered_model_name: str | None = None,
    await_registration_for: int | None = 300,
    **given: Any,
) -> ModelInfo:
    """Save `model` among the artifacts of the active run (a run is started when none is), or of the run `run_id`.

        info = drupe.log_model(clf, "clf", input_example=train_x.head(3), registered_model_name="churn")
        drupe.load_model(info.model_uri).predict(test_x)

    `name` is the folder's path in the run (`artifact_path` is its older name; default "model"); a model of that name is replaced, unless
    it is a registered version, which is refused. `flavor` names the flavor when the model's class should not decide. Other arguments are
    those of `ModelParts` and the flavor's own. Registration is done when this returns, so `await_registration_for` has no effect.
    Raises InvalidValue, InvalidPath, NoProvider.
    """
    if name is not None and artifact_path is not None and name != artifact_path:
        raise InvalidValue(f"the model has two names: name={name!r} and artifact_path={artifact_path!r}; give one")
    path = ArtifactPath.parse(name or artifact_path or _DEFAULT_NAME)
    if path.is_root:
        raise InvalidValue("a model needs a folder of its own in the run; give it a name")
    if ignored := [key for key in _OF_LOGGED_MODELS if given.pop(key, None)]:
        warnings.warn(f"log_model keeps no {', '.join(ignored)} with a model; log them to the run", stacklevel=2)
    if run_id is None:
        run_id = str((active_run() or start_run()).info.run_id)
    client = client_of(run_id)
    run = client.get_run(run_id)
    with tempfile.TemporaryDirectory(prefix="drupe-model-") as place:
        folder = Path(place)
        saved = write_model(model, folder, flavor=flavor, run_id=run_id, artifact_path=str(path), **given)
        _upload(run.info.artifact_uri, folder, path, is_offline=client.is_offline)
    _note(client, run_id, saved)
    uri = f"runs:/{run_id}/{path}"
    catalog().notify(ModelLogged(store=redact(client.tracking_uri), run_id=run_id, name=str(path), model_uri=uri))
    version = None
    if registered_model_name is not None:
        if client.is_offline:
            _register_later(client, run_id, str(path), registered_model_name)
        else:
            version = register_model(uri, registered_model_name).version
    return saved.info(uri, registered_model_version=version)


def _register_later(client: ArtifactClient, run_id: str, path: str, name: str) -> None:
    """The registry is not there now: `drupe sync` registers the model when it ships the run."""
    check_model_name(name)
    wanted = json.loads(client.get_run(run_id).data.tags.get(REGISTER_TAG, "[]"))
    client.set_tag(run_id, REGISTER_TAG, json.dumps([*wanted, [path, name]]))
    log.warning("model %r is kept offline; `drupe sync` registers it as %r when it ships the run", path, name)


def _upload(artifact_uri: str, folder: Path, path: ArtifactPath, *, is_offline: bool) -> None:
    repo = repo_for(artifact_uri)
    if repo.is_file(path / MLMODEL_FILE):
        if not is_offline:
            _refuse_if_registered(str(repo.root / path), path)
        repo.delete(path)  # files of the earlier model that this one lacks would not fit its manifest
    with tempfile.TemporaryDirectory(prefix="drupe-model-") as apart:
        seal = (folder / MANIFEST_FILE).rename(Path(apart) / MANIFEST_FILE)
        put_tree(repo, folder, path)
        repo.put_file(seal, path / MANIFEST_FILE)  # last: until it is there, the model is not complete


def _refuse_if_registered(address: str, path: ArtifactPath) -> None:
    """A registered version keeps its files: logging over them would change what others load by its number."""
    found = RegistryClient().search_model_versions(f"source_path = '{address}'", max_results=1)
    if found:
        raise InvalidValue(
            f"the model {str(path)!r} of this run is version {found[0].version} of {found[0].name!r} and cannot be replaced; "
            "log this one under another name, or in a run of its own",
            name=found[0].name,
            version=found[0].version,
        )


def _note(client: ArtifactClient, run_id: str, saved: Model) -> None:
    """Add the model to the run's list of models, MLflow 2's tag; the oldest are left out when they would not fit into a tag."""
    known = client.get_run(run_id).data.tags.get(HISTORY_TAG)
    client.set_tag(run_id, HISTORY_TAG, listed(known, saved.to_dict()))
