"""The part of the registry kit about stages: moving versions, archiving others, the newest version of each."""

from __future__ import annotations

import pytest

from drupe.entities import Stage
from drupe.errors import InvalidValue
from drupe.extend.registry_store import RegistryStore
from drupe.testing.kit import StoreKit, make_pear, query_versions, tick

__all__ = ["StageTests"]


def _stages(store: RegistryStore) -> dict[str, Stage]:
    return {version.version: version.current_stage for version in store.search_model_versions(query_versions("name = 'pear'"))}


class StageTests(StoreKit):
    @pytest.mark.parametrize("stage", list(Stage))
    def test_a_version_moves_to_any_stage(self, store: RegistryStore, stage: Stage) -> None:
        make_pear(store, 1)
        before = store.get_registered_model("pear"), store.get_model_version("pear", "1")
        tick()
        moved = store.transition_model_version_stage("pear", "1", stage)
        assert moved.current_stage is stage
        assert moved.last_updated_timestamp > before[1].last_updated_timestamp
        assert store.get_model_version("pear", "1") == moved
        assert store.get_registered_model("pear").last_updated_timestamp > before[0].last_updated_timestamp

    def test_several_versions_may_share_a_stage(self, store: RegistryStore) -> None:
        make_pear(store, 2)
        for number in ("1", "2"):
            store.transition_model_version_stage("pear", number, Stage.PRODUCTION)
        assert _stages(store) == {"1": Stage.PRODUCTION, "2": Stage.PRODUCTION}

    @pytest.mark.parametrize("stage", [Stage.STAGING, Stage.PRODUCTION])
    def test_archiving_moves_the_others_of_the_target_stage_only(self, store: RegistryStore, stage: Stage) -> None:
        make_pear(store, 4)
        other = Stage.STAGING if stage is Stage.PRODUCTION else Stage.PRODUCTION
        store.transition_model_version_stage("pear", "1", stage)
        store.transition_model_version_stage("pear", "2", other)
        store.transition_model_version_stage("pear", "4", stage, archive_existing=True)
        assert _stages(store) == {"1": Stage.ARCHIVED, "2": other, "3": Stage.NONE, "4": stage}

    def test_archiving_leaves_the_moved_version_and_other_models_alone(self, store: RegistryStore) -> None:
        make_pear(store, 1)
        store.create_registered_model("plum")
        store.create_model_version("plum", "s3://bucket/1")
        for name in ("pear", "plum"):
            store.transition_model_version_stage(name, "1", Stage.PRODUCTION)
        store.transition_model_version_stage("pear", "1", Stage.PRODUCTION, archive_existing=True)
        assert store.get_model_version("pear", "1").current_stage is Stage.PRODUCTION
        assert store.get_model_version("plum", "1").current_stage is Stage.PRODUCTION

    @pytest.mark.parametrize("stage", [Stage.NONE, Stage.ARCHIVED])
    def test_archiving_goes_with_staging_and_production_only(self, store: RegistryStore, stage: Stage) -> None:
        make_pear(store, 2)
        store.transition_model_version_stage("pear", "1", Stage.STAGING)
        with pytest.raises(InvalidValue):
            store.transition_model_version_stage("pear", "1", stage, archive_existing=True)
        assert _stages(store) == {"1": Stage.STAGING, "2": Stage.NONE}

    def test_the_latest_versions_are_the_newest_of_each_stage(self, store: RegistryStore) -> None:
        make_pear(store, 12)
        for number, stage in [("1", Stage.PRODUCTION), ("3", Stage.PRODUCTION), ("2", Stage.STAGING), ("11", Stage.ARCHIVED)]:
            store.transition_model_version_stage("pear", number, stage)
        store.set_alias("pear", "champion", "12")
        latest = store.get_registered_model("pear").latest_versions
        assert {version.current_stage: version.version for version in latest} == {
            Stage.NONE: "12",
            Stage.STAGING: "2",
            Stage.PRODUCTION: "3",
            Stage.ARCHIVED: "11",
        }
        assert len(latest) == 4
        assert [version.aliases for version in latest] == [(), (), (), ()]
