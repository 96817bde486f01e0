"""The part of the tracking kit about searching runs: filters and orders over one fixed population, scopes, views, pages."""

from __future__ import annotations

import math
from typing import Any

import pytest

from drupe.entities import Dataset, DatasetInput, InputTag, LifecycleStage, RunStatus, ViewType
from drupe.entities.codec import to_plain
from drupe.errors import InvalidPageToken, InvalidValue
from drupe.extend.tracking_store import TrackingStore
from drupe.testing.kit import StoreKit, all_pages, log, new_run, query_runs

__all__ = ["RunSearchTests", "populate"]

_NAN, _INF = math.nan, math.inf
_EVERYTHING = ["r6", "r5", "r3", "r4", "r2", "r1", "r7"]  # newest first, of equal times by id


def populate(store: TrackingStore) -> None:
    """Eight runs in experiments 1 and 2; r8 is deleted. They are made in an order that is neither that of their ids nor of their times."""
    store.create_experiment("fruit")
    store.create_experiment("stone")
    _add(store, "r4", "1", "date", 300, "bob", RunStatus.RUNNING, metrics={"loss": [_INF]})
    _add(
        store, "r1", "1", "apple", 100, "ada", RunStatus.FINISHED, 1000,
        params={"model": "ridge", "alpha": "0.1"}, tags={"team": "red"}, metrics={"loss": [4.0, 2.0, 3.0]},
    )  # fmt: skip
    _add(
        store, "r6", "2", "fig", 600, "ada", RunStatus.FINISHED, 2000,
        params={"model": "forest"}, tags={"team": "green"}, metrics={"accuracy": [0.5]},
    )  # fmt: skip
    _add(
        store, "r3", "1", "cherry", 300, "bob", RunStatus.FAILED, 1200,
        params={"model": "Ridge"}, tags={"team": "red", "note": "100%_done"}, metrics={"loss": [_NAN]},
    )  # fmt: skip
    _add(store, "r8", "1", "hazel", 700, "ada", RunStatus.FINISHED, 800, params={"model": "ridge"}, metrics={"loss": [0.0]})
    _add(
        store, "r2", "1", "Banana", 200, "ada", RunStatus.FINISHED, 900,
        params={"model": "lasso", "alpha": "0.10"}, tags={"team": "blue"}, metrics={"loss": [1.0]},
    )  # fmt: skip
    _add(
        store, "r5", "1", "elder_berry", 500, "cy", RunStatus.KILLED, 600,
        params={"model": ""}, tags={"team": ""}, metrics={"loss": [-_INF]},
    )  # fmt: skip
    _add(store, "r7", "2", "grape", 50, "bob", RunStatus.SCHEDULED, metrics={"loss": [3.0], "eval/f1 score": [0.25]})
    iris, wine = Dataset("iris", "d1", "local", "/iris.csv"), Dataset("wine", "d2", "local", "/wine.csv")
    store.log_inputs("r1", [DatasetInput(iris, (_context("training"),)), DatasetInput(wine, (_context("eval"),))])
    store.log_inputs("r7", [DatasetInput(wine, (_context("training"),))])
    store.set_run_stage("r8", LifecycleStage.DELETED)


def _add(
    store: TrackingStore,
    run_id: str,
    experiment_id: str,
    name: str,
    start_time: int,
    user_id: str,
    status: RunStatus,
    end_time: int | None = None,
    *,
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    metrics: dict[str, list[float]] | None = None,
) -> None:
    new_run(store, experiment_id, run_id=run_id, run_name=name, user_id=user_id, start_time=start_time)
    series = {key: [(step, step, value) for step, value in enumerate(values)] for key, values in (metrics or {}).items()}
    log(store, run_id, series, params=params, tags=tags)
    store.update_run(run_id, status=status, end_time=end_time)


def _context(what: str) -> InputTag:
    return InputTag("mlflow.data.context", what)


