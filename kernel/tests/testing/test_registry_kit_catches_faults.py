"""The registry kit has teeth: each store below breaks one promise, and the test of the kit named beside it says so."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Barrier
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import ModelVersion, Page, RegisteredModel, Stage
from drupe.errors import AliasNotFound
from drupe.search.query import Query
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.registry_store import RegistryStoreKit

from .kit_runner import Faults, complaint

FAULTS = Faults()
caught_by = FAULTS.caught_by


@caught_by("test_a_version_number_is_never_used_again")
class ReusesVersionNumbers(MemoryRegistryStore):
    def delete_model_version(self, name: str, version: str) -> None:
        super().delete_model_version(name, version)
        self._models[name].highest = max(self._models[name].versions, default=0)


@caught_by("test_deleting_a_model_removes_versions_tags_and_aliases")
class CountsOnInANewModelOfTheName(MemoryRegistryStore):
    def create_registered_model(self, name: str, **given: Any) -> RegisteredModel:
        made = super().create_registered_model(name, **given)
        self._models[name].highest = self.__dict__.setdefault("_highest", {}).get(name, 0)
        return made

    def delete_registered_model(self, name: str) -> None:
        self.__dict__.setdefault("_highest", {})[name] = self._model(name).highest
        super().delete_registered_model(name)


@caught_by("test_a_deleted_version_is_gone_everywhere")
class LeavesAliasesOfDeletedVersions(MemoryRegistryStore):
    def delete_model_version(self, name: str, version: str) -> None:
        aliases = dict(self._model(name).aliases)
        super().delete_model_version(name, version)
        self._models[name].aliases = aliases


@caught_by("test_an_alias_points_to_one_version_and_moves")
class KeepsTheFirstTargetOfAnAlias(MemoryRegistryStore):
    def set_alias(self, name: str, alias: str, version: str) -> None:
        if alias not in self._model(name).aliases:
            super().set_alias(name, alias, version)


@caught_by("test_an_alias_points_to_one_version_and_moves")
class FoldsTheCaseOfAliases(MemoryRegistryStore):
    def set_alias(self, name: str, alias: str, version: str) -> None:
        super().set_alias(name, alias.lower(), version)


@caught_by("test_the_alias_latest_is_the_version_with_the_highest_number")
class TakesLatestByText(MemoryRegistryStore):
    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        versions = self._model(name).versions
        if alias == "latest" and versions:
            return self.get_model_version(name, max(map(str, versions)))
        return super().get_version_by_alias(name, alias)


@caught_by("test_the_alias_latest_is_the_version_with_the_highest_number")
class DoesNotKnowLatest(MemoryRegistryStore):
    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        if alias == "latest":
            raise AliasNotFound("no such alias")
        return super().get_version_by_alias(name, alias)


@caught_by("test_a_bad_alias_or_version_is_refused")
class SetsReservedAliases(MemoryRegistryStore):
    def set_alias(self, name: str, alias: str, version: str) -> None:
        model, number = self._version(name, version)
        model.aliases[alias] = number


@caught_by("test_archiving_moves_the_others_of_the_target_stage_only")
class ArchivesEveryOtherVersion(MemoryRegistryStore):
    def transition_model_version_stage(self, name: str, version: str, stage: Stage, *, archive_existing: bool = False) -> ModelVersion:
        moved = super().transition_model_version_stage(name, version, stage, archive_existing=archive_existing)
        for number in self._models[name].versions if archive_existing else ():
            if str(number) != version:
                self._change_version(self._models[name], number, current_stage=Stage.ARCHIVED)
        return moved


@caught_by("test_archiving_goes_with_staging_and_production_only")
class ArchivesForAnyStage(MemoryRegistryStore):
    def transition_model_version_stage(self, name: str, version: str, stage: Stage, *, archive_existing: bool = False) -> ModelVersion:
        return super().transition_model_version_stage(name, version, stage)


@caught_by("test_the_latest_versions_are_the_newest_of_each_stage")
class GivesOnlyOneLatestVersion(MemoryRegistryStore):
    def get_registered_model(self, name: str) -> RegisteredModel:
        model = super().get_registered_model(name)
        return evolve(model, latest_versions=model.latest_versions[:1])


@caught_by("test_a_renamed_model_takes_versions_tags_and_aliases_along")
class LosesAliasesOnRenaming(MemoryRegistryStore):
    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        super().rename_registered_model(name, new_name)
        self._models[new_name].aliases = {}
        return self.get_registered_model(new_name)


@caught_by("test_renaming_a_model_to_a_taken_or_bad_name_changes_nothing")
class RenamesOverOtherModels(MemoryRegistryStore):
    def _check_name_is_free(self, name: str) -> None:
        pass


@caught_by("test_making_a_version_touches_its_model")
class NeverTouchesTheModel(MemoryRegistryStore):
    def create_model_version(self, name: str, source: str, **given: Any) -> ModelVersion:
        before = self._model(name).info
        made = super().create_model_version(name, source, **given)
        self._models[name].info = before
        return made


@caught_by("test_a_refused_version_leaves_nothing_behind_and_uses_no_number")
class ChecksVersionTagsTooLate(MemoryRegistryStore):
    def create_model_version(self, name: str, source: str, *, tags: Mapping[str, str] | None = None, **given: Any) -> ModelVersion:
        made = super().create_model_version(name, source, **given)
        for key, value in (tags or {}).items():
            self.set_model_version_tag(name, made.version, key, value)
        return self.get_model_version(name, made.version)


@caught_by("test_a_description_is_replaced_and_cleared")
class KeepsADescriptionThatIsCleared(MemoryRegistryStore):
    def update_registered_model(self, name: str, *, description: str) -> RegisteredModel:
        return super().update_registered_model(name, description=description or self._model(name).info.description)


@caught_by("test_a_found_version_is_complete_but_for_its_aliases")
class PutsAliasesIntoSearches(MemoryRegistryStore):
    def search_model_versions(self, query: Query, **given: Any) -> Page[ModelVersion]:
        page = super().search_model_versions(query, **given)
        return Page((self.get_model_version(version.name, version.version) for version in page), page.token)


@caught_by("test_version_numbers_sort_as_numbers")
class SortsVersionsAsText(MemoryRegistryStore):
    def search_model_versions(self, query: Query, **given: Any) -> Page[ModelVersion]:
        page = super().search_model_versions(query, **given)
        return Page(sorted(page, key=lambda version: version.version, reverse=query.order[0].descending), page.token)


@caught_by("test_a_model_filter_finds_exactly_what_it_says")
class IgnoresTheFilter(MemoryRegistryStore):
    def search_registered_models(self, query: Query, **given: Any) -> Page[RegisteredModel]:
        return super().search_registered_models(evolve(query, where=None), **given)


@caught_by("test_pages_of_models_hold_each_one_once_in_order")
class NeverTurnsThePage(MemoryRegistryStore):
    def search_registered_models(self, query: Query, *, page_token: str | None = None, **given: Any) -> Page[RegisteredModel]:
        return super().search_registered_models(query, **given)


@caught_by("test_threads_making_versions_get_a_number_each")
class CountsByReadingFirst(MemoryRegistryStore):
    """All eight threads of the test read the highest number before any of them writes: what happens without a transaction."""

    def __init__(self) -> None:
        super().__init__()
        self._all_have_read = Barrier(8, timeout=10)

    def create_model_version(self, name: str, source: str, **given: Any) -> ModelVersion:
        highest = self._model(name).highest
        self._all_have_read.wait()
        with self._lock:
            self._model(name).highest = highest
            return super().create_model_version(name, source, **given)


@FAULTS.each()
def test_the_named_test_complains_about_the_broken_store_and_not_about_the_sound_one(kind: type[MemoryRegistryStore], test: str) -> None:
    assert complaint(RegistryStoreKit, test, MemoryRegistryStore) is None
    assert complaint(RegistryStoreKit, test, kind) is not None


@pytest.mark.parametrize("test", ["test_models_outlive_the_opened_store", "test_versions_outlive_the_opened_store"])
def test_a_store_that_forgets_when_it_is_closed_is_complained_about(test: str) -> None:
    assert complaint(RegistryStoreKit, test, MemoryRegistryStore) is None
    assert complaint(RegistryStoreKit, test, MemoryRegistryStore, reopen=lambda store: MemoryRegistryStore()) is not None
