"""The part of the registry kit about versions: numbers, descriptions, tags, searching, several writers at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence

import pytest

from drupe.entities import ModelVersion, ModelVersionStatus, Stage
from drupe.errors import (
    AliasNotFound,
    InvalidName,
    InvalidPageToken,
    InvalidValue,
    ModelVersionNotFound,
    NotFound,
    RegisteredModelNotFound,
    ValueTooLong,
)
from drupe.extend.registry_store import RegistryStore
from drupe.testing.kit import StoreKit, all_pages, in_threads, make_pear, query_versions, tick
from drupe.uris import Uri

__all__ = ["VersionTests"]


def _cellar(store: RegistryStore) -> None:
    """Two versions of pear, two of plum and one prompt version; each made in a millisecond of its own. Plum 1 is deleted."""
    for name in ("pear", "plum", "greeting"):
        store.create_registered_model(name)
    prompt = {"mlflow.prompt.is_prompt": "true"}
    for name, source, run_id, tags in [
        ("plum", "s3://bucket/gone", "r9", {"team": "red"}),
        ("plum", "s3://bucket/a", "r1", {"team": "red"}),
        ("pear", "s3://bucket/b", "r1", {"team": "blue"}),
        ("greeting", "dummy-source", None, prompt),
        ("pear", "gs://bucket/c", None, {}),
    ]:
        tick()
        store.create_model_version(name, source, run_id=run_id, tags=tags)
    store.delete_model_version("plum", "1")


def _found(store: RegistryStore, filter: str | None = None, order_by: Sequence[str] | None = None) -> list[str]:
    return [f"{version.name} {version.version}" for version in store.search_model_versions(query_versions(filter, order_by))]


class VersionTests(StoreKit):
    # --- making and reading

    def test_a_new_version_reads_back_as_it_was_answered(self, store: RegistryStore) -> None:
        store.create_registered_model("pear")
        before = tick()
        made = store.create_model_version(
            "pear", "runs:/r1/model", run_id="r1", description="sweet", tags={"fold": "1"}, user_id="ada", run_link="https://x.example/r1"
        )
        assert (made.name, made.version, made.source, made.run_id) == ("pear", "1", "runs:/r1/model", "r1")
        assert (made.description, made.tags, made.user_id, made.run_link) == ("sweet", {"fold": "1"}, "ada", "https://x.example/r1")
        assert (made.current_stage, made.status, made.status_message) == (Stage.NONE, ModelVersionStatus.READY, "")
        assert made.aliases == ()
        assert before <= made.creation_timestamp == made.last_updated_timestamp < tick()
        assert store.get_model_version("pear", "1") == made

    def test_a_version_made_with_little_has_empty_texts_and_no_run(self, store: RegistryStore) -> None:
        store.create_registered_model("pear")
        made = store.create_model_version("pear", "s3://bucket/1")
        assert (made.run_id, made.description, made.tags, made.user_id, made.run_link) == (None, "", {}, "", "")

    def test_version_numbers_count_up_for_each_model(self, store: RegistryStore) -> None:
        for name in ("pear", "plum"):
            store.create_registered_model(name)
        made = [store.create_model_version(name, "s3://bucket/x").version for name in ("pear", "pear", "plum", "pear", "plum")]
        assert made == ["1", "2", "1", "3", "2"]

    def test_a_version_number_is_never_used_again(self, store: RegistryStore) -> None:
        make_pear(store, 3)
        store.delete_model_version("pear", "3")
        assert store.create_model_version("pear", "s3://bucket/4").version == "4"
        for number in ("1", "2", "4"):
            store.delete_model_version("pear", number)
        assert store.create_model_version("pear", "s3://bucket/5").version == "5"

    def test_a_refused_version_leaves_nothing_behind_and_uses_no_number(self, store: RegistryStore) -> None:
        store.create_registered_model("pear")
        for tags, error in [({"ok": "x", "a//b": "x"}, InvalidName), ({"ok": "x", "long": "x" * 100_001}, ValueTooLong)]:
            with pytest.raises(error):
                store.create_model_version("pear", "s3://bucket/1", tags=tags)
        assert store.search_model_versions(query_versions()) == []
        assert store.create_model_version("pear", "s3://bucket/1").version == "1"

    def test_an_unknown_version_is_not_found(self, store: RegistryStore) -> None:
        make_pear(store, 2)
        store.delete_model_version("pear", "1")
        for unknown in ("1", "3", "0", "9" * 40):
            with pytest.raises(ModelVersionNotFound):
                store.get_model_version("pear", unknown)
            for change in _changes(store).values():
                with pytest.raises(ModelVersionNotFound):
                    change("pear", unknown)

    def test_a_version_of_an_unknown_model_is_not_found(self, store: RegistryStore) -> None:
        make_pear(store, 1)
        with pytest.raises(RegisteredModelNotFound):
            store.get_model_version("plum", "1")
        for change in _changes(store).values():
            with pytest.raises(NotFound):
                change("plum", "1")

    def test_a_version_that_is_no_number_is_refused(self, store: RegistryStore) -> None:
        make_pear(store, 1)
        for bad in ("", "one", "-1", "1.0", "latest", "1 OR 1=1", "²"):
            with pytest.raises(InvalidValue):
                store.get_model_version("pear", bad)

    def test_making_a_version_touches_its_model(self, store: RegistryStore) -> None:
        made = store.create_registered_model("pear")
        tick()
        store.create_model_version("pear", "s3://bucket/1")
        touched = store.get_registered_model("pear")
        assert touched.last_updated_timestamp > made.last_updated_timestamp
        assert touched.creation_timestamp == made.creation_timestamp

    # --- describing and deleting

    def test_a_version_description_is_replaced_and_cleared(self, store: RegistryStore) -> None:
        make_pear(store, 2)
        before = store.get_model_version("pear", "1")
        tick()
        changed = store.update_model_version("pear", "1", description="sour")
        assert changed.description == "sour"
        assert changed.last_updated_timestamp > before.last_updated_timestamp
        assert store.get_model_version("pear", "1") == changed
        assert store.get_model_version("pear", "2").description == ""
        assert store.update_model_version("pear", "1", description="").description == ""

    def test_a_deleted_version_is_gone_everywhere(self, store: RegistryStore) -> None:
        make_pear(store, 2)
        store.set_alias("pear", "champion", "2")
        store.set_alias("pear", "old", "1")
        before = store.get_registered_model("pear")
        tick()
        store.delete_model_version("pear", "2")
        model = store.get_registered_model("pear")
        assert model.aliases == {"old": "1"}
        assert [version.version for version in model.latest_versions] == ["1"]
        assert model.last_updated_timestamp > before.last_updated_timestamp
        assert _found(store) == ["pear 1"]
        with pytest.raises(AliasNotFound):
            store.get_version_by_alias("pear", "champion")
        assert store.get_version_by_alias("pear", "latest").version == "1"

    # --- tags

    def test_the_last_version_tag_wins_and_other_versions_keep_theirs(self, store: RegistryStore) -> None:
        make_pear(store, 2)
        for value in ("one", "two"):
            store.set_model_version_tag("pear", "1", "fold", value)
        store.set_model_version_tag("pear", "1", "long", "x" * 100_000)
        assert store.get_model_version("pear", "1").tags == {"fold": "two", "long": "x" * 100_000}
        assert store.get_model_version("pear", "2").tags == {}

    def test_a_deleted_version_tag_is_gone_and_deleting_it_again_is_no_error(self, store: RegistryStore) -> None:
        make_pear(store, 1)
        store.set_model_version_tag("pear", "1", "fold", "one")
        store.set_model_version_tag("pear", "1", "kind", "fruit")
        store.delete_model_version_tag("pear", "1", "fold")
        store.delete_model_version_tag("pear", "1", "fold")
        assert store.get_model_version("pear", "1").tags == {"kind": "fruit"}

    def test_a_bad_version_tag_is_refused(self, store: RegistryStore) -> None:
        make_pear(store, 1)
        for key, value, error in [("", "x", InvalidName), ("a//b", "x", InvalidName), ("fold", "x" * 100_001, ValueTooLong)]:
            with pytest.raises(error):
                store.set_model_version_tag("pear", "1", key, value)
        assert store.get_model_version("pear", "1").tags == {}

    # --- searching

    @pytest.mark.parametrize(
        ("filter", "expected"),
        [
            ("", ["pear 2", "pear 1", "plum 2"]),
            ("name = 'pear'", ["pear 2", "pear 1"]),
            ("name LIKE 'pl%'", ["plum 2"]),
            ("name IN ('plum', 'none')", ["plum 2"]),
            ("run_id = 'r1'", ["pear 1", "plum 2"]),
            ("run_id IN ('r1', 'r9')", ["pear 1", "plum 2"]),
            ("run_id != 'r1'", []),
            ("source_path = 's3://bucket/a'", ["plum 2"]),
            ("source_path LIKE 's3:%'", ["pear 1", "plum 2"]),
            ("version_number = 2", ["pear 2", "plum 2"]),
            ("version_number < '2'", ["pear 1"]),
            ("version_number >= 1 AND name = 'pear'", ["pear 2", "pear 1"]),
            ("tags.team = 'red'", ["plum 2"]),
            ("tags.team != 'red'", ["pear 1"]),
            ("NOT tags.team = 'red'", ["pear 2", "pear 1"]),
            ("tags.`mlflow.prompt.is_prompt` = 'true'", ["greeting 1"]),
        ],
    )
    def test_a_version_filter_finds_exactly_what_it_says(self, store: RegistryStore, filter: str, expected: list[str]) -> None:
        _cellar(store)
        assert _found(store, filter) == expected

    @pytest.mark.parametrize(
        ("order_by", "expected"),
        [
            ([], ["plum 2", "pear 2", "pear 1"]),
            (["name"], ["pear 2", "pear 1", "plum 2"]),
            (["name DESC", "version_number"], ["plum 2", "pear 1", "pear 2"]),
            (["version_number"], ["pear 1", "pear 2", "plum 2"]),
            (["creation_timestamp"], ["plum 2", "pear 1", "pear 2"]),
            (["last_updated_timestamp"], ["pear 1", "pear 2", "plum 2"]),
        ],
    )
    def test_versions_come_in_the_order_asked_for(self, store: RegistryStore, order_by: list[str], expected: list[str]) -> None:
        _cellar(store)
        tick()
        store.update_model_version("plum", "2", description="touched")
        assert _found(store, "", order_by) == expected

    def test_version_numbers_sort_as_numbers(self, store: RegistryStore) -> None:
        make_pear(store, 11)
        assert _found(store, "version_number > 8", ["version_number DESC"]) == ["pear 11", "pear 10", "pear 9"]

    def test_a_found_version_is_complete_but_for_its_aliases(self, store: RegistryStore) -> None:
        _cellar(store)
        made = store.get_model_version("pear", "1")
        store.set_alias("pear", "champion", "1")
        assert list(store.search_model_versions(query_versions("name = 'pear' AND version_number = 1"))) == [made]

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    def test_pages_of_versions_hold_each_one_once_in_order(self, store: RegistryStore, limit: int) -> None:
        _cellar(store)
        pages = all_pages(lambda token: store.search_model_versions(query_versions(), limit=limit, page_token=token))
        assert [f"{one.name} {one.version}" for page in pages for one in page] == ["pear 2", "pear 1", "plum 2"]
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1]

    def test_versions_made_between_pages_neither_repeat_nor_hide_others(self, store: RegistryStore) -> None:
        _cellar(store)
        first = store.search_model_versions(query_versions("", ["name"]), limit=2)
        store.create_model_version("pear", "s3://bucket/new")
        store.create_model_version("plum", "s3://bucket/new")
        rest = store.search_model_versions(query_versions("", ["name"]), page_token=first.token)
        assert [f"{one.name} {one.version}" for one in [*first, *rest]] == ["pear 2", "pear 1", "plum 3", "plum 2"]

    def test_a_version_search_refuses_foreign_tokens_and_page_sizes(self, store: RegistryStore) -> None:
        _cellar(store)
        of_another = store.search_model_versions(query_versions("version_number > 0"), limit=1).token
        assert of_another is not None
        for token in ("garbage", "MTIz", "-1", "eyJvZmZzZXQiOiAwfQ==", "é", of_another):
            with pytest.raises(InvalidPageToken):
                store.search_model_versions(query_versions(), page_token=token)
        for limit in (0, -1, 200_001):
            with pytest.raises(InvalidValue):
                store.search_model_versions(query_versions(), limit=limit)

    # --- several writers, and lasting

    def test_threads_making_versions_get_a_number_each(self, store: RegistryStore) -> None:
        store.create_registered_model("pear")

        def make() -> None:
            for _ in range(5):
                store.create_model_version("pear", "s3://bucket/x")

        assert in_threads([make] * 8) == []
        numbers = [version.version for version in store.search_model_versions(query_versions("", ["version_number"]))]
        assert numbers == [str(number) for number in range(1, 41)]

    def test_processes_making_versions_get_a_number_each(self, store: RegistryStore, address: Uri) -> None:
        store.create_registered_model("pear")
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            pool.starmap(_make_versions_elsewhere, [(type(store), address)] * 2)
        numbers = [version.version for version in store.search_model_versions(query_versions("", ["version_number"]))]
        assert numbers == [str(number) for number in range(1, 41)]

    def test_versions_outlive_the_opened_store(self, store: RegistryStore, reopen: Callable[[], RegistryStore]) -> None:
        _cellar(store)
        store.set_alias("pear", "champion", "1")
        store.transition_model_version_stage("pear", "2", Stage.PRODUCTION)

        def everything(opened: RegistryStore) -> list[ModelVersion]:
            return [*opened.search_model_versions(query_versions()), opened.get_version_by_alias("pear", "champion")]

        before = everything(store)
        again = reopen()
        assert everything(again) == before
        assert again.create_model_version("plum", "s3://bucket/next").version == "3"


def _changes(store: RegistryStore) -> dict[str, Callable[[str, str], object]]:
    return {
        "describe": lambda name, version: store.update_model_version(name, version, description="x"),
        "move": lambda name, version: store.transition_model_version_stage(name, version, Stage.STAGING),
        "delete": lambda name, version: store.delete_model_version(name, version),
        "tag": lambda name, version: store.set_model_version_tag(name, version, "fold", "1"),
        "delete tag": lambda name, version: store.delete_model_version_tag(name, version, "fold"),
        "alias": lambda name, version: store.set_alias(name, "champion", version),
    }


def _make_versions_elsewhere(kind: type[RegistryStore], address: Uri) -> None:
    store = kind.open(address)
    for _ in range(20):
        store.create_model_version("pear", "s3://bucket/x")
    store.close()
