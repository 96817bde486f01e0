"""Logged models on a server, in words that drupe's server and MLflow's from 3.0 share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from drupe.entities import LoggedModel, LoggedModelStatus, ModelInput, ModelOutput, logged_limits
from drupe.entities.limits import check_tags
from drupe.errors import InvalidName, LoggedModelNotFound, RunNotFound, TagNotFound
from drupe.search import Query, render_logged_models
from drupe.wire import logged_models as wire, tracking
from drupe_store_http.tracking import HttpTrackingStore

__all__ = ["LoggedModelCalls", "pairs", "worded"]

_ONE = "logged-models/{model_id}"


class LoggedModelCalls(HttpTrackingStore):
    """The part of a tracking store about logged models; making and searching them is each server's own."""

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        return self._model(f"GET {_ONE}", wire.GetLoggedModel(model_id=self._there(model_id), allow_deleted=allow_deleted))

    def set_logged_model_status(self, model_id: str, status: LoggedModelStatus, *, message: str | None = None) -> LoggedModel:
        asked = wire.FinalizeLoggedModel(
            model_id=self._there(model_id), status=status, status_message=logged_limits.check_status_message(message)
        )
        return self._model(f"PATCH {_ONE}", asked)

    def delete_logged_model(self, model_id: str) -> None:
        self._link.ask(f"DELETE {_ONE}", wire.OneLoggedModel(model_id=self._there(model_id)), missing=LoggedModelNotFound)

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> LoggedModel:
        checked = check_tags("logged model tag", tags, limit=None)
        return self._model(f"PATCH {_ONE}/tags", wire.SetLoggedModelTags(model_id=self._there(model_id), tags=pairs(checked)))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        asked = wire.DeleteLoggedModelTag(model_id=self._there(model_id), tag_key=key)
        self._link.ask(f"DELETE {_ONE}/tags/{{tag_key}}", asked, missing=LoggedModelNotFound, done=(TagNotFound,))

    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        asked = wire.LogLoggedModelParams(model_id=self._there(model_id), params=pairs(params))
        self._link.ask(f"POST {_ONE}/params", asked, missing=LoggedModelNotFound)

    def log_model_inputs(self, run_id: str, models: Sequence[ModelInput]) -> None:
        self._link.ask("POST runs/log-inputs", tracking.LogInputs(run_id=run_id, models=tuple(models)), missing=RunNotFound)

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        self._link.ask("POST runs/outputs", tracking.LogOutputs(run_id=run_id, models=tuple(models)), missing=RunNotFound)

    def _there(self, model_id: str) -> str:
        """What a logged model is called there. Raises LoggedModelNotFound for what is called so nowhere."""
        return _known_form(model_id)

    def _model(self, route: str, asked: Any) -> LoggedModel:
        return cast("LoggedModel", self._link.ask(route, asked, missing=LoggedModelNotFound).model)


def worded(query: Query) -> tuple[str | None, tuple[wire.SearchedDataset, ...], tuple[wire.SortedBy, ...]]:
    """Filter, datasets and order of a search, as the protocol states them. Raises InvalidQuery."""
    filter, order, datasets = render_logged_models(query)
    return (
        filter or None,
        tuple(wire.SearchedDataset(one.name, one.digest) for one in datasets),
        tuple(wire.SortedBy(one.field_name, one.ascending, one.dataset_name, one.dataset_digest) for one in order),
    )


def pairs(texts: Mapping[str, str]) -> tuple[wire.LoggedModelPair, ...]:
    """Tags or params as the protocol states them."""
    return tuple(wire.LoggedModelPair(key, value) for key, value in texts.items())


def _known_form(model_id: str) -> str:
    """The id, if it may be that of a logged model. Raises LoggedModelNotFound."""
    try:
        return logged_limits.check_model_id(model_id)
    except InvalidName as fault:
        raise LoggedModelNotFound(f"there is no logged model {model_id[:60]!r}", model_id=model_id[:60]) from fault
