"""Logged models as a script handles them: made, found, changed, and made the active one. MLflow's names and argument order.

What saves a model as one is `drupe.log_model`. State of the thread or task is in `drupe.tracking.active_model`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drupe import lazy
from drupe.entities import LoggedModel, LoggedModelStatus, ModelOutput, each
from drupe.errors import InvalidValue, NoActiveRun
from drupe.models.yaml_text import write_yaml
from drupe.tracking import last_model
from drupe.tracking.active_model import ActiveModel, activate, get_active_model_id
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.chosen import client_of, current_experiment
from drupe.tracking.client import texts
from drupe.tracking.context import context_tags
from drupe.tracking.fluent import active_run, start_run

__all__ = [
    "create_external_model",
    "delete_logged_model_tag",
    "finalize_logged_model",
    "get_logged_model",
    "initialize_logged_model",
    "last_logged_model",
    "log_model_params",
    "log_outputs",
    "search_logged_models",
    "set_active_model",
    "set_logged_model_tags",
]

EXTERNAL_TAG = "mlflow.model.isExternal"
_PAGE = 1000

log = logging.getLogger("drupe.models")


def initialize_logged_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Make a PENDING logged model without files: log to it while it is trained, and give its files with `log_model(model_id=…)`.

    It belongs to the active run and its experiment unless others are named. Raises ExperimentNotFound, InvalidName.
    """
    run = active_run()
    run_id = source_run_id or (run.info.run_id if run is not None else None)
    client = ArtifactClient() if run_id is None else client_of(run_id)
    if experiment_id is None:
        experiment_id = current_experiment(client) if run_id is None else client.get_run(run_id).info.experiment_id
    own = {key: value for key, value in context_tags().items() if key.startswith(("mlflow.user", "mlflow.source."))}
    made = client.create_logged_model(experiment_id, name, run_id, {**own, **texts(tags)}, params, model_type)
    last_model.note(made.model_id, client.tracking_uri)
    return made


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Make a READY logged model for a model whose files are kept elsewhere, or that has none: a service, a rule, a person.

    It takes params, tags and metrics as all others do, and cannot be loaded.
    """
    made = initialize_logged_model(name, source_run_id, {**texts(tags), EXTERNAL_TAG: "true"}, params, model_type, experiment_id)
    client = _client_of_model(made.model_id)
    with tempfile.TemporaryDirectory(prefix="drupe-model-") as folder:
        keys = {"model_id": made.model_id, "metadata": {EXTERNAL_TAG: "true"}, "artifact_path": made.artifact_location, "flavors": {}}
        write_yaml(Path(folder) / "MLmodel", {**keys, **({"run_id": made.source_run_id} if made.source_run_id else {})})
        client.log_model_artifacts(made.model_id, folder)
    return client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)


def get_logged_model(model_id: str) -> LoggedModel:
    """Read a logged model. Raises LoggedModelNotFound."""
    return _client_of_model(model_id).get_logged_model(model_id)


def finalize_logged_model(model_id: str, status: str | LoggedModelStatus) -> LoggedModel:
    """Say that the model's files are in place (READY), or will not be (FAILED)."""
    return _client_of_model(model_id).finalize_logged_model(model_id, status)


def last_logged_model() -> LoggedModel | None:
    """The logged model that this thread or task has made last, read anew; None when it has made none."""
    known = last_model.last()
    return None if known is None else _client_of_model(known[0]).get_logged_model(known[0])


def log_model_params(params: Mapping[str, Any], model_id: str | None = None) -> None:
    """Add params to a logged model, the active one by default. They never change: another value raises ParamConflict."""
    model_id = _meant(model_id)
    _client_of_model(model_id).log_model_params(model_id, params)


def set_logged_model_tags(model_id: str, tags: Mapping[str, Any]) -> None:
    """Set tags on a logged model."""
    _client_of_model(model_id).set_logged_model_tags(model_id, tags)


def delete_logged_model_tag(model_id: str, key: str) -> None:
    """Remove a tag of a logged model. Raises TagNotFound."""
    _client_of_model(model_id).delete_logged_model_tag(model_id, key)


def log_outputs(models: Sequence[ModelOutput] | None = None) -> None:
    """Say which logged models the active run has made, and at which step."""
    run_id = (active_run() or start_run()).info.run_id
    client_of(run_id).log_outputs(run_id, list(models or ()))


def search_logged_models(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str | None = None,
    datasets: Sequence[Mapping[str, Any]] | None = None,
    max_results: int | None = None,
    order_by: Sequence[Mapping[str, Any]] | None = None,
    output_format: str = "pandas",
) -> Any:
    """Logged models that the filter finds, as a DataFrame (`output_format="pandas"`) or a list of LoggedModel values (`"list"`).

    Looks into the experiment in use unless others are named. Arguments are those of `Client.search_logged_models`; all pages are read. Raises
    InvalidQuery.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidValue(f"output_format is {output_format!r}; use 'pandas' or 'list'")
    client = ArtifactClient()
    ids = experiment_ids or [current_experiment(client)]
    found = list(
        each(
            lambda limit, token: client.search_logged_models(ids, filter_string, datasets, limit, order_by, token),
            page_size=_PAGE,
            at_most=max_results,
        )
    )
    return found if output_format == "list" else lazy.load("drupe.tracking.frames:logged_models_frame")(found)


def set_active_model(*, name: str | None = None, model_id: str | None = None) -> ActiveModel:
    """Make a logged model the active one of this thread or task: metrics that name no model are its own.

    `name` is the newest of that name in the experiment in use; an external model of that name is made when there is none. The result is a
    context manager: leaving the block goes back to what was active before. Raises LoggedModelNotFound, InvalidValue.

        with drupe.set_active_model(name="ranker-v2"):
            drupe.log_metric("ndcg", 0.41)
    """
    if model_id is not None:
        model = get_logged_model(model_id)
        if name is not None and model.name != name:
            raise InvalidValue(f"logged model {model_id} is named {model.name!r}, not {name!r}; give one of the two")
        return activate(model)
    if not name:
        raise InvalidValue("set_active_model needs the name or the model_id of a logged model")
    # a name with a quote cannot be one: making it says why
    found = [] if "'" in name else search_logged_models(filter_string=f"name = '{name}'", max_results=2, output_format="list")
    if len(found) > 1:
        log.warning("several logged models are named %r; the newest, %s, is the active one now", name, found[0].model_id)
    return activate(found[0] if found else create_external_model(name))


def _meant(model_id: str | None) -> str:
    found = model_id or get_active_model_id()
    if found is None:
        raise NoActiveRun("no logged model is active; give the model_id, or choose one with set_active_model")
    return found


def _client_of_model(model_id: str) -> ArtifactClient:
    """The client of the store that a model was made in by this process, else of the store in use."""
    known = last_model.last()
    run = active_run()
    if run is not None:
        return client_of(run.info.run_id)
    return ArtifactClient(known[1]) if known is not None and known[0] == model_id else ArtifactClient()