_FILTERS = [
    ("", _EVERYTHING),
    # metrics: the latest value, NaN only differs, a missing key never matches
    ("metrics.loss < 2", ["r5", "r2"]),
    ("metrics.loss <= 1.0e0", ["r5", "r2"]),
    ("metrics.loss = 3", ["r1", "r7"]),
    ("metrics.loss != 3", ["r5", "r3", "r4", "r2"]),
    ("metrics.loss > 0", ["r4", "r2", "r1", "r7"]),
    ("metrics.loss >= 3", ["r4", "r1", "r7"]),
    ("metric.accuracy > 0.4", ["r6"]),
    ("metrics.nothing != 1", []),
    ("metrics.`eval/f1 score` = 0.25", ["r7"]),
    # statistics of a series
    ("metrics.loss.min = 2", ["r1"]),
    ("metrics.loss.max = 4", ["r1"]),
    ("metrics.loss.first = 4", ["r1"]),
    ("metrics.loss.last = 3", ["r1", "r7"]),
    ("metrics.loss.mean = 3", ["r1", "r7"]),
    ("metrics.loss.count = 3", ["r1"]),
    ("metrics.loss.count = 1", ["r5", "r3", "r4", "r2", "r7"]),
    # params and tags: text, exact in case but for ILIKE
    ("params.model = 'ridge'", ["r1"]),
    ("params.model != 'ridge'", ["r6", "r5", "r3", "r2"]),
    ("params.model = ''", ["r5"]),
    ("params.alpha = '0.1'", ["r1"]),
    ("params.model LIKE 'R%'", ["r3"]),
    ("params.model ILIKE 'r%'", ["r3", "r1"]),
    ("params.model LIKE '_idge'", ["r3", "r1"]),
    ("params.model LIKE 'idge'", []),
    ("params.model IN ('ridge', 'lasso')", ["r2", "r1"]),
    ("params.model NOT IN ('ridge', 'lasso')", ["r6", "r5", "r3"]),
    ("params.alpha IS NULL", ["r6", "r5", "r3", "r4", "r7"]),
    ("params.model IS NOT NULL", ["r6", "r5", "r3", "r2", "r1"]),
    ("tags.team = 'red'", ["r3", "r1"]),
    ("tags.team != 'red'", ["r6", "r5", "r2"]),
    ("tags.team IS NULL", ["r4", "r7"]),
    ("tags.note = '100%_done'", ["r3"]),
    ("tags.note LIKE '100%'", ["r3"]),
    ("tags.`mlflow.runName` = 'fig'", ["r6"]),
    # attributes
    ("attributes.status = 'FINISHED'", ["r6", "r2", "r1"]),
    ("status != 'FINISHED'", ["r5", "r3", "r4", "r7"]),
    ("user_id = 'ada'", ["r6", "r2", "r1"]),
    ("run_name LIKE '%a%'", ["r4", "r2", "r1", "r7"]),
    ("run_name ILIKE 'b%'", ["r2"]),
    ("run_name LIKE 'b%'", []),
    ("run_id IN ('r1', 'r7', 'zz')", ["r1", "r7"]),
    ("run_id NOT IN ('r1', 'r7')", ["r6", "r5", "r3", "r4", "r2"]),
    ("artifact_uri LIKE '%/r7/artifacts'", ["r7"]),
    ("start_time > 200 AND start_time <= 500", ["r5", "r3", "r4"]),
    ("start_time = 300", ["r3", "r4"]),
    ("end_time < 1000", ["r5", "r2"]),
    ("end_time != 1000", ["r6", "r5", "r3", "r2"]),
    # datasets: each comparison may match another dataset of the run
    ("datasets.name = 'wine'", ["r1", "r7"]),
    ("dataset.name = 'iris' AND dataset.context = 'eval'", ["r1"]),
    ("datasets.name != 'wine'", ["r1"]),
    ("datasets.digest IN ('d1')", ["r1"]),
    ("datasets.context LIKE 'train%'", ["r1", "r7"]),
    # logic: NOT of a comparison with a missing key is true
    ("tags.team = 'red' AND params.model = 'ridge'", ["r1"]),
    ("tags.team = 'red' OR metrics.accuracy > 0.4", ["r6", "r3", "r1"]),
    ("NOT tags.team = 'red'", ["r6", "r5", "r4", "r2", "r7"]),
    ("NOT (tags.team = 'red' OR tags.team IS NULL)", ["r6", "r5", "r2"]),
    ("(user_id = 'ada' OR user_id = 'bob') AND NOT metrics.loss > 2", ["r6", "r3", "r2"]),
    ("user_id = 'cy' OR user_id = 'ada' AND tags.team = 'blue'", ["r5", "r2"]),
]

