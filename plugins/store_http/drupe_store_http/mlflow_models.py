"""Logged models on an MLflow server, from 3.0 on: it chooses their ids, keeps every point of their metrics, and filters by less."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar
from uuid import uuid4

from attrs import evolve

from drupe.entities import (
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
from drupe_store_http.logged_models import LoggedModelCalls, pairs, worded
from drupe_store_http.mlflow_shipping import MlflowTrackingStore
from drupe_store_http.walking import walked

__all__ = ["Mlflow3TrackingStore"]

REQUEST_TAG = f"{PRIVATE}request"


class Mlflow3TrackingStore(LoggedModelCalls, MlflowTrackingStore):
    """Experiments, runs and logged models on a server of MLflow's from 3.0 on."""

    features: ClassVar[Mapping[Feature, Support]] = {
        Feature.CONCURRENT_PROCESSES: Support.FULL,
        Feature.LOGGED_MODELS: Support.SOME_VERSIONS,
    }

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """As the contract says, but for `model_id`: the server chooses it. Raises UnsupportedFeature for one that is given."""
        new = logged_limits.check_new_logged_model(new)
        if new.model_id:
            raise UnsupportedFeature("an MLflow server chooses the ids of logged models itself", feature=Feature.LOGGED_MODELS.name)
        request = uuid4().hex
        run_id = self._ids.there(new.source_run_id) if new.source_run_id else None
        asked = wire.CreateLoggedModel(
            experiment_id=limits.check_experiment_id(new.experiment_id),
            name=new.name,
            model_type=new.model_type,
            source_run_id=run_id,
            params=pairs(new.params),
            tags=pairs({**new.tags, REQUEST_TAG: request}),
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
        return _told(made)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        return _told(super().get_logged_model(model_id, allow_deleted=allow_deleted))

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
        self._check_known(one.model_id for one in models)
        with self._ids.in_active_run(there):
            super().log_model_inputs(there, models)

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        there = self._ids.there(run_id)
        checked = logged_limits.check_model_outputs(models)
        self._check_known(one.model_id for one in checked)
        with self._ids.in_active_run(there):
            super().log_outputs(there, checked)

    def _check_known(self, model_ids: Iterable[str]) -> None:
        for model_id in model_ids:
            self.get_logged_model(model_id)


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
