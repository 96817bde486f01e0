"""The part of the tracking kit about columns of many runs, and about the keys that runs have. Its population is that of `kit_run_search`."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drupe.entities import LifecycleStage, RunKey, RunStatus, Stat, ViewType
from drupe.errors import InvalidQuery, InvalidValue
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import Entity, Field
from drupe.testing.kit import StoreKit, log, new_run, query_runs
from drupe.testing.kit_run_search import populate

__all__ = ["RunColumnTests"]

_NAN, _INF = math.nan, math.inf
_NEWEST = ["r6", "r5", "r3", "r4", "r2", "r1", "r7"]
_LOSS, _MODEL, _TEAM = Field(Entity.METRIC, "loss", Stat.LAST), Field(Entity.PARAM, "model"), Field(Entity.TAG, "team")


def _columns(store: TrackingStore, *fields: Field, filter: str = "", order_by: list[str] | None = None, **given: Any) -> list[Any]:
    """The ids and all columns, NaN as a text, which equals itself."""
    found = store.run_columns(query_runs(filter, order_by), **{"experiment_ids": None, "fields": fields, **given})
    return [["NaN" if value != value else value for value in column] for column in (found.run_ids, *found.columns)]


def _stat(stat: Stat) -> Field:
    return Field(Entity.METRIC, "loss", stat)


class RunColumnTests(StoreKit):
    def test_columns_without_fields_are_the_ids_in_order(self, store: TrackingStore) -> None:
        populate(store)
        assert _columns(store) == [_NEWEST]
        assert _columns(store, order_by=["metrics.loss DESC"]) == [["r4", "r1", "r7", "r2", "r5", "r3", "r6"]]
        assert _columns(store, filter="params.model != 'ridge'", order_by=["params.model"]) == [["r5", "r3", "r6", "r2"]]
        assert _columns(store, filter="metrics.nothing > 1") == [[]]

    def test_columns_are_aligned_with_the_ids_and_have_none_for_what_a_run_lacks(self, store: TrackingStore) -> None:
        populate(store)
        assert _columns(store, _LOSS, _MODEL, _TEAM) == [
            _NEWEST,
            [None, -_INF, "NaN", _INF, 1.0, 3.0, 3.0],
            ["forest", "", "Ridge", None, "lasso", "ridge", None],
            ["green", "", "red", None, "blue", "red", None],
        ]
        assert _columns(store, _TEAM, _LOSS, filter="user_id = 'ada'", order_by=["run_id"]) == [
            ["r1", "r2", "r6"],
            ["red", "blue", "green"],
            [3.0, 1.0, None],
        ]

    def test_a_metric_has_a_column_for_each_statistic_and_all_are_floats(self, store: TrackingStore) -> None:
        populate(store)
        found = store.run_columns(query_runs("run_id IN ('r1', 'r6')"), experiment_ids=None, fields=list(map(_stat, Stat)))
        assert found.run_ids == ["r6", "r1"]
        told = dict(zip(Stat, found.columns, strict=True))
        assert told == {
            Stat.LAST: [None, 3.0],
            Stat.FIRST: [None, 4.0],
            Stat.MIN: [None, 2.0],
            Stat.MAX: [None, 4.0],
            Stat.MEAN: [None, 3.0],
            Stat.COUNT: [None, 3.0],
        }
        assert {type(column[1]) for column in found.columns} == {float}

    def test_a_series_of_nan_alone_has_nan_for_what_it_cannot_say(self, store: TrackingStore) -> None:
        populate(store)
        found = _columns(store, *map(_stat, Stat), filter="run_id = 'r3'")
        assert found == [["r3"], *([[1.0] if stat is Stat.COUNT else ["NaN"] for stat in Stat])]

    def test_a_column_of_attributes_has_what_the_info_of_runs_has(self, store: TrackingStore) -> None:
        populate(store)
        keys = (*("run_id", "run_name", "status", "user_id", "artifact_uri", "start_time", "end_time"), "experiment_id", "lifecycle_stage")
        found = store.run_columns(
            query_runs(), experiment_ids=None, view=ViewType.ALL, fields=[Field(Entity.ATTRIBUTE, key) for key in keys]
        )
        assert found.run_ids == ["r8", *_NEWEST]
        infos = [store.get_run(run_id).info for run_id in found.run_ids]
        assert dict(zip(keys, found.columns, strict=True)) == {key: [getattr(info, key) for info in infos] for key in keys}
        assert isinstance(found.columns[2][0], RunStatus)
        assert isinstance(found.columns[8][0], LifecycleStage)

    def test_a_field_may_be_asked_for_twice_and_an_unknown_key_is_an_empty_column(self, store: TrackingStore) -> None:
        populate(store)
        unknown = (Field(Entity.METRIC, "nothing", Stat.MIN), Field(Entity.PARAM, "nothing"), Field(Entity.TAG, "nothing"))
        found = _columns(store, _MODEL, *unknown, _MODEL, filter="run_id IN ('r1', 'r2')")
        assert found == [["r2", "r1"], ["lasso", "ridge"], *([[None, None]] * 3), ["lasso", "ridge"]]

    def test_a_column_of_a_metric_that_is_called_like_a_statistic_prefers_it_by_run(self, store: TrackingStore) -> None:
        for run_id, metrics in [("a", {"loss.min": [(0, 1, 7.0)], "loss": [(0, 1, 1.0)]}), ("b", {"loss": [(0, 1, 5.0)]}), ("c", {})]:
            log(store, new_run(store, run_id=run_id, start_time=5).info.run_id, metrics)
        assert _columns(store, Field(Entity.METRIC, "loss", Stat.MIN, shadow="loss.min")) == [["a", "b", "c"], [7.0, 5.0, None]]
        assert _columns(store, Field(Entity.METRIC, "loss", Stat.MIN)) == [["a", "b", "c"], [1.0, 5.0, None]]

    def test_more_fields_than_a_database_joins_are_told_at_once(self, store: TrackingStore) -> None:
        for run_id, start in (("a", 2), ("b", 1)):
            new_run(store, run_id=run_id, start_time=start)
            log(store, run_id, {}, params={f"p{number}": f"{run_id}{number}" for number in range(start, 70)})
        found = _columns(store, *(Field(Entity.PARAM, f"p{number}") for number in range(70)))
        assert found == [["a", "b"], [None, None], [None, "b1"], *([f"a{number}", f"b{number}"] for number in range(2, 70))]

    def test_columns_say_when_there_are_more_runs_than_asked_for(self, store: TrackingStore) -> None:
        populate(store)
        for limit, is_cut in ((1, True), (6, True), (7, False), (8, False)):
            found = store.run_columns(query_runs(), experiment_ids=None, fields=[_MODEL], limit=limit)
            assert (found.run_ids, len(found.columns[0]), found.is_cut) == (_NEWEST[:limit], min(limit, 7), is_cut)

    def test_columns_look_into_the_experiments_and_view_given(self, store: TrackingStore) -> None:
        populate(store)
        assert _columns(store, _MODEL, experiment_ids=["2"]) == [["r6", "r7"], ["forest", None]]
        assert _columns(store, _MODEL, experiment_ids=[]) == [[], []]
        assert _columns(store, _MODEL, experiment_ids=["77", "2"], order_by=["run_id DESC"]) == [["r7", "r6"], [None, "forest"]]
        assert _columns(store, _MODEL, view=ViewType.DELETED_ONLY) == [["r8"], ["ridge"]]
        assert _columns(store, view=ViewType.ALL, experiment_ids=["1"]) == [["r8", "r5", "r3", "r4", "r2", "r1"]]

    def test_columns_that_cannot_be_are_refused(self, store: TrackingStore) -> None:
        populate(store)
        bad = [Field(Entity.DATASET, "name"), Field(Entity.ATTRIBUTE, "colour"), Field(Entity.PARAM, "")]
        for field in bad:
            with pytest.raises(InvalidQuery):
                store.run_columns(query_runs(), experiment_ids=None, fields=[_MODEL, field])
        with pytest.raises(InvalidQuery):
            store.run_columns(query_runs(), experiment_ids=None, fields=[_MODEL] * 2001)
        for limit in (0, -1, 1_000_001):
            with pytest.raises(InvalidValue):
                store.run_columns(query_runs(), experiment_ids=None, limit=limit)
        with pytest.raises(InvalidValue):
            store.run_columns(query_runs(), experiment_ids=["fruit"])

    # --- keys

    def test_keys_are_told_with_the_number_of_runs_that_have_them(self, store: TrackingStore) -> None:
        populate(store)
        found = store.run_keys(experiment_ids=None)
        assert found.metrics == (RunKey("loss", 6), RunKey("accuracy", 1), RunKey("eval/f1 score", 1))
        assert found.params == (RunKey("model", 5, differs=True), RunKey("alpha", 2, differs=True))
        assert [key for key in found.tags if not key.name.startswith("mlflow.")] == [
            RunKey("team", 5, differs=True),
            RunKey("note", 1, differs=False),
        ]
        assert (found.looked_at, found.is_whole, found.cut) == (7, True, ())

    def test_a_key_differs_when_the_runs_that_have_it_have_two_values(self, store: TrackingStore) -> None:
        long = "x" * 200
        for run_id, params in [("a", {"same": "1", "long": long + "a", "one": ""}), ("b", {"same": "1", "long": long + "b"}), ("c", {})]:
            new_run(store, run_id=run_id)
            log(store, run_id, {}, params=params, tags={key: text for key, text in params.items() if key != "long"})
        found = store.run_keys(experiment_ids=["0"])
        assert found.params == (RunKey("long", 2, differs=True), RunKey("same", 2, differs=False), RunKey("one", 1, differs=False))
        assert [key for key in found.tags if key.name in ("same", "one")] == [
            RunKey("same", 2, differs=False),
            RunKey("one", 1, differs=False),
        ]

    def test_keys_look_into_the_experiments_and_view_given(self, store: TrackingStore) -> None:
        populate(store)
        assert store.run_keys(experiment_ids=["2"]).params == (RunKey("model", 1, differs=False),)
        assert store.run_keys(experiment_ids=["2"]).looked_at == 2
        assert store.run_keys(experiment_ids=None, view=ViewType.DELETED_ONLY).metrics == (RunKey("loss", 1),)
        nothing = store.run_keys(experiment_ids=[])
        assert (nothing.metrics, nothing.params, nothing.tags, nothing.looked_at, nothing.is_whole) == ((), (), (), 0, True)
        with pytest.raises(InvalidValue):
            store.run_keys(experiment_ids=["fruit"])

    def test_keys_are_found_by_how_they_begin_and_cut_where_they_are_many(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        names = ["a b", "aXb", "a_b", "b", "A"]
        log(store, run_id, {"a": [(0, 1, 1.0)], "b": [(0, 1, 1.0)]}, params=dict.fromkeys(names, "v"))
        assert [key.name for key in store.run_keys(experiment_ids=None).params] == sorted(names)
        found = store.run_keys(experiment_ids=None, prefix="a")
        assert [key.name for key in found.params] == ["a b", "aXb", "a_b"]
        assert [key.name for key in found.metrics] == ["a"]
        found = store.run_keys(experiment_ids=None, prefix="a", limit=2)
        assert [key.name for key in found.params] == ["a b", "aXb"]
        assert found.cut == ("params",)
        for limit in (0, 50_001):
            with pytest.raises(InvalidValue):
                store.run_keys(experiment_ids=None, limit=limit)
