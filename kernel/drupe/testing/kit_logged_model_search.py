"""The part of the tracking kit about searching logged models: filters, datasets, orders and pages."""

from __future__ import annotations

import math

import pytest

from drupe.entities import LoggedModelStatus, NewLoggedModel
from drupe.errors import InvalidPageToken, InvalidValue
from drupe.extend.tracking_store import TrackingStore
from drupe.search import ModelOrder, OnDataset, Query, parse_logged_models
from drupe.testing.kit import all_pages, new_run, query_logged_models, tick
from drupe.testing.kit_logged_models import LoggedModelTests, measured

__all__ = ["LoggedModelSearchTests"]


def _shelf(store: TrackingStore) -> dict[str, str]:
    """Five models by name, each made in a millisecond of its own, and a sixth in another experiment."""
    other = store.create_experiment("other").experiment_id
    for made in ("r1", "r2"):
        new_run(store, run_id=made)
    ids: dict[str, str] = {}
    rows: list[tuple[str, str, str | None, str | None, dict[str, str], dict[str, str]]] = [
        ("ant", "0", "tree", "r1", {"team": "red"}, {"depth": "3"}),
        ("bee", "0", "net", "r1", {"team": "blue"}, {"depth": "10"}),
        ("cat", "0", None, "r2", {"team": "Red"}, {}),
        ("dog", "0", "tree", None, {}, {"depth": ""}),
        ("eel", "0", "net", "r2", {"note": "100%"}, {"depth": "3"}),
        ("fox", other, "tree", "r1", {"team": "red"}, {"depth": "3"}),
    ]
    for name, experiment_id, kind, run_id, tags, params in rows:
        tick()
        ids[name] = store.create_logged_model(NewLoggedModel(experiment_id, None, name, kind, run_id, tags, params)).model_id
    measured(store, "r1", ids["ant"], "acc", (0, 1, 0.5))
    measured(store, "r1", ids["ant"], "acc", (0, 5, 0.9), dataset=("iris", "d1"))
    measured(store, "r2", ids["ant"], "acc", (0, 9, 0.1), dataset=("wine", "d1"))
    measured(store, "r1", ids["bee"], "acc", (0, 1, 0.7), dataset=("iris", "d2"))
    measured(store, "r2", ids["cat"], "acc", (0, 1, math.nan))
    measured(store, "r2", ids["eel"], "acc", (0, 1, math.inf))
    measured(store, "r2", ids["eel"], "val loss", (0, 1, 3.0), dataset=("iris", "d1"))
    measured(store, "r1", ids["fox"], "acc", (0, 1, 0.2))
    store.set_logged_model_status(ids["bee"], LoggedModelStatus.READY)
    return ids


_FILTERS = [
    ("", "edcba"),
    ("name = 'ant'", "a"),
    ("name LIKE '%e%'", "eb"),
    ("name ILIKE '_O_'", "d"),
    ("name IN ('ant', 'bee', 'zoo')", "ba"),
    ("model_type = 'tree'", "da"),
    ("model_type != 'tree'", "eb"),
    ("model_type IS NULL", "c"),
    ("status = 'READY'", "b"),
    ("attributes.source_run_id = 'r1'", "ba"),
    ("source_run_id IS NULL", "d"),
    ("experiment_id = '0'", "edcba"),
    ("experiment_id IN ('1', '7')", ""),
    ("creation_timestamp > 0 AND last_updated_time >= 5", "edcba"),
    ("tags.team = 'red'", "a"),
    ("tags.team ILIKE 'RED'", "ca"),
    ("tags.team != 'red'", "cb"),
    ("NOT tags.team = 'red'", "edcb"),
    ("tags.team IS NULL", "ed"),
    ("tags.note LIKE '%0%'", "e"),
    ("params.depth = '3'", "ea"),
    ("params.depth = ''", "d"),
    ("params.depth NOT IN ('3')", "db"),
    ("params.nothing = '1'", ""),
    ("metrics.acc > 0.6", "eba"),
    ("metrics.acc < 0.2", "a"),
    ("metrics.acc = 0.9", "a"),
    ("metrics.acc != 0.9", "ecba"),
    ("metrics.acc IS NULL", "d"),
    ("metrics.acc IS NOT NULL", "ecba"),
    ("NOT metrics.acc > 0.6", "dc"),
    ("metrics.acc <= inf", "eba"),
    ("metrics.nothing > 0", ""),
    ("metrics.`val loss` >= 3", "e"),
    ("metrics.acc > 0.6 AND params.depth = '3'", "ea"),
    ("name = 'ant' OR metrics.acc = inf", "ea"),
]

_ORDERS = [
    ([ModelOrder("name")], "abcde"),
    ([ModelOrder("creation_timestamp")], "abcde"),
    ([ModelOrder("last_updated_timestamp", False)], "bedca"),
    ([ModelOrder("model_type"), ModelOrder("name", False)], "ebdac"),
    ([ModelOrder("source_run_id", False)], "ecbad"),
    ([ModelOrder("metrics.acc")], "abecd"),  # of ant the one on wine, which is the latest
    ([ModelOrder("metrics.acc", False)], "ebacd"),
    ([ModelOrder("metrics.acc", False, "iris")], "abedc"),
    ([ModelOrder("metrics.acc", True, "iris", "d2")], "bedca"),
    ([ModelOrder("metrics.val loss"), ModelOrder("name")], "eabcd"),
    ([ModelOrder("metrics.nothing")], "edcba"),
]


