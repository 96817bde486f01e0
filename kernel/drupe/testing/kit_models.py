"""The part of the registry kit about registered models: making, describing, renaming, deleting, tagging, searching."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from drupe.entities import RegisteredModel
from drupe.errors import AlreadyExists, InvalidName, InvalidPageToken, InvalidValue, RegisteredModelNotFound, ValueTooLong
from drupe.extend.registry_store import RegistryStore
from drupe.testing.kit import StoreKit, all_pages, query_models, tick

__all__ = ["ModelTests"]

_PROMPT = "mlflow.prompt.is_prompt"


def _shelf(store: RegistryStore) -> None:
    """Four models and a prompt, each touched in a millisecond of its own."""
    for name, tags in [
        ("pear", {"team": "red"}),
        ("Apple", {"team": "blue"}),
        ("apple pie", {"team": "red", "note": "100%_done"}),
        ("quince", {}),
        ("greeting", {_PROMPT: "true"}),
    ]:
        tick()
        store.create_registered_model(name, tags=tags)


def _names(store: RegistryStore, filter: str | None = None, order_by: Sequence[str] | None = None) -> list[str]:
    return [model.name for model in store.search_registered_models(query_models(filter, order_by))]


class ModelTests(StoreKit):
    # --- making and reading

    def test_a_new_model_reads_back_as_it_was_answered(self, store: RegistryStore) -> None:
        before = tick()
        made = store.create_registered_model("pear", description="sweet", tags={"team": "red", "empty": ""})
        assert (made.name, made.description, made.tags) == ("pear", "sweet", {"team": "red", "empty": ""})
        assert (made.aliases, made.latest_versions) == ({}, ())
        assert before <= made.creation_timestamp == made.last_updated_timestamp < tick()
        assert store.get_registered_model("pear") == made

    def test_a_model_without_a_description_has_an_empty_one(self, store: RegistryStore) -> None:
        made = store.create_registered_model("pear")
        assert (made.description, made.tags) == ("", {})

    def test_model_names_are_any_text_without_slash_and_colon_and_case_matters(self, store: RegistryStore) -> None:
        names = ["a", "A", " a ", "päron åäö 🍐", 'it\'s "quoted"', "%_", "...", "x" * 250]
        assert [store.create_registered_model(name).name for name in names] == names
        assert [store.get_registered_model(name).name for name in names] == names

    def test_a_taken_model_name_is_refused(self, store: RegistryStore) -> None:
        made = store.create_registered_model("pear", description="sweet")
        with pytest.raises(AlreadyExists):
            store.create_registered_model("pear", description="sour")
        assert store.get_registered_model("pear") == made

    def test_a_refused_model_leaves_nothing_behind(self, store: RegistryStore) -> None:
        for name, tags, error in [
            ("", {}, InvalidName),
            ("  ", {}, InvalidName),
            ("a/b", {}, InvalidName),
            ("a:b", {}, InvalidName),
            ("..", {}, InvalidName),
            ("a\x00b", {}, InvalidValue),
            ("x" * 251, {}, ValueTooLong),
            ("good", {"a//b": "x"}, InvalidName),
            ("good", {"ok": "x", "long": "x" * 100_001}, ValueTooLong),
        ]:
            with pytest.raises(error):
                store.create_registered_model(name, tags=tags)
        assert _names(store) == []
        assert store.create_registered_model("good").tags == {}

    def test_an_unknown_model_is_not_found(self, store: RegistryStore) -> None:
        store.create_registered_model("pear")
        changes: list[Callable[[str], object]] = [
            store.get_registered_model,
            store.delete_registered_model,
            lambda name: store.update_registered_model(name, description="x"),
            lambda name: store.rename_registered_model(name, "other"),
            lambda name: store.set_registered_model_tag(name, "team", "red"),
            lambda name: store.delete_registered_model_tag(name, "team"),
            lambda name: store.create_model_version(name, "s3://bucket/model"),
            lambda name: store.get_model_version(name, "1"),
            lambda name: store.set_alias(name, "champion", "1"),
            lambda name: store.delete_alias(name, "champion"),
            lambda name: store.get_version_by_alias(name, "champion"),
            lambda name: store.get_version_by_alias(name, "latest"),
        ]
        for change in changes:
            for unknown in ("Pear", "plum", "x" * 1000):
                with pytest.raises(RegisteredModelNotFound):
                    change(unknown)

    # --- describing

    def test_a_description_is_replaced_and_cleared(self, store: RegistryStore) -> None:
        made = store.create_registered_model("pear", description="sweet", tags={"team": "red"})
        tick()
        changed = store.update_registered_model("pear", description="sour\nand long " + "x" * 5000)
        assert changed.description == "sour\nand long " + "x" * 5000
        assert changed.last_updated_timestamp > made.last_updated_timestamp
        assert (changed.creation_timestamp, changed.tags) == (made.creation_timestamp, {"team": "red"})
        assert store.get_registered_model("pear") == changed
        assert store.update_registered_model("pear", description="").description == ""

    # --- renaming

    def test_a_renamed_model_takes_versions_tags_and_aliases_along(self, store: RegistryStore) -> None:
        made = store.create_registered_model("pear", description="sweet", tags={"team": "red"})
        store.create_model_version("pear", "s3://bucket/1", tags={"fold": "1"})
        store.create_model_version("pear", "s3://bucket/2")
        store.set_alias("pear", "champion", "1")
        tick()
        renamed = store.rename_registered_model("pear", "plum")
        assert (renamed.name, renamed.description, renamed.tags) == ("plum", "sweet", {"team": "red"})
        assert renamed.aliases == {"champion": "1"}
        assert [(version.name, version.version) for version in renamed.latest_versions] == [("plum", "2")]
        assert renamed.last_updated_timestamp > made.last_updated_timestamp
        assert store.get_registered_model("plum") == renamed
        version = store.get_version_by_alias("plum", "champion")
        assert (version.name, version.source, version.tags) == ("plum", "s3://bucket/1", {"fold": "1"})
        with pytest.raises(RegisteredModelNotFound):
            store.get_registered_model("pear")

    def test_the_old_name_of_a_renamed_model_is_free(self, store: RegistryStore) -> None:
        store.create_registered_model("pear")
        store.create_model_version("pear", "s3://bucket/1")
        store.rename_registered_model("pear", "plum")
        store.create_registered_model("pear")
        assert store.create_model_version("pear", "s3://bucket/2").version == "1"
        assert store.create_model_version("plum", "s3://bucket/3").version == "2"

    def test_renaming_a_model_to_a_taken_or_bad_name_changes_nothing(self, store: RegistryStore) -> None:
        store.create_registered_model("plum", description="taken")
        made = store.create_registered_model("pear")
        for name, error in [("plum", AlreadyExists), ("a/b", InvalidName), ("", InvalidName), ("x" * 251, ValueTooLong)]:
            with pytest.raises(error):
                store.rename_registered_model("pear", name)
        assert store.get_registered_model("pear") == made
        assert store.get_registered_model("plum").description == "taken"

    def test_renaming_a_model_to_its_own_name_is_allowed(self, store: RegistryStore) -> None:
        store.create_registered_model("pear")
        store.create_model_version("pear", "s3://bucket/1")
        assert store.rename_registered_model("pear", "pear").name == "pear"
        assert store.get_model_version("pear", "1").source == "s3://bucket/1"

    # --- deleting

    def test_deleting_a_model_removes_versions_tags_and_aliases(self, store: RegistryStore) -> None:
        store.create_registered_model("pear", tags={"team": "red"})
        store.create_model_version("pear", "s3://bucket/1", tags={"fold": "1"})
        store.create_model_version("pear", "s3://bucket/2")
        store.set_alias("pear", "champion", "2")
        store.delete_registered_model("pear")
        with pytest.raises(RegisteredModelNotFound):
            store.get_registered_model("pear")
        anew = store.create_registered_model("pear")
        assert (anew.tags, anew.aliases, anew.latest_versions) == ({}, {}, ())
        version = store.create_model_version("pear", "s3://bucket/3")
        assert (version.version, version.tags, version.aliases) == ("1", {}, ())

    def test_deleting_a_model_leaves_others_alone(self, store: RegistryStore) -> None:
        for name in ("pear", "plum"):
            store.create_registered_model(name, tags={"team": "red"})
            store.create_model_version(name, "s3://bucket/1", tags={"fold": "1"})
            store.set_alias(name, "champion", "1")
        before = store.get_registered_model("plum"), store.get_model_version("plum", "1")
        store.delete_registered_model("pear")
        assert (store.get_registered_model("plum"), store.get_model_version("plum", "1")) == before

    # --- tags

    def test_the_last_model_tag_wins_and_others_stay(self, store: RegistryStore) -> None:
        store.create_registered_model("pear", tags={"team": "red", "kind": "fruit"})
        store.set_registered_model_tag("pear", "team", "blue")
        store.set_registered_model_tag("pear", "long", "x" * 100_000)
        assert store.get_registered_model("pear").tags == {"team": "blue", "kind": "fruit", "long": "x" * 100_000}

    def test_a_deleted_model_tag_is_gone_and_deleting_it_again_is_no_error(self, store: RegistryStore) -> None:
        store.create_registered_model("pear", tags={"team": "red", "kind": "fruit"})
        store.delete_registered_model_tag("pear", "team")
        store.delete_registered_model_tag("pear", "team")
        assert store.get_registered_model("pear").tags == {"kind": "fruit"}

    def test_a_bad_model_tag_is_refused(self, store: RegistryStore) -> None:
        store.create_registered_model("pear", tags={"team": "red"})
        for key, value, error in [
            ("", "x", InvalidName),
            ("../up", "x", InvalidName),
            ("k" * 251, "x", ValueTooLong),
            ("team", "x" * 100_001, ValueTooLong),
        ]:
            with pytest.raises(error):
                store.set_registered_model_tag("pear", key, value)
        assert store.get_registered_model("pear").tags == {"team": "red"}

    # --- searching

    @pytest.mark.parametrize(
        ("filter", "expected"),
        [
            ("", ["Apple", "apple pie", "pear", "quince"]),
            ("name = 'pear'", ["pear"]),
            ("name != 'pear'", ["Apple", "apple pie", "quince"]),
            ("name LIKE 'apple%'", ["apple pie"]),
            ("name ILIKE 'apple%'", ["Apple", "apple pie"]),
            ("name LIKE '_ear'", ["pear"]),
            ("name IN ('pear', 'quince', 'none')", ["pear", "quince"]),
            ("name NOT IN ('pear', 'quince')", ["Apple", "apple pie"]),
            ("tags.team = 'red'", ["apple pie", "pear"]),
            ("tags.team != 'red'", ["Apple"]),
            ("tags.note LIKE '100%'", ["apple pie"]),
            ("tags.team = 'blue' OR name = 'quince'", ["Apple", "quince"]),
            ("NOT tags.team = 'red'", ["Apple", "quince"]),
            (f"tags.`{_PROMPT}` = 'true'", ["greeting"]),
            (f"tags.`{_PROMPT}` != 'true'", ["Apple", "apple pie", "pear", "quince"]),
        ],
    )
    def test_a_model_filter_finds_exactly_what_it_says(self, store: RegistryStore, filter: str, expected: list[str]) -> None:
        _shelf(store)
        assert _names(store, filter) == expected

    @pytest.mark.parametrize(
        ("order_by", "expected"),
        [
            (["name"], ["Apple", "apple pie", "pear", "quince"]),
            (["name DESC"], ["quince", "pear", "apple pie", "Apple"]),
            (["last_updated_timestamp"], ["apple pie", "quince", "Apple", "pear"]),
            (["timestamp DESC"], ["pear", "Apple", "quince", "apple pie"]),
        ],
    )
    def test_models_come_in_the_order_asked_for(self, store: RegistryStore, order_by: list[str], expected: list[str]) -> None:
        _shelf(store)
        for name in ("Apple", "pear"):
            tick()
            store.update_registered_model(name, description="touched")
        assert _names(store, "", order_by) == expected

    def test_a_found_model_is_complete(self, store: RegistryStore) -> None:
        _shelf(store)
        store.create_model_version("pear", "s3://bucket/1")
        store.set_alias("pear", "champion", "1")
        found = store.search_registered_models(query_models("name = 'pear'"))
        assert list(found) == [store.get_registered_model("pear")]
        assert found[0].aliases == {"champion": "1"}

    @pytest.mark.parametrize("limit", [1, 2, 4, 5])
    def test_pages_of_models_hold_each_one_once_in_order(self, store: RegistryStore, limit: int) -> None:
        _shelf(store)
        pages = all_pages(lambda token: store.search_registered_models(query_models(), limit=limit, page_token=token))
        assert [model.name for page in pages for model in page] == ["Apple", "apple pie", "pear", "quince"]
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1]

    def test_models_made_between_pages_neither_repeat_nor_hide_others(self, store: RegistryStore) -> None:
        _shelf(store)
        first = store.search_registered_models(query_models(), limit=2)
        store.create_registered_model("Aaa")
        store.create_registered_model("plum")
        rest = store.search_registered_models(query_models(), page_token=first.token)
        assert [model.name for model in [*first, *rest]] == ["Apple", "apple pie", "pear", "plum", "quince"]

    def test_a_model_search_refuses_foreign_tokens_and_page_sizes(self, store: RegistryStore) -> None:
        _shelf(store)
        of_another = store.search_registered_models(query_models("name != 'pear'"), limit=1).token
        assert of_another is not None
        for token in ("garbage", "MTIz", "-1", "eyJvZmZzZXQiOiAwfQ==", "é", of_another):
            with pytest.raises(InvalidPageToken):
                store.search_registered_models(query_models(), page_token=token)
        for limit in (0, -1, 1001):
            with pytest.raises(InvalidValue):
                store.search_registered_models(query_models(), limit=limit)

    # --- lasting

    def test_models_outlive_the_opened_store(self, store: RegistryStore, reopen: Callable[[], RegistryStore]) -> None:
        _shelf(store)
        store.create_model_version("pear", "s3://bucket/1")
        store.set_alias("pear", "champion", "1")

        def everything(opened: RegistryStore) -> list[RegisteredModel]:
            return list(opened.search_registered_models(query_models()))

        before = everything(store)
        assert everything(reopen()) == before

    def test_closing_a_store_twice_is_harmless(self, store: RegistryStore) -> None:
        store.close()
        store.close()
