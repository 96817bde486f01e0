"""Logs a model: makes the logged model, writes its folder, puts it among the run's artifacts, notes it on the run, registers it if asked to.

Where the store keeps no logged models, the folder among the artifacts of the run is all there is. Making logged models without a model to
save is for `fluent`.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Mapping
from operator import index
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.artifacts.manifest import MANIFEST_FILE, read_manifest
from drupe.artifacts.repos import repo_for
from drupe.artifacts.run_models import model_name
from drupe.artifacts.trees import put_tree
from drupe.entities import LoggedModel, LoggedModelStatus, NewLoggedModel, Run
from drupe.entities.limits import check_model_name
from drupe.errors import DrupeError, InvalidValue
from drupe.extend import Feature, ModelLogged
from drupe.loading import catalog
from drupe.models.mlmodel import MLMODEL_FILE, Model, ModelInfo
from drupe.models.saving import write_model
from drupe.models.vouching import note_logged
from drupe.registry.client import RegistryClient
from drupe.registry.fluent import register_model
from drupe.tracking import last_model, made
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.chosen import client_of
from drupe.tracking.client import texts
from drupe.tracking.context import context_tags
from drupe.tracking.fluent import active_run, start_run
from drupe.tracking.model_history import HISTORY_TAG, listed
from drupe.tracking.sync import MODELS_TAG, REGISTER_TAG
from drupe.uris import ArtifactPath, redact

__all__ = ["log_model"]

log = logging.getLogger("drupe.models")

_DEFAULT_NAME = "model"


@frozen
class _Place:
    """Where the files of a model go: a folder of the run, or the address of a logged model that lies elsewhere."""

    path: ArtifactPath
    address: str
    folder: ArtifactPath


def log_model(
    model: Any,
    name: str | None = None,
    *,
    flavor: str | None = None,
    artifact_path: str | None = None,
    run_id: str | None = None,
    registered_model_name: str | None = None,
    await_registration_for: int | None = 300,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    step: int | None = None,
    model_id: str | None = None,
    metric_steps: Mapping[str, int] | None = None,
    **given: Any,
) -> ModelInfo:
    """Save `model` as a logged model of the active run (a run is started when none is), or of the run `run_id`.

        info = drupe.log_model(clf, "clf", input_example=train_x.head(3), params={"depth": 3}, registered_model_name="churn")
        drupe.load_model(info.model_uri).predict(test_x)

    The model has an id, `params` (those of the run are added), `tags` and a `model_type`, and is tied to the run at `step`: metrics that the
    run has logged or will log at that step are the model's too. Without one it is 0, as in MLflow, with a warning where the run has gone on to
    later steps. `metric_steps`, which MLflow does not have, names metrics that were measured on this model at another step. `model_id` is that of a logged model that was made before and has no files
    yet. `name` is the folder's path in the run (`artifact_path` is its older name; default "model"); a model of that name stays, and
    `runs:/<run>/<name>` names the newest. `flavor` names the flavor when the model's class should not decide. Other arguments are those of
    `ModelParts` and the flavor's own. Registration is done when this returns, so `await_registration_for` has no effect.
    Raises InvalidValue, InvalidPath, NoProvider, LoggedModelNotFound; the logged model is FAILED then.
    """
    if name is not None and artifact_path is not None and name != artifact_path:
        raise InvalidValue(f"the model has two names: name={name!r} and artifact_path={artifact_path!r}; give one")
    path = ArtifactPath.parse(name or artifact_path or _DEFAULT_NAME)
    if path.is_root:
        raise InvalidValue("a model needs a folder of its own in the run; give it a name")
    at, steps = _steps(step, metric_steps)
    if run_id is None:
        run_id = str((active_run() or start_run()).info.run_id)
    client = client_of(run_id)
    run = client.get_run(run_id)
    entity: LoggedModel | None = None
    if client.store.features.get(Feature.LOGGED_MODELS):
        if model_id is None:
            entity = _made(client, run, path, params=params, tags=tags, model_type=model_type)
        else:
            entity = client.get_logged_model(model_id)
            client.log_model_params(model_id, params or {})
            client.set_logged_model_tags(model_id, tags or {})
    elif ignored := [
        key for key, value in (("params", params), ("tags", tags), ("model_type", model_type), ("model_id", model_id)) if value
    ]:
        warnings.warn(f"{redact(client.tracking_uri)} keeps no {', '.join(ignored)} with a model; log them to the run", stacklevel=2)
    try:
        if entity is not None:
            made.tie(client, run_id, entity.model_id, at, steps)
            last_model.note(entity.model_id, client.tracking_uri)
            entity = client.get_logged_model(entity.model_id)  # with its metrics, for its card
            if step is None and metric_steps is None:
                _warn_if_gone_on(run, entity, path)
        place = _place(run, path, entity)
        saved = _write(client, model, place, flavor=flavor, run=run, entity=entity, given=given)
    except BaseException as fault:
        if entity is not None:
            _fail(client, entity, fault)
        raise
    if entity is not None:
        client.finalize_logged_model(entity.model_id, LoggedModelStatus.READY)
    _note(client, run_id, saved)
    uri = f"runs:/{run_id}/{place.path}" if entity is None else entity.model_uri
    if entity is not None and client.is_offline:
        _settle_later(client, run_id, entity.model_id, place.path)
    catalog().notify(ModelLogged(store=redact(client.tracking_uri), run_id=run_id, name=str(path), model_uri=uri))
    version = None
    if registered_model_name is not None:
        if client.is_offline:
            _register_later(client, run_id, str(place.path), registered_model_name)
        else:
            version = register_model(uri, registered_model_name, tracking=client).version
    return saved.info(uri, registered_model_version=version)


def _made(
    client: ArtifactClient,
    run: Run,
    path: ArtifactPath,
    *,
    params: Mapping[str, Any] | None,
    tags: Mapping[str, Any] | None,
    model_type: str | None,
) -> LoggedModel:
    """The logged model, PENDING. It lies at `path` of the run, or beside it where an earlier one lies there, whose files stay as they are."""
    model_id = client.new_model_id()
    is_taken = repo_for(run.info.artifact_uri).is_file(path / MLMODEL_FILE)
    folder = path.parent / f"{path.segments[-1]}-{model_id[2:10]}" if is_taken else path
    return client.store.create_logged_model(
        NewLoggedModel(
            run.info.experiment_id,
            model_id,
            model_name(path),
            model_type,
            run.info.run_id,
            {**_kept(context_tags()), **texts(tags)},
            {**run.data.params, **texts(params)},
            str(folder),
        )
    )


def _steps(step: Any, metric_steps: Any) -> tuple[int, dict[str, int]]:
    """Both as whole numbers. Raises InvalidValue."""
    try:
        at = 0 if step is None else index(step)
    except TypeError as fault:
        raise InvalidValue(f"step is {step!r}; it must be a whole number") from fault
    try:
        return at, {str(key): index(one) for key, one in (metric_steps or {}).items()}
    except (TypeError, AttributeError) as fault:
        raise InvalidValue(f"metric_steps is a dict of metric and step, a whole number; it is {metric_steps!r:.200}") from fault


def _warn_if_gone_on(run: Run, entity: LoggedModel, path: ArtifactPath) -> None:
    """Say that the model has the values of step 0 where it most likely is what came of the last."""
    later = made.gone_on(run, entity)
    if later:
        last = max(later.values())
        keys = sorted(key for key, step in later.items() if step == last)
        told = ", ".join(keys[:3]) + (f" and {len(keys) - 3} more" if len(keys) > 3 else "")
        warnings.warn(
            f"the model {str(path)!r} has those metrics that its run logs at step 0 and not those up to step {last} ({told}): "
            f"say at which step it was made, with log_model(…, step={last}) for the last",
            stacklevel=_steps_to_caller(),
        )


def _steps_to_caller() -> int:
    """How far up the stack of whoever asks the code is that called us, directly or through a flavor's functions."""
    frame, steps = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("drupe.models."):
        frame, steps = frame.f_back, steps + 1
    return steps