def _names(store: TrackingStore, query: Query, experiment_ids: list[str] | None = None) -> list[str]:
    return [model.name for model in store.search_logged_models(query, experiment_ids=["0"] if experiment_ids is None else experiment_ids)]


class LoggedModelSearchTests(LoggedModelTests):
    # every filter and order is asked of one population, since making it takes longer than asking

    def test_a_filter_of_logged_models_finds_exactly_what_it_says(self, modelling: TrackingStore) -> None:
        _shelf(modelling)
        found = {filter: "".join(name[0] for name in _names(modelling, query_logged_models(filter))) for filter, _ in _FILTERS}
        assert found == dict(_FILTERS)

    @pytest.mark.parametrize(
        ("filter", "datasets", "found"),
        [
            ("metrics.acc > 0.6", [("iris", None)], "ba"),
            ("metrics.acc > 0.6", [("iris", "d1")], "a"),
            ("metrics.acc < 0.6", [("iris", "d1")], ""),
            ("metrics.acc < 0.6", [("iris", "d1"), ("wine", "d1")], "a"),
            ("", [("iris", "d1")], "ea"),
            ("", [("iris", None)], "eba"),
            ("params.depth = '3'", [("iris", None)], "ea"),
            ("", [("nothing", None)], ""),
        ],
    )
    def test_datasets_narrow_a_search_of_logged_models(
        self, modelling: TrackingStore, filter: str, datasets: list[tuple[str, str | None]], found: str
    ) -> None:
        _shelf(modelling)
        query = parse_logged_models(filter, datasets=[OnDataset(*one) for one in datasets])
        assert "".join(name[0] for name in _names(modelling, query)) == found

    def test_logged_models_come_in_the_order_asked_for_on_pages_of_any_size(self, modelling: TrackingStore) -> None:
        _shelf(modelling)
        for order, expected in _ORDERS:
            query = parse_logged_models(order_by=order)
            assert "".join(name[0] for name in _names(modelling, query)) == expected, order
            for limit in (1, 2, 5):
                pages = all_pages(lambda token: modelling.search_logged_models(query, experiment_ids=["0"], limit=limit, page_token=token))  # noqa: B023
                assert "".join(model.name[0] for page in pages for model in page) == expected, (order, limit)
                assert len(pages) == math.ceil(5 / limit), (order, limit)

    def test_logged_models_are_searched_in_the_experiments_given(self, modelling: TrackingStore) -> None:
        _shelf(modelling)
        query = query_logged_models()
        assert _names(modelling, query, ["1"]) == ["fox"]
        assert len(_names(modelling, query, ["0", "1", "99"])) == 6
        assert _names(modelling, query, []) == _names(modelling, query, ["99"]) == []
        assert len(modelling.search_logged_models(query, experiment_ids=None)) == 6
        with pytest.raises(InvalidValue):
            _names(modelling, query, ["zero"])

    def test_a_found_logged_model_is_complete(self, modelling: TrackingStore) -> None:
        ids = _shelf(modelling)
        for model in modelling.search_logged_models(query_logged_models(), experiment_ids=None):
            assert repr(model) == repr(modelling.get_logged_model(ids[model.name]))  # NaN equals nothing

    def test_logged_models_made_meanwhile_do_not_move_the_pages(self, modelling: TrackingStore) -> None:
        ids, query = _shelf(modelling), query_logged_models(None, ["metrics.acc DESC"])
        first = modelling.search_logged_models(query, experiment_ids=["0"], limit=2)
        new = modelling.create_logged_model(NewLoggedModel("0", name="new")).model_id
        measured(modelling, "r1", new, "acc", (0, 1, math.inf))
        modelling.delete_logged_model(ids["cat"])
        rest = modelling.search_logged_models(query, experiment_ids=["0"], limit=5, page_token=first.token)
        assert [model.name for model in (*first, *rest)] == ["eel", "bee", "ant", "dog"]

    def test_a_page_token_of_another_search_of_logged_models_is_refused(self, modelling: TrackingStore) -> None:
        _shelf(modelling)
        query = parse_logged_models(order_by=[ModelOrder("metrics.acc", True, "iris")])
        token = modelling.search_logged_models(query, experiment_ids=["0"], limit=2).token
        assert token
        others = [
            (query_logged_models("metrics.acc > 0"), ["0"]),
            (parse_logged_models(order_by=[ModelOrder("metrics.acc", True, "wine")]), ["0"]),
            (query, ["0", "1"]),
        ]
        for other, experiment_ids in others:
            with pytest.raises(InvalidPageToken):
                modelling.search_logged_models(other, experiment_ids=experiment_ids, page_token=token)
        with pytest.raises(InvalidPageToken):
            modelling.search_logged_models(query, experiment_ids=["0"], page_token="made up")

    @pytest.mark.parametrize("limit", [0, -1, 50_001, True])
    def test_a_page_of_logged_models_has_a_size_that_can_be(self, modelling: TrackingStore, limit: int) -> None:
        with pytest.raises(InvalidValue):
            modelling.search_logged_models(query_logged_models(), experiment_ids=["0"], limit=limit)
