"""A registry store in plain dictionaries: the meaning of the contract, written to be obviously right rather than quick.

The oracle of the registry kit's random operations, and the fake for tests of code above the stores. Nothing outlives the object.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from attrs import define, evolve, field

from drupe.entities import ModelVersion, Page, RegisteredModel, Stage, WholeModel, limits
from drupe.errors import AliasNotFound, AlreadyExists, InvalidValue, ModelVersionNotFound, RegisteredModelNotFound
from drupe.extend.features import Feature, Support
from drupe.extend.registry_store import RegistryStore
from drupe.search.query import Query
from drupe.testing.memory_imports import MemoryModelImports
from drupe.testing.memory_pages import PageTokens
from drupe.uris import Uri

__all__ = ["MemoryRegistryStore"]

_MODELS_LIMIT = 1000
_VERSIONS_LIMIT = 200_000
_LATEST = "latest"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@define
class _Model:
    """`info` is kept without versions and aliases; they are added on reading. `highest` is the highest number ever used."""

    info: RegisteredModel
    versions: dict[int, ModelVersion] = field(factory=dict)
    aliases: dict[str, int] = field(factory=dict)
    highest: int = 0

    def read(self) -> RegisteredModel:
        newest = {version.current_stage: version for _, version in sorted(self.versions.items())}
        return evolve(
            self.info,
            aliases={alias: str(number) for alias, number in self.aliases.items()},
            latest_versions=tuple(newest[stage] for stage in Stage if stage in newest),
        )

    def read_version(self, number: int) -> ModelVersion:
        return evolve(
            self.versions[number], aliases=tuple(sorted(alias for alias, points_to in self.aliases.items() if points_to == number))
        )


class MemoryRegistryStore(MemoryModelImports, RegistryStore):
    """Registered models of this process. `now_ms` is the clock."""

    features: ClassVar[Mapping[Feature, Support]] = {Feature.IMPORTS: Support.FULL}

    def __init__(self, *, now_ms: Callable[[], int] = _now_ms) -> None:
        self._now_ms = now_ms
        self._lock = threading.RLock()
        self._tokens = PageTokens()
        self._models: dict[str, _Model] = {}

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        """A new, empty store; `uri` and `settings` are not looked at."""
        return cls()

    def close(self) -> None:
        """Nothing to let go of."""

    # --- registered models

    def create_registered_model(self, name: str, *, description: str = "", tags: Mapping[str, str] | None = None) -> RegisteredModel:
        checked = _check_tags("registered model tag", tags or {})
        with self._lock:
            self._check_name_is_free(limits.check_model_name(name))
            now = self._now_ms()
            made = self._models[name] = _Model(RegisteredModel(name, now, now, description=description, tags=checked))
            return made.read()

    def get_registered_model(self, name: str) -> RegisteredModel:
        with self._lock:
            return self._model(name).read()

    def search_registered_models(self, query: Query, *, limit: int = 100, page_token: str | None = None) -> Page[RegisteredModel]:
        limits.check_limit(limit, maximum=_MODELS_LIMIT)
        with self._lock:
            models = [model.read() for model in self._models.values()]
            return self._tokens.search(query, models, name_of=lambda one: one.name, scope="models", limit=limit, token=page_token)

    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel:
        with self._lock:
            model = self._model(name)
            self._touch(model, description=description)
            return model.read()

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        with self._lock:
            model = self._model(name)
            if limits.check_model_name(new_name) != name:
                self._check_name_is_free(new_name)
            self._models[new_name] = self._models.pop(name)
            model.versions = {number: evolve(version, name=new_name) for number, version in model.versions.items()}
            self._touch(model, name=new_name)
            return model.read()

    def delete_registered_model(self, name: str) -> None:
        with self._lock:
            self._model(name)
            del self._models[name]

    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        with self._lock:
            model = self._model(name)
            model.info = evolve(model.info, tags={**model.info.tags, **_check_tags("registered model tag", {key: value})})

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        with self._lock:
            model = self._model(name)
            model.info = evolve(model.info, tags={tag: text for tag, text in model.info.tags.items() if tag != key})

    def _kept(self, whole: WholeModel) -> _Model:
        return _Model(evolve(whole.model, aliases={}, latest_versions=(), tags={}))

    def _touch(self, model: _Model, **changes: Any) -> None:
        model.info = evolve(model.info, last_updated_timestamp=self._now_ms(), **changes)

    def _check_name_is_free(self, name: str) -> None:
        if name in self._models:
            raise AlreadyExists(f"a registered model named {name!r} exists", name=name)

    def _model(self, name: str) -> _Model:
        found = self._models.get(name)
        if found is None:
            raise RegisteredModelNotFound(f"no registered model is named {name!r}", name=name)
        return found

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
        with self._lock:
            model = self._model(name)
            model.highest += 1
            now = self._now_ms()
            model.versions[model.highest] = ModelVersion(
                name=name,
                version=str(model.highest),
                creation_timestamp=now,
                last_updated_timestamp=now,
                source=source,
                run_id=run_id,
                description=description,
                user_id=user_id,
                run_link=run_link,
                tags=checked,
            )
            self._touch(model)
            return model.read_version(model.highest)

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        with self._lock:
            model, number = self._version(name, version)
            return model.read_version(number)

    def search_model_versions(self, query: Query, *, limit: int = 10_000, page_token: str | None = None) -> Page[ModelVersion]:
        limits.check_limit(limit, maximum=_VERSIONS_LIMIT)
        with self._lock:
            versions = [version for model in self._models.values() for version in model.versions.values()]
            return self._tokens.search(
                query, versions, name_of=lambda one: (one.name, one.version), scope="versions", limit=limit, token=page_token
            )

    def update_model_version(self, name: str, version: str, *, description: str) -> ModelVersion:
        with self._lock:
            model, number = self._version(name, version)
            self._change_version(model, number, description=description)
            return model.read_version(number)

    def transition_model_version_stage(self, name: str, version: str, stage: Stage, *, archive_existing: bool = False) -> ModelVersion:
        if archive_existing and stage not in (Stage.STAGING, Stage.PRODUCTION):
            raise InvalidValue(f"archive_existing goes with the stages Staging and Production, not with {stage}", stage=str(stage))
        with self._lock:
            model, number = self._version(name, version)
            for other, kept in list(model.versions.items()):
                if archive_existing and other != number and kept.current_stage == stage:
                    self._change_version(model, other, current_stage=Stage.ARCHIVED)
            self._change_version(model, number, current_stage=stage)
            self._touch(model)
            return model.read_version(number)

    def delete_model_version(self, name: str, version: str) -> None:
        with self._lock:
            model, number = self._version(name, version)
            del model.versions[number]
            model.aliases = {alias: points_to for alias, points_to in model.aliases.items() if points_to != number}
            self._touch(model)

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        with self._lock:
            model, number = self._version(name, version)
            kept = model.versions[number]
            model.versions[number] = evolve(kept, tags={**kept.tags, **_check_tags("model version tag", {key: value})})

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        with self._lock:
            model, number = self._version(name, version)
            kept = model.versions[number]
            model.versions[number] = evolve(kept, tags={tag: text for tag, text in kept.tags.items() if tag != key})

    def _change_version(self, model: _Model, number: int, **changes: Any) -> None:
        model.versions[number] = evolve(model.versions[number], last_updated_timestamp=self._now_ms(), **changes)

    def _version(self, name: str, version: str) -> tuple[_Model, int]:
        number = _check_number(version)
        model = self._model(name)
        if number not in model.versions:
            raise ModelVersionNotFound(f"registered model {name!r} has no version {version}", name=name, version=version)
        return model, number

    # --- aliases

    def set_alias(self, name: str, alias: str, version: str) -> None:
        limits.check_alias(alias)
        with self._lock:
            model, number = self._version(name, version)
            model.aliases[alias] = number

    def delete_alias(self, name: str, alias: str) -> None:
        with self._lock:
            self._model(name).aliases.pop(alias, None)

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        with self._lock:
            model = self._model(name)
            number = max(model.versions, default=None) if alias == _LATEST else model.aliases.get(alias)
            if number is None:
                raise AliasNotFound(f"registered model {name!r} has no alias {alias!r}", name=name, alias=alias)
            return model.read_version(number)


def _check_number(version: str) -> int:
    if not isinstance(version, str) or not (version.isascii() and version.isdecimal()):
        raise InvalidValue(f"model version {version!r} is not a number", version=str(version))
    return int(version)


def _check_tags(kind: str, tags: Mapping[str, str]) -> dict[str, str]:
    return limits.check_tags(kind, tags, limit=limits.REGISTRY_TAG_VALUE_MAX)
