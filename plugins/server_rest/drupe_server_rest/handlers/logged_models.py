"""Logged models: their life, tags, params and files, finding them, and which runs make them."""

from __future__ import annotations

from attrs import evolve

from drupe.entities import LoggedModel
from drupe.entities.limits import check_key
from drupe.errors import InvalidValue
from drupe.search import ModelOrder, OnDataset, parse_logged_models
from drupe.wire import logged_models as wire, own
from drupe.wire.tracking import LogOutputs, Nothing
from drupe_server_rest.services import Services

__all__ = ["HANDLERS"]

PAGE = 50


def _create(services: Services, asked: wire.CreateLoggedModel) -> wire.LoggedModelFound:
    """See `wire.CreateLoggedModel`."""
    return _changed_model(services, services.tracking.create_logged_model(wire.new_model_of(asked)))


def _get(services: Services, asked: wire.GetLoggedModel) -> wire.LoggedModelFound:
    """See `wire.GetLoggedModel`."""
    return wire.LoggedModelFound(_told(services, services.tracking.get_logged_model(asked.model_id, allow_deleted=asked.allow_deleted)))


def _finalize(services: Services, asked: wire.FinalizeLoggedModel) -> wire.LoggedModelFound:
    """See `wire.FinalizeLoggedModel`."""
    if asked.status is None:
        raise InvalidValue(
            "logged-models: status is LOGGED_MODEL_PENDING, LOGGED_MODEL_READY or LOGGED_MODEL_UPLOAD_FAILED", fields=["status"]
        )
    return _changed_model(services, services.tracking.set_logged_model_status(asked.model_id, asked.status, message=asked.status_message))


def _delete(services: Services, asked: wire.OneLoggedModel) -> Nothing:
    """Delete it for all but those who allow for deleted ones."""
    services.tracking.delete_logged_model(asked.model_id)
    return _changed(services, asked.model_id)


def _search(services: Services, asked: wire.SearchLoggedModels) -> wire.LoggedModelsFound:
    """See `wire.SearchLoggedModels`."""
    return _found(services, asked, asked.max_results or PAGE)


def _search_everywhere(services: Services, asked: own.FindLoggedModels) -> wire.LoggedModelsFound:
    """See `own.FindLoggedModels`."""
    return _found(services, asked, PAGE if asked.limit is None else asked.limit)


def _found(services: Services, asked: wire.SearchLoggedModels | own.FindLoggedModels, limit: int) -> wire.LoggedModelsFound:
    page = services.tracking.search_logged_models(
        parse_logged_models(
            asked.filter,
            [ModelOrder(one.field_name, one.ascending, one.dataset_name or None, one.dataset_digest or None) for one in asked.order_by],
            [OnDataset(one.dataset_name, one.dataset_digest or None) for one in asked.datasets],
        ),
        experiment_ids=asked.experiment_ids,
        limit=limit,
        page_token=asked.page_token or None,
    )
    return wire.LoggedModelsFound(tuple(_told(services, model) for model in page), page.token)


def _set_tags(services: Services, asked: wire.SetLoggedModelTags) -> wire.LoggedModelFound:
    """See `wire.SetLoggedModelTags`."""
    tags = {tag.key: tag.value for tag in asked.tags}  # the last write wins, also twice in one request
    return _changed_model(services, services.tracking.set_logged_model_tags(asked.model_id, tags))


def _delete_tag(services: Services, asked: wire.DeleteLoggedModelTag) -> Nothing:
    """See `wire.DeleteLoggedModelTag`."""
    services.tracking.delete_logged_model_tag(asked.model_id, check_key("logged model tag", asked.tag_key))
    return _changed(services, asked.model_id)


def _log_params(services: Services, asked: wire.LogLoggedModelParams) -> Nothing:
    """See `wire.LogLoggedModelParams`."""
    services.tracking.log_logged_model_params(asked.model_id, wire.pairs_of("params", asked.params))
    return _changed(services, asked.model_id)


def _list_files(services: Services, asked: wire.ListLoggedModelFiles) -> wire.LoggedModelFilesFound:
    """The direct children of a folder of a logged model, told from the model's root."""
    location = services.tracking.get_logged_model(asked.model_id).artifact_location
    root = services.places.inside(location)
    found = services.places.repo.list(root / (asked.artifact_directory_path or ""))
    depth = len(root.segments)
    files = tuple(evolve(one, path="/".join(one.path.split("/")[depth:])) for one in found)
    return wire.LoggedModelFilesFound(services.places.told(location), files)


def _log_outputs(services: Services, asked: LogOutputs) -> Nothing:
    """See `drupe.wire.tracking.LogOutputs`."""
    services.tracking.log_outputs(asked.run_id, asked.models)
    services.changes.tell("run", run_id=asked.run_id)
    return Nothing()


def _told(services: Services, model: LoggedModel) -> LoggedModel:
    return evolve(model, artifact_location=services.places.told(model.artifact_location))


def _changed(services: Services, model_id: str) -> Nothing:
    services.changes.tell("logged_model", model_id=model_id)
    return Nothing()


def _changed_model(services: Services, model: LoggedModel) -> wire.LoggedModelFound:
    _changed(services, model.model_id)
    return wire.LoggedModelFound(_told(services, model))


HANDLERS = {
    "POST logged-models": _create,
    "GET logged-models/{model_id}": _get,
    "PATCH logged-models/{model_id}": _finalize,
    "DELETE logged-models/{model_id}": _delete,
    "POST logged-models/search": _search,
    "POST drupe/search-logged-models": _search_everywhere,
    "PATCH logged-models/{model_id}/tags": _set_tags,
    "DELETE logged-models/{model_id}/tags/{tag_key}": _delete_tag,
    "POST logged-models/{model_id}/params": _log_params,
    "GET logged-models/{model_id}/artifacts/directories": _list_files,
    "POST runs/outputs": _log_outputs,
}
