"""The part of the registry kit about aliases: setting, moving, deleting, following, and `latest`."""

from __future__ import annotations

import pytest

from drupe.entities import Stage
from drupe.errors import AliasNotFound, InvalidName, InvalidValue, ModelVersionNotFound, ValueTooLong
from drupe.extend.registry_store import RegistryStore
from drupe.testing.kit import StoreKit, make_pear

__all__ = ["AliasTests"]


class AliasTests(StoreKit):
    def test_an_alias_points_to_one_version_and_moves(self, store: RegistryStore) -> None:
        make_pear(store, 2)
        store.set_alias("pear", "champion", "1")
        store.set_alias("pear", "Champion", "2")
        store.set_alias("pear", "old-1_x", "1")
        assert store.get_version_by_alias("pear", "champion").version == "1"
        assert sorted(store.get_model_version("pear", "1").aliases) == ["champion", "old-1_x"]
        store.set_alias("pear", "champion", "2")
        assert store.get_registered_model("pear").aliases == {"champion": "2", "Champion": "2", "old-1_x": "1"}
        assert store.get_model_version("pear", "1").aliases == ("old-1_x",)
        assert store.get_version_by_alias("pear", "champion") == store.get_model_version("pear", "2")

    def test_a_deleted_alias_is_gone_and_deleting_it_again_is_no_error(self, store: RegistryStore) -> None:
        make_pear(store, 1)
        store.set_alias("pear", "champion", "1")
        store.delete_alias("pear", "champion")
        store.delete_alias("pear", "champion")
        assert store.get_registered_model("pear").aliases == {}
        assert store.get_model_version("pear", "1").aliases == ()
        with pytest.raises(AliasNotFound):
            store.get_version_by_alias("pear", "champion")

    def test_an_alias_left_over_from_a_deleted_version_does_not_reach_the_next(self, store: RegistryStore) -> None:
        make_pear(store, 1)
        store.set_alias("pear", "champion", "1")
        store.delete_model_version("pear", "1")
        store.create_model_version("pear", "s3://bucket/2")
        assert store.get_registered_model("pear").aliases == {}
        assert store.get_model_version("pear", "2").aliases == ()

    def test_the_alias_latest_is_the_version_with_the_highest_number(self, store: RegistryStore) -> None:
        store.create_registered_model("pear")
        with pytest.raises(AliasNotFound):
            store.get_version_by_alias("pear", "latest")
        for number in range(1, 12):
            store.create_model_version("pear", f"s3://bucket/{number}")
        store.transition_model_version_stage("pear", "11", Stage.ARCHIVED)
        assert store.get_version_by_alias("pear", "latest").version == "11"

    def test_aliases_of_models_do_not_mix(self, store: RegistryStore) -> None:
        make_pear(store, 2)
        store.create_registered_model("plum")
        store.create_model_version("plum", "s3://bucket/plum")
        store.set_alias("pear", "champion", "2")
        store.set_alias("plum", "champion", "1")
        assert store.get_version_by_alias("pear", "champion").source == "s3://bucket/2"
        assert store.get_version_by_alias("plum", "champion").source == "s3://bucket/plum"

    def test_a_bad_alias_or_version_is_refused(self, store: RegistryStore) -> None:
        make_pear(store, 1)
        for bad in ("", "a b", "a/b", "latest", "LATEST", "v1", "V22", "a.b"):
            with pytest.raises(InvalidName):
                store.set_alias("pear", bad, "1")
        with pytest.raises(ValueTooLong):
            store.set_alias("pear", "x" * 256, "1")
        with pytest.raises(ModelVersionNotFound):
            store.set_alias("pear", "champion", "2")
        with pytest.raises(InvalidValue):
            store.set_alias("pear", "champion", "one")
        assert store.get_registered_model("pear").aliases == {}
