"""The registry store on a server, in words that drupe's server and MLflow's share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Self, cast

from drupe.entities import ModelVersion, Page, RegisteredModel, Stage, limits
from drupe.errors import AliasNotFound, AlreadyExists, InvalidValue, ModelVersionNotFound, RegisteredModelNotFound
from drupe.extend import Feature, RegistryStore, Support
from drupe.search.query import Query
from drupe.search.render import render
from drupe.uris import Uri
from drupe.wire import registry as wire
from drupe_store_http.link import Link, link_for
from drupe_store_http.servers import Server, server_at
from drupe_store_http.settings import HttpSettings

__all__ = ["HttpRegistryStore"]

_LOGGED_MODEL = re.compile(r"models:/+m-[0-9a-f]{32}")  # whose id MLflow's servers want beside it


class HttpRegistryStore(RegistryStore):
    """Registered models on a server."""

    features: ClassVar[Mapping[Feature, Support]] = {Feature.CONCURRENT_PROCESSES: Support.FULL}

    def __init__(self, link: Link, server: Server) -> None:
        self._link, self._server = link, server

    @classmethod
    def open(cls, uri: Uri, settings: HttpSettings | None = None) -> Self:
        link = link_for(uri, settings)
        return cls(link, server_at(link))

    def close(self) -> None:
        self._link.close()

    # --- registered models

    def create_registered_model(self, name: str, *, description: str = "", tags: Mapping[str, str] | None = None) -> RegisteredModel:
        asked = wire.CreateModel(name=limits.check_model_name(name), tags=_tags(tags), description=description)
        made = self._link.ask("POST registered-models/create", asked, done=(AlreadyExists,))
        if made is not None:
            return cast("RegisteredModel", made.registered_model)
        found = self.get_registered_model(name)  # a try of which no answer came has made it, or somebody else has
        if found.description != description or dict(found.tags) != dict(tags or {}):
            raise AlreadyExists(f"a registered model named {name!r} exists", name=name)
        return found

    def get_registered_model(self, name: str) -> RegisteredModel:
        return self._model("GET registered-models/get", wire.OneModel(name=name))

    def search_registered_models(self, query: Query, *, limit: int = 100, page_token: str | None = None) -> Page[RegisteredModel]:
        filter, order_by = render(query)
        return self._models_page(filter, tuple(order_by), limit, page_token)

    def _models_page(self, filter: str, order_by: tuple[str, ...], limit: int, token: str | None) -> Page[RegisteredModel]:
        found = self._link.ask("GET registered-models/search", wire.SearchModels(filter or None, limit, order_by, token))
        return Page(found.registered_models, found.next_page_token or None)

    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel:
        return self._model("PATCH registered-models/update", wire.UpdateModel(name=name, description=description))

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        asked = wire.RenameModel(name=name, new_name=limits.check_model_name(new_name))
        found = self._link.ask(
            "POST registered-models/rename", asked, missing=RegisteredModelNotFound, done=(RegisteredModelNotFound, AlreadyExists)
        )
        return self.get_registered_model(new_name) if found is None else cast("RegisteredModel", found.registered_model)

    def delete_registered_model(self, name: str) -> None:
        missing = RegisteredModelNotFound
        self._link.ask("DELETE registered-models/delete", wire.OneModel(name=name), missing=missing, done=(missing,))

    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        asked = wire.SetModelTag(name=name, key=limits.check_key("model tag", key), value=value)
        self._link.ask("POST registered-models/set-tag", asked, missing=RegisteredModelNotFound)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        self._link.ask("DELETE registered-models/delete-tag", wire.DeleteModelTag(name=name, key=key), missing=RegisteredModelNotFound)

    # --- versions

    def create_model_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        user_id: str = "",
        run_link: str = "",
    ) -> ModelVersion:
        asked = wire.CreateVersion(
            name=name,
            source=source,
            run_id=run_id,
            tags=_tags(tags),
            run_link=run_link,
            description=description,
            model_id=source.rpartition("/")[2] if _LOGGED_MODEL.fullmatch(source) else None,
            user_id=user_id,
        )
        # sent once only: nothing would tell a second one from a twin
        made = self._link.ask("POST model-versions/create", asked, missing=RegisteredModelNotFound, is_repeatable=False)
        return cast("ModelVersion", made.model_version)

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        return self._version("GET model-versions/get", wire.OneVersion(name=name, version=_number(version)))

    def search_model_versions(self, query: Query, *, limit: int = 10_000, page_token: str | None = None) -> Page[ModelVersion]:
        filter, order_by = render(query)
        return self._versions_page(filter, tuple(order_by), limit, page_token)

    def _versions_page(self, filter: str, order_by: tuple[str, ...], limit: int, token: str | None) -> Page[ModelVersion]:
        found = self._link.ask("GET model-versions/search", wire.SearchVersions(filter or None, limit, order_by, token))
        return Page(found.model_versions, found.next_page_token or None)

    def update_model_version(self, name: str, version: str, *, description: str) -> ModelVersion:
        asked = wire.UpdateVersion(name=name, version=_number(version), description=description)
        return self._version("PATCH model-versions/update", asked)

    def transition_model_version_stage(self, name: str, version: str, stage: Stage, *, archive_existing: bool = False) -> ModelVersion:
        asked = wire.TransitionStage(name=name, version=_number(version), stage=stage.value, archive_existing_versions=archive_existing)
        return self._version("POST model-versions/transition-stage", asked)

    def delete_model_version(self, name: str, version: str) -> None:
        asked = wire.OneVersion(name=name, version=_number(version))
        self._link.ask("DELETE model-versions/delete", asked, missing=ModelVersionNotFound, done=(ModelVersionNotFound,))

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        asked = wire.SetVersionTag(name=name, version=_number(version), key=limits.check_key("version tag", key), value=value)
        self._link.ask("POST model-versions/set-tag", asked, missing=ModelVersionNotFound)

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        asked = wire.DeleteVersionTag(name=name, version=_number(version), key=key)
        self._link.ask("DELETE model-versions/delete-tag", asked, missing=ModelVersionNotFound)

    # --- aliases

    def set_alias(self, name: str, alias: str, version: str) -> None:
        asked = wire.SetAlias(name=name, alias=limits.check_alias(alias), version=_number(version))
        self._link.ask("POST registered-models/alias", asked, missing=ModelVersionNotFound)

    def delete_alias(self, name: str, alias: str) -> None:
        self._link.ask("DELETE registered-models/alias", wire.OneAlias(name=name, alias=alias), missing=RegisteredModelNotFound)

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        asked = wire.OneAlias(name=name, alias=alias)
        return cast("ModelVersion", self._link.ask("GET registered-models/alias", asked, missing=AliasNotFound).model_version)

    # --- how

    def _model(self, route: str, asked: Any) -> RegisteredModel:
        return cast("RegisteredModel", self._link.ask(route, asked, missing=RegisteredModelNotFound).registered_model)

    def _version(self, route: str, asked: Any) -> ModelVersion:
        return cast("ModelVersion", self._link.ask(route, asked, missing=ModelVersionNotFound).model_version)


def _tags(tags: Mapping[str, str] | None) -> tuple[wire.ModelTag, ...]:
    return tuple(wire.ModelTag(key, value) for key, value in (tags or {}).items())


def _number(version: str) -> str:
    """The text of a version's number. Raises InvalidValue."""
    if not str(version):
        raise InvalidValue("a version is a number, not an empty text")
    return str(version)