_ORDERS = [
    ([], _EVERYTHING),
    # values, then NaN, then runs without the key, in both directions; ties by newest, then id
    (["metrics.loss"], ["r5", "r2", "r1", "r7", "r4", "r3", "r6"]),
    (["metrics.loss DESC"], ["r4", "r1", "r7", "r2", "r5", "r3", "r6"]),
    (["metrics.loss.min"], ["r5", "r2", "r1", "r7", "r4", "r3", "r6"]),
    (["metrics.loss.count DESC"], ["r1", "r5", "r3", "r4", "r2", "r7", "r6"]),
    (["params.model"], ["r5", "r3", "r6", "r2", "r1", "r4", "r7"]),
    (["params.model DESC"], ["r1", "r2", "r6", "r3", "r5", "r4", "r7"]),
    (["tags.team DESC"], ["r3", "r1", "r6", "r2", "r5", "r4", "r7"]),
    (["start_time ASC"], ["r7", "r1", "r2", "r3", "r4", "r5", "r6"]),
    (["attributes.end_time DESC"], ["r6", "r3", "r1", "r2", "r5", "r4", "r7"]),
    (["end_time"], ["r5", "r2", "r1", "r3", "r6", "r4", "r7"]),
    (["run_name"], ["r2", "r1", "r3", "r4", "r5", "r6", "r7"]),
    (["status", "metrics.loss DESC"], ["r3", "r1", "r2", "r6", "r5", "r4", "r7"]),
    (["user_id DESC", "run_id DESC"], ["r5", "r7", "r4", "r3", "r6", "r2", "r1"]),
    (["metrics.nothing"], _EVERYTHING),
]


def _search(store: TrackingStore, filter: str = "", order_by: list[str] | None = None, view: ViewType | None = None) -> list[str]:
    given: dict[str, Any] = {} if view is None else {"view": view}
    return [run.info.run_id for run in store.search_runs(query_runs(filter, order_by), experiment_ids=None, **given)]


