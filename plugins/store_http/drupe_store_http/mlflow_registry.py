"""The registry store on an MLflow server, where its answers are told differently and its filters know less."""

from __future__ import annotations

from collections.abc import Iterable

from drupe.entities import ModelVersion, Page, RegisteredModel, Stage, limits
from drupe.errors import AliasNotFound, InvalidValue, ModelVersionNotFound
from drupe.search.parse import parse
from drupe.search.query import Comparison, Entity, Field, Kind, Op, OrderBy, Query
from drupe_store_http.dialect import asked_of
from drupe_store_http.registry import HttpRegistryStore
from drupe_store_http.walking import walked

__all__ = ["MlflowRegistryStore"]

MODELS_PAGE, VERSIONS_PAGE = 1000, 200_000
LATEST = "latest"


class MlflowRegistryStore(HttpRegistryStore):
    """Registered models on a server of MLflow's."""

    def search_registered_models(self, query: Query, *, limit: int = 100, page_token: str | None = None) -> Page[RegisteredModel]:
        limits.check_limit(limit, maximum=MODELS_PAGE)
        asked = asked_of(query, self._server)

        def fetch(size: int, token: str | None) -> tuple[Iterable[RegisteredModel], str | None]:
            page = self._models_page(asked.filter, asked.order_by, size, token)
            return page, page.token

        return walked(fetch, asked.rest, search=query, limit=limit, token=page_token)

    def search_model_versions(self, query: Query, *, limit: int = 10_000, page_token: str | None = None) -> Page[ModelVersion]:
        limits.check_limit(limit, maximum=VERSIONS_PAGE)
        asked = asked_of(query, self._server)

        def fetch(size: int, token: str | None) -> tuple[Iterable[ModelVersion], str | None]:
            page = self._versions_page(asked.filter, asked.order_by, size, token)
            return page, page.token

        return walked(fetch, asked.rest, search=query, limit=limit, token=page_token)

    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        ((key, value),) = limits.check_tags("registered model tag", {key: value}, limit=limits.REGISTRY_TAG_VALUE_MAX).items()
        super().set_registered_model_tag(name, key, value)

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        ((key, value),) = limits.check_tags("model version tag", {key: value}, limit=limits.REGISTRY_TAG_VALUE_MAX).items()
        super().set_model_version_tag(name, version, key, value)

    def transition_model_version_stage(self, name: str, version: str, stage: Stage, *, archive_existing: bool = False) -> ModelVersion:
        if archive_existing and stage not in (Stage.STAGING, Stage.PRODUCTION):
            raise InvalidValue(f"archive_existing goes with the stages Staging and Production, not {stage.value}")
        return super().transition_model_version_stage(name, version, stage, archive_existing=archive_existing)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self.get_model_version(name, version)
        super().set_alias(name, alias, version)

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        if alias.lower() == LATEST:
            return self._newest(name)
        try:
            return super().get_version_by_alias(name, alias)
        except InvalidValue as fault:  # which is how it says that there is none
            self.get_registered_model(name)
            raise AliasNotFound(f"registered model {name!r} has no alias {alias!r}", name=name, alias=alias) from fault

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        try:
            return super().get_model_version(name, version)
        except ModelVersionNotFound:
            self.get_registered_model(name)
            raise

    def _newest(self, name: str) -> ModelVersion:
        self.get_registered_model(name)
        where = Comparison(Field(Entity.ATTRIBUTE, "name"), Op.EQ, name)
        order = (OrderBy(Field(Entity.ATTRIBUTE, "version_number"), descending=True), *parse(Kind.MODEL_VERSIONS).order[1:2])
        found = self.search_model_versions(Query(Kind.MODEL_VERSIONS, where, order), limit=1)
        if not found:
            raise AliasNotFound(f"registered model {name!r} has no versions yet", name=name, alias=LATEST)
        return self.get_model_version(name, found[0].version)