def _kept(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key.startswith(("mlflow.user", "mlflow.source."))}


def _place(run: Run, path: ArtifactPath, entity: LoggedModel | None) -> _Place:
    root = run.info.artifact_uri
    inside = None if entity is None else made.path_in_run(run, entity)
    if entity is None or inside is not None:
        folder = inside or path
        return _Place(folder, root, folder)
    return _Place(path, entity.artifact_location, ArtifactPath())


def _write(
    client: ArtifactClient, model: Any, place: _Place, *, flavor: str | None, run: Run, entity: LoggedModel | None, given: dict[str, Any]
) -> Model:
    with tempfile.TemporaryDirectory(prefix="drupe-model-") as temporary:
        folder = Path(temporary)
        uri = f"runs:/{run.info.run_id}/{place.path}" if entity is None else entity.model_uri
        saved = write_model(model, folder, flavor=flavor, run=run, entity=entity, artifact_path=str(place.path), uri=uri, **given)
        sealed = read_manifest(folder)
        _upload(place, folder, is_replaceable=entity is None and not client.is_offline)
        note_logged(client, run.info.run_id, str(place.path), sealed, model_id=None if entity is None else entity.model_id)
    return saved


def _fail(client: ArtifactClient, entity: LoggedModel, fault: BaseException) -> None:
    """Say that the files of the model will not be there; when even that fails it stays PENDING, and the first fault is the one that matters."""
    try:
        client.store.set_logged_model_status(entity.model_id, LoggedModelStatus.FAILED, message=f"{type(fault).__name__}: {fault}")
    except DrupeError as another:
        log.warning("logged model %s cannot be marked as failed: %s", entity.model_id, another)


def _settle_later(client: ArtifactClient, run_id: str, model_id: str, path: ArtifactPath) -> None:
    """Its files are where the run's wait; who ships them puts them where they belong, and says that they are in place."""
    waiting = json.loads(client.get_run(run_id).data.tags.get(MODELS_TAG, "{}"))
    client.set_tag(run_id, MODELS_TAG, json.dumps({**waiting, model_id: str(path)}))


def _register_later(client: ArtifactClient, run_id: str, path: str, name: str) -> None:
    """The registry is not there now: `drupe sync` registers the model when it ships the run."""
    check_model_name(name)
    wanted = json.loads(client.get_run(run_id).data.tags.get(REGISTER_TAG, "[]"))
    client.set_tag(run_id, REGISTER_TAG, json.dumps([*wanted, [path, name]]))
    log.warning("model %r is kept offline; `drupe sync` registers it as %r when it ships the run", path, name)


def _upload(place: _Place, folder: Path, *, is_replaceable: bool) -> None:
    repo, path = repo_for(place.address), place.folder
    if repo.is_file(path / MLMODEL_FILE):
        if is_replaceable:
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
    told = {key: value for key, value in saved.to_dict().items() if key != "card"}
    client.set_tag(run_id, HISTORY_TAG, listed(known, told))
