"""The registry store on any SQL database: checks arguments, opens a transaction, and calls the room that does the work.

A database's plugin subclasses it and adds `open`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drupe.entities import ModelVersion, Page, RegisteredModel, Stage, WholeModel, limits
from drupe.errors import InvalidValue
from drupe.extend.registry_store import RegistryStore
from drupe.search.query import Query
from drupe_store_sql import importing, models, tables, versions
from drupe_store_sql.database import Database
from drupe_store_sql.search import page_of

__all__ = ["SqlRegistryStore"]

MODELS_MAX = 1000
VERSIONS_MAX = 200_000


class SqlRegistryStore(RegistryStore):
    """Registered models in one database. `on_close` lets go of it."""

    def __init__(self, database: Database, *, on_close: Callable[[], None]) -> None:
        self._database = database
        self._on_close: Callable[[], None] | None = on_close

    def close(self) -> None:
        if self._on_close is not None:
            on_close, self._on_close = self._on_close, None
            on_close()

    # --- registered models

    def create_registered_model(self, name: str, *, description: str = "", tags: Mapping[str, str] | None = None) -> RegisteredModel:
        limits.check_model_name(name)
        checked = _check_tags("registered model tag", tags or {})
        with self._database.write() as session:
            return models.add(session, name, description=description or "", tags=checked, now=self._database.clock())

    def get_registered_model(self, name: str) -> RegisteredModel:
        with self._database.read() as session:
            return models.get(session, name)

    def search_registered_models(self, query: Query, *, limit: int = 100, page_token: str | None = None) -> Page[RegisteredModel]:
        limits.check_limit(limit, maximum=MODELS_MAX)
        with self._database.read() as session:
            rows, token = page_of(session, query, list(tables.models.columns), limit=limit, token=page_token)
            return Page(models.read(session, rows), token)

    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel:
        with self._database.write() as session:
            models.describe(session, name, description or "", now=self._database.clock())
            return models.get(session, name)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        limits.check_model_name(new_name)
        with self._database.write() as session:
            models.rename(session, name, new_name, now=self._database.clock())
            return models.get(session, new_name)

    def delete_registered_model(self, name: str) -> None:
        with self._database.write() as session:
            models.remove(session, name)

    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        checked = _check_tags("registered model tag", {key: value})
        with self._database.write() as session:
            models.set_tags(session, models.row_of(session, name)[0], checked)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        with self._database.write() as session:
            models.delete_tag(session, name, key)

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
        checked = _check_tags("model version tag", tags or {})
        with self._database.write() as session:
            model = models.row_of(session, name)[0]
            number = versions.add(
                session,
                model,
                source,
                run_id=run_id,
                description=description or "",
                tags=checked,
                user_id=user_id,
                run_link=run_link,
                now=self._database.clock(),
            )
            return versions.get(session, model, name, number)

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        number = versions.number_of(version)
        with self._database.read() as session:
            return versions.get(session, models.row_of(session, name)[0], name, number)

    def search_model_versions(self, query: Query, *, limit: int = 10_000, page_token: str | None = None) -> Page[ModelVersion]:
        limits.check_limit(limit, maximum=VERSIONS_MAX)
        with self._database.read() as session:
            rows, token = page_of(session, query, versions.COLUMNS, limit=limit, token=page_token)
            return Page(versions.read(session, rows), token)

    def update_model_version(self, name: str, version: str, *, description: str) -> ModelVersion:
        number = versions.number_of(version)
        with self._database.write() as session:
            model = models.row_of(session, name)[0]
            versions.describe(session, model, name, number, description or "", now=self._database.clock())
            return versions.get(session, model, name, number)

    def transition_model_version_stage(self, name: str, version: str, stage: Stage, *, archive_existing: bool = False) -> ModelVersion:
        number = versions.number_of(version)
        if archive_existing and stage not in (Stage.STAGING, Stage.PRODUCTION):
            raise InvalidValue(f"archive_existing goes with the stages Staging and Production, not with {stage}", stage=str(stage))
        now = self._database.clock()
        with self._database.write() as session:
            model = models.row_of(session, name)[0]
            versions.move(session, model, name, number, Stage(stage), archive_existing=archive_existing, now=now)
            models.touch(session, model, now=now)
            return versions.get(session, model, name, number)

    def delete_model_version(self, name: str, version: str) -> None:
        number = versions.number_of(version)
        with self._database.write() as session:
            model = models.row_of(session, name)[0]
            versions.remove(session, model, name, number)
            models.touch(session, model, now=self._database.clock())

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        number = versions.number_of(version)
        checked = _check_tags("model version tag", {key: value})
        with self._database.write() as session:
            versions.set_tags(session, models.row_of(session, name)[0], name, number, checked)

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        number = versions.number_of(version)
        with self._database.write() as session:
            versions.delete_tag(session, models.row_of(session, name)[0], name, number, key)

    # --- aliases

    def set_alias(self, name: str, alias: str, version: str) -> None:
        limits.check_alias(alias)
        number = versions.number_of(version)
        with self._database.write() as session:
            versions.set_alias(session, models.row_of(session, name)[0], name, alias, number)

    def delete_alias(self, name: str, alias: str) -> None:
        with self._database.write() as session:
            models.delete_alias(session, name, alias)

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        with self._database.read() as session:
            return versions.by_alias(session, models.row_of(session, name)[0], name, alias)

    # --- taking in what was in another store

    def highest_version(self, name: str) -> int:
        with self._database.read() as session:
            return models.highest(session, name)

    def import_model(self, whole: WholeModel) -> None:
        checked = limits.check_whole_model(whole)
        with self._database.write() as session:
            importing.take_model(session, checked)


def _check_tags(kind: str, tags: Mapping[str, str]) -> dict[str, str]:
    return limits.check_tags(kind, tags, limit=limits.REGISTRY_TAG_VALUE_MAX)
