"""Logged models on an MLflow server, from 3.0 on: it chooses their ids, keeps every point of their metrics, and filters by less."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar
from uuid import uuid4

from attrs import evolve

from drupe.entities import (
    LogBatch,
    LoggedModel,
    LoggedModelStatus,
    Metric,
    ModelInput,
    ModelOutput,
    NewLoggedModel,
    Page,
    limits,
    logged_limits,
)
from drupe.entities.metrics import rank
from drupe.errors import (
    ExperimentNotFound,
    InvalidValue,
    LoggedModelNotFound,
    ParamConflict,
    StoreUnavailable,
    TagNotFound,
    UnsupportedFeature,
)
from drupe.extend import Feature, Support
from drupe.search.query import Query
from drupe.wire import logged_models as wire
from drupe.wire.tracking import Nothing
from drupe_store_http.dialect import plain_query, split
from drupe_store_http.ids import PRIVATE, experiment_ids as all_experiment_ids
from drupe_store_http.link import Link
from drupe_store_http.logged_models import LoggedModelCalls, pairs, worded
from drupe_store_http.mlflow_shipping import MlflowTrackingStore
from drupe_store_http.servers import Server
from drupe_store_http.walking import walked

__all__ = ["Mlflow3TrackingStore"]

REQUEST_TAG = f"{PRIVATE}request"
ID_TAG = f"{PRIVATE}model_id"


class Mlflow3TrackingStore(LoggedModelCalls, MlflowTrackingStore):
    """Experiments, runs and logged models on a server of MLflow's from 3.0 on."""

    features: ClassVar[Mapping[Feature, Support]] = {
        Feature.CONCURRENT_PROCESSES: Support.FULL,
        Feature.LOGGED_MODELS: Support.SOME_VERSIONS,
    }

    def __init__(self, link: Link, server: Server) -> None:
        super().__init__(link, server)
        self._model_ids: dict[str, str] = {}  # those that were asked for, and what they are called there

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """As the contract says, but that the server chooses id and address: a `model_id` that is given is kept in a private tag, and known too."""
        new = logged_limits.check_new_logged_model(new)
        made_before = self._chosen_here(new.model_id) if new.model_id else None
        if made_before is not None:
            return _told(made_before)
        request = uuid4().hex
        run_id = self._ids.there(new.source_run_id) if new.source_run_id else None
        asked = wire.CreateLoggedModel(
            experiment_id=limits.check_experiment_id(new.experiment_id),
            name=new.name,
            model_type=new.model_type,
            source_run_id=run_id,
            params=pairs(new.params),
            tags=pairs({**new.tags, REQUEST_TAG: request, **({ID_TAG: new.model_id} if new.model_id else {})}),
        )
        with self._in_active_experiment(new.experiment_id):
            try:
                made = self._link.ask("POST logged-models", asked, missing=ExperimentNotFound, is_repeatable=False).model
            except StoreUnavailable:
                search = wire.SearchLoggedModels((new.experiment_id,), f"tags.`{REQUEST_TAG}` = '{request}'", max_results=1)
                found = self._link.ask("POST logged-models/search", search).models
                if not found:
                    raise
                made = found[0]  # it was made, and only the answer was lost
        self._model_ids[new.model_id or made.model_id] = made.model_id
        return _told(made)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        try:
            found = super().get_logged_model(model_id, allow_deleted=allow_deleted)
        except LoggedModelNotFound:
            made_before = self._chosen_here(model_id)
            if made_before is None:
                raise
            found = made_before
        self._model_ids[model_id] = found.model_id
        return _told(found)

    def search_logged_models(
        self, query: Query, *, experiment_ids: Sequence[str] | None, limit: int = 50, page_token: str | None = None
    ) -> Page[LoggedModel]:
        limits.check_limit(limit)
        ids = all_experiment_ids(self._link) if experiment_ids is None else tuple(map(limits.check_experiment_id, experiment_ids))
        if not ids:
            return Page()
        plain = plain_query(query)
        sent, rest = split(plain, self._server)
        filter, datasets, order_by = worded(evolve(plain, where=sent))

        def fetch(size: int, token: str | None) -> tuple[Iterable[LoggedModel], str | None]:
            request = wire.SearchLoggedModels(ids, filter, datasets, size, order_by, token)
            found = self._link.ask("POST logged-models/search", request)
            return map(_told, found.models), found.next_page_token

        return walked(fetch, rest, search=(query, experiment_ids), limit=limit, token=page_token)

    def set_logged_model_status(self, model_id: str, status: LoggedModelStatus, *, message: str | None = None) -> LoggedModel:
        """As the contract says, but that the server keeps no `message`."""
        return _told(super().set_logged_model_status(model_id, status))

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, str]) -> LoggedModel:
        checked = limits.check_tags("logged model tag", tags, limit=None)
        if checked:
            self.get_logged_model(model_id)
            asked = wire.SetLoggedModelTags(model_id=model_id, tags=pairs(checked))
            self._link.ask("PATCH logged-models/{model_id}/tags", asked, missing=LoggedModelNotFound, reply=Nothing)
        return self.get_logged_model(model_id)

    def delete_logged_model(self, model_id: str) -> None:
        try:
            super().delete_logged_model(model_id)
        except LoggedModelNotFound:
            self.get_logged_model(model_id, allow_deleted=True)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        if key not in self.get_logged_model(model_id).tags:
            raise TagNotFound(f"logged model {model_id} has no tag {key!r}", key=key)
        if "/" in key:
            raise UnsupportedFeature(f"an MLflow server cannot remove the tag {key!r}: it finds no way to names with a slash")
        super().delete_logged_model_tag(model_id, key)

    def log_logged_model_params(self, model_id: str, params: Mapping[str, str]) -> None:
        checked = dict(limits.check_param(key, value) for key, value in params.items())
        kept = self.get_logged_model(model_id).params
        for key, value in checked.items():
            if kept.get(key, value) != value:
                raise ParamConflict(
                    f"logged model {model_id}: param {key!r} is {kept[key][:100]!r} and cannot become {value[:100]!r}", key=key
                )
        fresh = {key: value for key, value in checked.items() if key not in kept}
        if fresh:
            super().log_logged_model_params(model_id, fresh)

    def log_model_inputs(self, run_id: str, models: Sequence[ModelInput]) -> None:
        there = self._ids.there(run_id)
        known = [ModelInput(self._known_there(one.model_id)) for one in models]
        with self._ids.in_active_run(there):
            super().log_model_inputs(there, known)

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        there = self._ids.there(run_id)
        known = [ModelOutput(self._known_there(one.model_id), one.step) for one in logged_limits.check_model_outputs(models)]
        with self._ids.in_active_run(there):
            super().log_outputs(there, known)

    def _with_ids_there(self, batch: LogBatch) -> LogBatch:
        def known(model_id: str) -> str:
            return self._model_ids.get(model_id) or self._known_there(model_id)

        try:
            return evolve(batch, model_points=tuple(evolve(one, model_id=known(one.model_id)) for one in batch.model_points))
        except LoggedModelNotFound as fault:
            raise InvalidValue(f"{fault.message}, so no metric can be its") from fault

    def _there(self, model_id: str) -> str:
        return self._model_ids.get(model_id) or super()._there(model_id)

    def _known_there(self, model_id: str) -> str:
        return self.get_logged_model(model_id).model_id

    def _chosen_here(self, model_id: str) -> LoggedModel | None:
        """The model that was made under this id, if there is one."""
        experiments = all_experiment_ids(self._link)
        search = wire.SearchLoggedModels(experiments, f"tags.`{ID_TAG}` = '{super()._there(model_id)}'", max_results=1)
        models: Sequence[LoggedModel] = self._link.ask("POST logged-models/search", search).models if experiments else ()
        if models:
            self._model_ids[model_id] = models[0].model_id
        return models[0] if models else None


def _told(model: LoggedModel) -> LoggedModel:
    """The model as others are to see it: of every metric, run and dataset the latest point alone."""
    latest: dict[tuple[str, str, str, str], Metric] = {}
    for metric in model.metrics:
        place = (metric.key, metric.run_id or "", metric.dataset_name or "", metric.dataset_digest or "")
        kept = latest.get(place)
        if kept is None or rank(metric.step, metric.timestamp, metric.value) > rank(kept.step, kept.timestamp, kept.value):
            latest[place] = metric
    tags = {key: value for key, value in model.tags.items() if not key.startswith(PRIVATE)}
    return evolve(model, tags=tags, metrics=tuple(latest[place] for place in sorted(latest)))
