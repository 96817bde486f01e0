"""Random operations on a registry store, each compared with the oracle's answer; the same idea as `operations_tracking`."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from drupe.entities import Stage
from drupe.extend.registry_store import RegistryStore
from drupe.search.query import Query
from drupe.testing.comparison import Pair
from drupe.testing.kit import all_pages, query_models, query_versions
from drupe.testing.memory_registry import MemoryRegistryStore
from drupe.testing.random_queries import model_queries, texts, version_queries

__all__ = ["RegistryOperations"]

_NAMES = ["a", "b", "A", "ab"]

_names = st.sampled_from([*_NAMES, "zz"])
_versions = st.sampled_from(["1", "2", "3", "4"])
_aliases = st.sampled_from(["champion", "Champion", "x"])
_keys = st.sampled_from(["t", "u", "mlflow.prompt.is_prompt"])
_tags = st.dictionaries(st.sampled_from(["t", "u"]), texts, max_size=2)


class RegistryOperations(RuleBasedStateMachine):
    """`open_store` opens the store under test and, called again, the same store."""

    def __init__(self, open_store: Callable[[], RegistryStore], *, is_durable: bool) -> None:
        super().__init__()
        self._open_store, self._is_durable = open_store, is_durable
        self._both: Pair[RegistryStore] = Pair(open_store(), MemoryRegistryStore())

    @initialize(tags=_tags, description=texts)
    def start_with_something(self, tags: dict[str, str], description: str) -> None:
        """Two models with two versions each, so that most operations meet something."""
        for name in ("a", "b"):
            self.create_model(name, description, tags)
            for source in ("a", "b"):
                self.create_version(name, source, "r0", description, tags)

    # --- models

    @rule(name=st.sampled_from(_NAMES), description=texts, tags=_tags)
    def create_model(self, name: str, description: str, tags: dict[str, str]) -> None:
        self._both.same(lambda store: store.create_registered_model(name, description=description, tags=tags))

    @rule(name=_names)
    def read_model(self, name: str) -> None:
        self._both.same(lambda store: store.get_registered_model(name))

    @rule(name=_names, description=texts)
    def describe_model(self, name: str, description: str) -> None:
        self._both.same(lambda store: store.update_registered_model(name, description=description))

    @rule(name=_names, new_name=st.sampled_from(_NAMES))
    def rename_model(self, name: str, new_name: str) -> None:
        self._both.same(lambda store: store.rename_registered_model(name, new_name))

    @rule(name=_names, is_meant=st.integers(0, 3))
    def delete_model(self, name: str, is_meant: int) -> None:
        if is_meant == 0:  # or else models would hardly live long enough to meet anything
            self._both.same(lambda store: store.delete_registered_model(name))

    @rule(name=_names, key=_keys, value=texts | st.just("true"))
    def tag_model(self, name: str, key: str, value: str) -> None:
        self._both.same(lambda store: store.set_registered_model_tag(name, key, value))

    @rule(name=_names, key=_keys)
    def untag_model(self, name: str, key: str) -> None:
        self._both.same(lambda store: store.delete_registered_model_tag(name, key))

    # --- versions

    @rule(name=_names, source=texts, run_id=st.none() | st.sampled_from(["r0", "r1"]), description=texts, tags=_tags)
    def create_version(self, name: str, source: str, run_id: str | None, description: str, tags: dict[str, str]) -> None:
        self._both.same(lambda store: store.create_model_version(name, f"s3://{source}", run_id=run_id, description=description, tags=tags))

    @rule(name=_names, version=_versions)
    def read_version(self, name: str, version: str) -> None:
        self._both.same(lambda store: store.get_model_version(name, version))

    @rule(name=_names, version=_versions, description=texts)
    def describe_version(self, name: str, version: str, description: str) -> None:
        self._both.same(lambda store: store.update_model_version(name, version, description=description))

    @rule(name=_names, version=_versions, stage=st.sampled_from(Stage), archive=st.booleans())
    def move_version(self, name: str, version: str, stage: Stage, archive: bool) -> None:
        archive = archive and stage in (Stage.STAGING, Stage.PRODUCTION)
        self._both.same(lambda store: store.transition_model_version_stage(name, version, stage, archive_existing=archive))

    @rule(name=_names, version=_versions)
    def delete_version(self, name: str, version: str) -> None:
        self._both.same(lambda store: store.delete_model_version(name, version))

    @rule(name=_names, version=_versions, key=_keys, value=texts)
    def tag_version(self, name: str, version: str, key: str, value: str) -> None:
        self._both.same(lambda store: store.set_model_version_tag(name, version, key, value))

    @rule(name=_names, version=_versions, key=_keys)
    def untag_version(self, name: str, version: str, key: str) -> None:
        self._both.same(lambda store: store.delete_model_version_tag(name, version, key))

    # --- aliases

    @rule(name=_names, alias=_aliases, version=_versions)
    def set_alias(self, name: str, alias: str, version: str) -> None:
        self._both.same(lambda store: store.set_alias(name, alias, version))

    @rule(name=_names, alias=_aliases)
    def delete_alias(self, name: str, alias: str) -> None:
        self._both.same(lambda store: store.delete_alias(name, alias))

    @rule(name=_names, alias=_aliases | st.just("latest"))
    def follow_alias(self, name: str, alias: str) -> None:
        self._both.same(lambda store: store.get_version_by_alias(name, alias))

    # --- searches

    @rule(query=model_queries, limit=st.integers(1, 3))
    def search_models(self, query: Query, limit: int) -> None:
        self._both.same(
            lambda store: [
                list(page) for page in all_pages(lambda token: store.search_registered_models(query, limit=limit, page_token=token))
            ]
        )

    @rule(query=version_queries, limit=st.integers(1, 3))
    def search_versions(self, query: Query, limit: int) -> None:
        self._both.same(
            lambda store: [
                list(page) for page in all_pages(lambda token: store.search_model_versions(query, limit=limit, page_token=token))
            ]
        )

    # --- lasting

    @precondition(lambda self: self._is_durable)
    @rule()
    def reopen(self) -> None:
        self._both.store.close()
        self._both.store = self._open_store()

    def teardown(self) -> None:
        """Compare all that is left, once more through a new opening where the store outlives its process."""
        if self._is_durable:
            self.reopen()
        try:
            self._both.same(lambda store: store.search_registered_models(query_models()))
            self._both.same(lambda store: store.search_model_versions(query_versions("", ["name"])))
        finally:
            self._both.store.close()
