"""The whole grammar on a real MLflow server: what it does not know is looked at by the client, and every filter finds what it says."""

from __future__ import annotations

import math

import pytest

import drupe
from drupe.entities import Dataset, DatasetInput, InputTag, LogBatch, NewRun, Points, RunStatus, ViewType
from drupe.errors import InvalidPageToken, UnsupportedFeature
from drupe.extend import TrackingStore
from drupe.search import Kind, parse
from drupe.search.match import find
from drupe.tracking.address import tracking_store
from tests.mlflow_peer.conftest import Peer

# NaN is left out here: releases before 3 compare it as 0, which README says
ROWS = [
    ("ant", {"loss": 0.5, "loss.min": 0.1}, {"depth": "3", "note": "it's"}, {"team": "red"}, RunStatus.FINISHED),
    ("bee", {"loss": 0.25, "a b/c": -1e-9}, {"depth": "10"}, {"team": "Red"}, RunStatus.FAILED),
    ("cat", {"loss": math.inf}, {"depth": ""}, {}, RunStatus.RUNNING),
    ("dog", {"loss": 1e20, "acc": 0.0}, {}, {"team": "blue", "odd key.x": "100%"}, RunStatus.FINISHED),
    ("eel", {}, {"depth": "3"}, {"team": "red"}, RunStatus.KILLED),
]
FILTERS = [
    "",
    "metrics.loss < 0.5",
    "metrics.loss >= 0.25 AND metrics.loss < 1e20",
    "metrics.loss = inf",
    "metrics.loss.min = 0.1",
    "metrics.`a b/c` < 0",
    "metrics.acc = 0",
    "metrics.loss IS NULL",
    "metrics.loss IN (0.5, 0.25)",
    "params.depth = '3'",
    "params.depth != '3'",
    "params.depth = ''",
    "params.depth IS NULL",
    "params.depth IN ('3', '10') AND status != 'KILLED'",
    'params.note = "it\'s"',
    "tags.team ILIKE 'RED'",
    "tags.team LIKE 'r%'",
    "tags.`odd key.x` LIKE '%!%%' OR run_name = 'eel'",
    "NOT tags.team = 'red'",
    "tags.team IS NOT NULL AND NOT (status = 'FINISHED' OR metrics.loss < 0.3)",
    "run_name LIKE '%a%'",
    "status IN ('FAILED', 'KILLED')",
    "start_time > 2000 AND start_time <= 4000",
    "end_time IS NULL",
    "user_id = 'ada'",
    "datasets.name = 'iris'",
    "datasets.context = 'training' AND datasets.digest IN ('d1', 'd2')",
    "artifact_uri LIKE 'mlflow-artifacts:%'",
]
ORDERS = [
    ["metrics.loss"],
    ["metrics.loss DESC", "run_name"],
    ["params.depth DESC", "start_time"],
    ["tags.team", "run_name DESC"],
    ["status", "end_time DESC"],
    ["run_id"],
]


@pytest.fixture
def herd(here: str) -> tuple[TrackingStore, str]:
    """The store, and the experiment of five runs."""
    store = tracking_store()
    experiment_id = drupe.get_experiment_by_name(here).experiment_id  # type: ignore[union-attr]
    for number, (name, metrics, params, tags, status) in enumerate(ROWS):
        run = store.create_run(
            NewRun(experiment_id, run_name=name, user_id="ada" if number else "bob", start_time=1000 * number, tags=tags)
        )
        columns = {key: Points.of([(0, 1, 9.0), (1, 2, value)]) for key, value in metrics.items()}
        store.log_batch(run.info.run_id, LogBatch(columns, params))
        if number < 2:
            tag = InputTag("mlflow.data.context", "training" if number else "testing")
            store.log_inputs(run.info.run_id, [DatasetInput(Dataset("iris", f"d{number + 1}"), (tag,))])
        if status is not RunStatus.RUNNING:
            store.update_run(run.info.run_id, status=status, end_time=9000 - number)
    return store, experiment_id


def test_every_filter_and_order_finds_what_it_says_on_pages_of_any_size(herd: tuple[TrackingStore, str]) -> None:
    store, experiment_id = herd
    everything = list(store.search_runs(parse(Kind.RUNS), experiment_ids=[experiment_id]))
    assert [run.info.run_name for run in everything] == ["eel", "dog", "cat", "bee", "ant"]
    wrong = []
    for filter, order in [
        *((text, None) for text in FILTERS),
        *(("", keys) for keys in ORDERS),
        ("NOT run_name = 'cat'", ["metrics.loss"]),
    ]:
        query = parse(Kind.RUNS, filter, order)
        expected = [run.info.run_name for run in find(query, everything)]
        for limit in (2,) if order or "OR" in filter else (1000,):
            found, token = [], None
            while True:
                page = store.search_runs(query, experiment_ids=[experiment_id], limit=limit, page_token=token)
                found += [run.info.run_name for run in page]
                token = page.token
                if token is None:
                    break
            if found != expected:
                wrong.append((filter, order, limit, found, expected))
    assert wrong == []


def test_what_no_page_of_the_server_tells_is_refused(herd: tuple[TrackingStore, str]) -> None:
    store, experiment_id = herd
    with pytest.raises(UnsupportedFeature, match="min"):
        store.search_runs(parse(Kind.RUNS, "metrics.`loss`.min < 1"), experiment_ids=[experiment_id])
    first = store.search_runs(parse(Kind.RUNS), experiment_ids=[experiment_id], limit=2)
    for token in ("garbage", first.token):
        with pytest.raises(InvalidPageToken):
            store.search_runs(parse(Kind.RUNS, "run_name = 'ant'"), experiment_ids=[experiment_id], page_token=token)


def test_experiments_are_found_by_name_tag_and_id_in_any_view(peer: Peer, here: str) -> None:
    store = tracking_store()
    made = [store.create_experiment(f"{here} {name}", tags={"kind": name}) for name in ("ant", "bee", "cat")]
    store.set_experiment_stage(made[2].experiment_id, drupe.entities.LifecycleStage.DELETED)
    store.set_experiment_tags(made[0].experiment_id, {"extra": "1"})
    store.rename_experiment(made[1].experiment_id, f"{here} bee 2")

    def names(filter: str, view: ViewType = ViewType.ACTIVE_ONLY) -> list[str]:
        found = store.search_experiments(parse(Kind.EXPERIMENTS, filter, ["name"]), view=view)
        return [one.name.removeprefix(here).strip() for one in found if one.name.startswith(f"{here} ")]

    assert names(f"name LIKE '{here} %'") == ["ant", "bee 2"]
    assert names(f"name LIKE '{here} %'", ViewType.ALL) == ["ant", "bee 2", "cat"]
    assert names(f"experiment_id IN ('{made[0].experiment_id}', '{made[2].experiment_id}')", ViewType.ALL) == ["ant", "cat"]
    assert names(f"tags.kind = 'ant' AND name ILIKE '{here.upper()}%'") == ["ant"]
    assert names("tags.extra IS NULL AND tags.kind IS NOT NULL") == ["bee 2"]
    if peer.is_3:
        store.delete_experiment_tag(made[0].experiment_id, "extra")
        assert names("tags.extra = '1'") == []
