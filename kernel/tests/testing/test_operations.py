"""Random operations: two oracles agree with each other, and a store that differs in one thing is found out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from drupe.entities import LogBatch, ModelVersion, Page, Points, Run
from drupe.search.query import And, Condition, Not, Op, Or, Query
from drupe.testing.memory import MemoryRegistryStore, MemoryTrackingStore
from drupe.testing.operations import compare_registry_store, compare_run_searches, compare_tracking_store, compare_version_searches


def _tracking(folder: Path) -> MemoryTrackingStore:
    return MemoryTrackingStore()


def _registry(folder: Path) -> MemoryRegistryStore:
    return MemoryRegistryStore()


def test_two_tracking_oracles_agree() -> None:
    compare_tracking_store(_tracking, is_durable=False, examples=10)  # both are the same code: what is new comes with the first few


def test_two_registry_oracles_agree() -> None:
    compare_registry_store(_registry, is_durable=False, examples=10)


def test_searches_of_two_oracles_agree() -> None:
    compare_run_searches(_tracking, examples=60)
    compare_version_searches(_registry, examples=60)


class _Rounds(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        rounded = {key: Points.of((s, t, max(v, -1.0)) for s, t, v in points) for key, points in batch.metrics.items()}
        super().log_batch(run_id, LogBatch(rounded, batch.params, batch.tags))


def test_a_tracking_store_that_changes_one_value_is_found_out() -> None:
    with pytest.raises(AssertionError, match="but the contract says"):
        compare_tracking_store(lambda folder: _Rounds(), is_durable=False, is_shrunk=False)


class _MeasuresOnNothing(MemoryTrackingStore):
    def log_batch(self, run_id: str, batch: LogBatch) -> None:
        of_models = tuple(evolve(one, dataset_digest=None) for one in batch.model_points)
        super().log_batch(run_id, evolve(batch, model_points=of_models))


def test_a_tracking_store_that_forgets_the_digests_of_datasets_is_found_out() -> None:
    with pytest.raises(AssertionError, match="but the contract says"):
        compare_tracking_store(lambda folder: _MeasuresOnNothing(), is_durable=False, is_shrunk=False)


class _LatestIsFirst(MemoryRegistryStore):
    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        return super().get_model_version(name, "1") if alias == "latest" else super().get_version_by_alias(name, alias)


def test_a_registry_store_that_follows_one_alias_wrongly_is_found_out() -> None:
    with pytest.raises(AssertionError, match="but the contract says"):
        compare_registry_store(lambda folder: _LatestIsFirst(), is_durable=False, is_shrunk=False)


def test_a_store_that_forgets_is_found_out_when_it_is_opened_again() -> None:
    with pytest.raises(AssertionError, match="but the contract says"):
        compare_registry_store(_registry, is_shrunk=False)


class _IgnoresCase(MemoryTrackingStore):
    def search_runs(self, query: Query, **given: Any) -> Page[Run]:
        return super().search_runs(evolve(query, where=query.where and _without_case(query.where)), **given)


def _without_case(condition: Condition) -> Condition:
    if isinstance(condition, And | Or):
        return evolve(condition, parts=tuple(_without_case(part) for part in condition.parts))
    if isinstance(condition, Not):
        return Not(_without_case(condition.part))
    return evolve(condition, op=Op.ILIKE) if condition.op is Op.LIKE else condition


def test_a_store_whose_like_ignores_case_is_found_out() -> None:
    with pytest.raises(AssertionError, match="but the contract says"):
        compare_run_searches(lambda folder: _IgnoresCase(), is_shrunk=False)