class RunSearchTests(StoreKit):
    # every filter and order is asked of one population, since making it takes longer than asking

    def test_a_run_filter_finds_exactly_what_it_says(self, store: TrackingStore) -> None:
        populate(store)
        assert {filter: _search(store, filter) for filter, _ in _FILTERS} == dict(_FILTERS)

    def test_runs_come_in_the_order_asked_for(self, store: TrackingStore) -> None:
        populate(store)
        assert {", ".join(by): _search(store, "", by) for by, _ in _ORDERS} == {", ".join(by): expected for by, expected in _ORDERS}

    def test_a_metric_whose_name_ends_like_a_statistic_is_found_by_that_name(self, store: TrackingStore) -> None:
        for run_id, metrics in [("a", {"loss.min": [(0, 1, 7.0)], "loss": [(0, 1, 1.0)]}), ("b", {"loss": [(0, 1, 7.0)]})]:
            log(store, new_run(store, run_id=run_id, start_time=5).info.run_id, metrics)
        assert _search(store, "metrics.loss.min = 7") == ["a", "b"]
        assert _search(store, "metrics.loss.min = 1") == []

    def test_a_deleted_run_is_hidden_from_search_until_asked_for(self, store: TrackingStore) -> None:
        populate(store)
        assert _search(store, view=ViewType.ACTIVE_ONLY) == _EVERYTHING
        assert _search(store, view=ViewType.DELETED_ONLY) == ["r8"]
        assert _search(store, view=ViewType.ALL) == ["r8", *_EVERYTHING]
        assert _search(store, "metrics.loss = 0", view=ViewType.ALL) == ["r8"]

    def test_the_view_looks_at_the_run_and_not_at_its_experiment(self, store: TrackingStore) -> None:
        populate(store)
        store.set_experiment_stage("2", LifecycleStage.DELETED)
        store.set_run_stage("r7", LifecycleStage.ACTIVE)
        assert _search(store) == ["r5", "r3", "r4", "r2", "r1", "r7"]
        assert _search(store, view=ViewType.DELETED_ONLY) == ["r8", "r6"]

    @pytest.mark.parametrize(
        ("experiment_ids", "expected"),
        [
            (None, _EVERYTHING),
            (["1"], ["r5", "r3", "r4", "r2", "r1"]),
            (["2"], ["r6", "r7"]),
            (["2", "1", "2"], _EVERYTHING),
            (["0"], []),
            ([], []),
            (["77"], []),
            (["77", "2", "9" * 40], ["r6", "r7"]),
        ],
    )
    def test_a_search_looks_only_into_the_experiments_given(
        self, store: TrackingStore, experiment_ids: list[str] | None, expected: list[str]
    ) -> None:
        populate(store)
        assert [run.info.run_id for run in store.search_runs(query_runs(), experiment_ids=experiment_ids)] == expected

    def test_an_experiment_id_that_is_no_number_is_refused_in_a_search(self, store: TrackingStore) -> None:
        for bad in ("fruit", "", "-1", "1.5"):
            with pytest.raises(InvalidValue):
                store.search_runs(query_runs(), experiment_ids=["0", bad])

    def test_a_found_run_is_complete(self, store: TrackingStore) -> None:
        populate(store)
        assert list(store.search_runs(query_runs("run_id = 'r1'"), experiment_ids=None)) == [store.get_run("r1")]

    def test_runs_found_without_summaries_have_their_latest_points(self, store: TrackingStore) -> None:
        run_id = new_run(store).info.run_id
        log(
            store,
            run_id,
            {"loss": [(3, 7, 0.25), (1, 9, 0.5)], "acc": [(0, 1, math.nan)], "gain": [(2, 5, math.inf)]},
            params={"lr": "0.1"},
        )
        (whole,) = store.search_runs(query_runs(f"run_id = '{run_id}'"), experiment_ids=None)
        (found,) = store.search_runs(query_runs(f"run_id = '{run_id}'"), experiment_ids=None, summaries=False)
        assert (found.info, found.data.params, found.data.tags) == (whole.info, whole.data.params, whole.data.tags)
        assert {key: repr(value) for key, value in found.data.metrics.items()} == {"loss": "0.25", "acc": "nan", "gain": "inf"}
        latest = {key: (repr(one.last), one.last_step, one.last_timestamp) for key, one in found.data.summaries.items()}
        assert latest == {"loss": ("0.25", 3, 7), "acc": ("nan", 0, 1), "gain": ("inf", 2, 5)}
        assert to_plain(found) == to_plain(whole)

    def test_a_search_sees_what_was_written_before_it(self, store: TrackingStore) -> None:
        populate(store)
        log(store, "r6", {"loss": [(0, 1, 0.125)]}, tags={"team": "violet"})
        store.delete_run_tag("r1", "team")
        assert _search(store, "metrics.loss = 0.125 AND tags.team = 'violet'") == ["r6"]
        assert _search(store, "tags.team = 'red'") == ["r3"]
        assert _search(store, "tags.team = 'green'") == []

    # --- counting

    def test_a_count_is_the_number_of_runs_that_the_filter_finds(self, store: TrackingStore) -> None:
        populate(store)
        found = {filter: store.count_runs(query_runs(filter)) for filter, _ in _FILTERS}
        assert found == {filter: len(expected) for filter, expected in _FILTERS}

    def test_a_count_looks_into_the_experiments_and_view_given(self, store: TrackingStore) -> None:
        populate(store)
        assert store.count_runs(query_runs(), experiment_ids=["2"]) == 2
        assert store.count_runs(query_runs(), experiment_ids=[]) == 0
        assert store.count_runs(query_runs(), experiment_ids=["77", "1"]) == 5
        assert store.count_runs(query_runs(), view=ViewType.DELETED_ONLY) == 1
        assert store.count_runs(query_runs(), view=ViewType.ALL) == 8
        with pytest.raises(InvalidValue):
            store.count_runs(query_runs(), experiment_ids=["fruit"])

    # --- pages

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_pages_of_runs_hold_each_run_once_in_order(self, store: TrackingStore, limit: int) -> None:
        populate(store)
        for order_by, expected in _ORDERS:
            query = query_runs("", order_by)
            pages = all_pages(lambda token: store.search_runs(query, experiment_ids=None, limit=limit, page_token=token))  # noqa: B023
            assert [run.info.run_id for page in pages for run in page] == expected, order_by
            assert all(len(page) == limit for page in pages[:-1]), order_by
            assert pages[-1], order_by

    def test_a_last_page_that_is_just_full_has_no_token(self, store: TrackingStore) -> None:
        populate(store)
        assert store.search_runs(query_runs(), experiment_ids=None, limit=7).token is None
        first = store.search_runs(query_runs(), experiment_ids=["2"], limit=1)
        assert first.token is not None
        assert store.search_runs(query_runs(), experiment_ids=["2"], limit=1, page_token=first.token).token is None

    def test_the_page_size_may_change_from_page_to_page(self, store: TrackingStore) -> None:
        populate(store)
        first = store.search_runs(query_runs(), experiment_ids=None, limit=2)
        second = store.search_runs(query_runs(), experiment_ids=None, limit=4, page_token=first.token)
        third = store.search_runs(query_runs(), experiment_ids=None, limit=4, page_token=second.token)
        assert [[run.info.run_id for run in page] for page in (first, second, third)] == [["r6", "r5"], ["r3", "r4", "r2", "r1"], ["r7"]]

    def test_runs_made_between_pages_neither_repeat_nor_hide_others(self, store: TrackingStore) -> None:
        populate(store)
        first = store.search_runs(query_runs(), experiment_ids=None, limit=3)
        new_run(store, "1", run_id="newest", start_time=900)
        new_run(store, "1", run_id="oldest", start_time=1)
        rest = store.search_runs(query_runs(), experiment_ids=None, page_token=first.token)
        assert [run.info.run_id for run in [*first, *rest]] == [*_EVERYTHING, "oldest"]

    def test_a_run_deleted_between_pages_hides_no_other(self, store: TrackingStore) -> None:
        populate(store)
        first = store.search_runs(query_runs(), experiment_ids=None, limit=3)
        store.set_run_stage("r3", LifecycleStage.DELETED)
        store.set_run_stage("r6", LifecycleStage.DELETED)
        rest = store.search_runs(query_runs(), experiment_ids=None, page_token=first.token)
        assert [run.info.run_id for run in rest] == ["r4", "r2", "r1", "r7"]

    def test_a_run_search_refuses_foreign_tokens_and_page_sizes(self, store: TrackingStore) -> None:
        populate(store)
        for token in ("garbage", "MTIz", "-1", "eyJvZmZzZXQiOiAwfQ==", "é"):
            with pytest.raises(InvalidPageToken):
                store.search_runs(query_runs(), experiment_ids=None, page_token=token)
        for limit in (0, -1, 50_001):
            with pytest.raises(InvalidValue):
                store.search_runs(query_runs(), experiment_ids=None, limit=limit)

    def test_a_token_of_another_search_is_refused(self, store: TrackingStore) -> None:
        populate(store)
        token = store.search_runs(query_runs(), experiment_ids=["1"], limit=1).token
        assert token is not None
        with pytest.raises(InvalidPageToken):
            store.search_runs(query_runs("user_id = 'ada'"), experiment_ids=["1"], page_token=token)
        with pytest.raises(InvalidPageToken):
            store.search_runs(query_runs("", ["run_name"]), experiment_ids=["1"], page_token=token)
        with pytest.raises(InvalidPageToken):
            store.search_runs(query_runs(), experiment_ids=["2"], page_token=token)
        with pytest.raises(InvalidPageToken):
            store.search_runs(query_runs(), experiment_ids=["1"], view=ViewType.ALL, page_token=token)
        with pytest.raises(InvalidPageToken):
            store.metric_history("r1", "loss", page_token=token)
