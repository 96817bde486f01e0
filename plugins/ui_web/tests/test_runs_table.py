"""The runs table's requests: windows, orders, groups, pins, columns, what is refused, and files of the whole."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

from drupe.entities import NewRun
from drupe.errors import InvalidValue
from drupe.extend import ServedStore, WebRequest
from drupe.testing.memory import MemoryRegistryStore, MemoryTrackingStore
from drupe_ui_web import exporting
from drupe_ui_web.asked import Question
from drupe_ui_web.results import GROUPS_MAX, _grouped
from plugins.server_rest.tests.served import Served

from .conftest import Ui

ADAM, SGD = "adam", "sgd"
RUNS = (
    # name, optimizer, depth, loss points, start, end
    ("a", ADAM, "2", (0.5, 0.1, 0.3), 1000, 1500),
    ("b", SGD, "10", (0.9, 0.2), 2000, 5000),
    ("c", ADAM, "4", (0.7,), 3000, 3100),
    ("d", None, "4", (), 4000, None),
)


@pytest.fixture(scope="module")
def orchard(server: Served) -> dict[str, str]:
    """Four runs in experiment 1, and one in experiment 2; their ids by name."""
    for name in ("orchard", "meadow"):
        server.post("experiments/create", name=name)
    ids: dict[str, str] = {}
    for name, optimizer, depth, points, start, end in RUNS:
        made = server.post("runs/create", experiment_id="1", run_name=name, start_time=start)
        run_id = ids[name] = made["run"]["info"]["run_id"]
        params = [{"key": "depth", "value": depth}, {"key": "data", "value": "fruit"}]
        params += [{"key": "optimizer", "value": optimizer}] if optimizer else []
        metrics = [{"key": "loss", "value": value, "timestamp": 1, "step": step} for step, value in enumerate(points)]
        server.post("runs/log-batch", run_id=run_id, params=params, metrics=metrics, tags=[{"key": "big team", "value": "red 🍎"}])
        if end is not None:
            server.post("runs/update", run_id=run_id, status="FINISHED", end_time=end)
    ids["e"] = server.post("runs/create", experiment_id="2", run_name="e", start_time=9000)["run"]["info"]["run_id"]
    return ids


def names(answer: dict[str, object]) -> list[str]:
    return list(answer["attributes"]["run_name"])  # type: ignore[index]


def test_the_newest_come_first_with_columns_that_tell_them_apart(ui: Ui, orchard: dict[str, str]) -> None:
    answer = ui.post("runs", experiments=["1"])
    assert names(answer) == ["d", "c", "b", "a"]
    assert answer["ids"] == [orchard[name] for name in "dcba"]
    assert answer["picked"] == ["status", "start_time", "duration", "metrics.loss", "params.depth", "params.optimizer"]
    assert answer["columns"] == {
        "metrics.loss": [None, 0.7, 0.2, 0.3],
        "params.depth": ["4", "4", "10", "2"],
        "params.optimizer": [None, ADAM, SGD, ADAM],
    }
    assert answer["attributes"]["status"] == ["RUNNING", "FINISHED", "FINISHED", "FINISHED"]
    assert answer["attributes"]["end_time"] == [None, 3100, 5000, 1500]
    assert (answer["total"], answer["is_cut"], answer["pinned"]) == (4, False, 0)


def test_an_experiment_may_name_its_primary_metric(ui: Ui, server: Served, orchard: dict[str, str]) -> None:
    server.post("experiments/set-experiment-tag", experiment_id="2", key="mlflow.experiment.primaryMetric.name", value="auc.min")
    assert ui.post("runs", experiments=["2"])["picked"] == ["status", "start_time", "duration", "metrics.`auc.min`"]


def test_a_window_of_a_result_stays_what_it_was_and_tells_values_as_they_are(ui: Ui, server: Served, orchard: dict[str, str]) -> None:
    first = ui.post("runs", experiments=["2"], count=0)
    made = server.post("runs/create", experiment_id="2", run_name="later", start_time=9500)["run"]["info"]["run_id"]
    server.post("runs/update", run_id=orchard["e"], run_name="renamed")
    window = ui.post("runs", experiments=["2"], result=first["result"], columns=[])
    assert names(window) == ["renamed"]
    assert window["result"] == first["result"]
    now = ui.post("runs", experiments=["2"], columns=[], since=first["result"])
    assert names(now) == ["later", "renamed"]
    assert now["new"] == 1
    server.post("runs/delete", run_id=made)
    server.post("runs/update", run_id=orchard["e"], run_name="e")


def test_a_long_result_is_found_as_far_as_it_is_looked_at_and_stays_one(ui: Ui, server: Served) -> None:
    experiment = str(server.post("experiments/create", name="long")["experiment_id"])
    score = {}
    for n in range(130):
        run_id = server.post("runs/create", experiment_id=experiment, run_name=f"{n:03}", start_time=1000 + n)["run"]["info"]["run_id"]
        score[f"{n:03}"] = n * 37 % 130
        if n % 10:
            server.post("runs/log-metric", run_id=run_id, key="score", value=score[f"{n:03}"], timestamp=1, step=0)
    lacking = [f"{n:03}" for n in range(120, -1, -10)]
    expected = [*sorted(score.keys() - set(lacking), key=score.__getitem__, reverse=True), *lacking]
    asked = {"experiments": [experiment], "order": "metrics.score DESC", "columns": []}

    first = ui.post("runs", **asked, count=50)
    rest = [ui.post("runs", **asked, result=first["result"], offset=offset, count=50) for offset in (50, 100)]
    assert [one["result"] for one in rest] == [first["result"]] * 2
    assert [one["total"] for one in (first, *rest)] == [130] * 3
    assert [name for one in (first, *rest) for name in names(one)] == expected
    again = ui.post("runs", **asked, since=first["result"], count=50)
    assert (again["result"], again["new"], names(again)) == (first["result"], 0, expected[:50])

    begun = ui.post("runs", **asked | {"order": "metrics.score"}, count=50)
    assert begun["result"] != ui.post("runs", **asked | {"order": "metrics.score"}, count=50)["result"]  # their rest may differ
    made = server.post("runs/create", experiment_id=experiment, run_name="later", start_time=5000)["run"]["info"]["run_id"]
    server.post("runs/log-metric", run_id=made, key="score", value=1.5, timestamp=1, step=0)
    shown = ui.post("runs", **asked | {"order": "metrics.score"}, result=begun["result"], offset=0, count=50)
    assert (shown["result"], names(shown)) == (begun["result"], names(begun))
    further = ui.post("runs", **asked | {"order": "metrics.score"}, result=begun["result"], offset=50, count=50)
    assert further["result"] != begun["result"]
    assert further["total"] == 131
    assert len(ui.post("ids", **asked | {"order": "metrics.score"}, result=further["result"])["ids"]) == 131


def test_a_result_that_is_not_kept_is_asked_for_again(ui: Ui, orchard: dict[str, str]) -> None:
    answer = ui.post("runs", experiments=["1"], result="forgotten", offset=1, count=2, columns=["params.depth"])
    assert names(answer) == ["c", "b"]
    assert answer["result"] == ui.post("runs", experiments=["1"])["result"]  # the same runs in the same order, whoever asks
    assert answer["result"] != ui.post("runs", experiments=["1"], order="run_name")["result"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("metrics.loss", "bacd"),
        ("metrics.loss DESC", "cabd"),
        ("metrics.`loss`.min", "abcd"),
        ("metrics.`loss`.max DESC", "bcad"),
        ("params.depth", "adcb"),
        ("params.depth DESC", "bdca"),
        ("params.optimizer DESC", "bcad"),
        ("duration", "cabd"),
        ("run_name DESC", "dcba"),
    ],
)
def test_runs_are_sorted_params_as_numbers_and_missing_ones_last(ui: Ui, orchard: dict[str, str], order: str, expected: str) -> None:
    assert "".join(names(ui.post("runs", experiments=["1"], order=order))) == expected


def test_a_filter_and_experiments_decide_which_runs(ui: Ui, orchard: dict[str, str]) -> None:
    assert names(ui.post("runs", experiments=["1"], filter="params.optimizer = 'adam'")) == ["c", "a"]
    assert names(ui.post("runs", experiments=["1", "2"], filter="metrics.loss < 0.5 OR run_name = 'e'")) == ["e", "b", "a"]
    assert ui.post("runs", experiments=["1", "2"])["picked"][0] == "experiment"


def test_pinned_runs_stand_in_front_whatever_is_filtered(ui: Ui, orchard: dict[str, str]) -> None:
    answer = ui.post(
        "runs", experiments=["1"], filter="params.optimizer = 'adam'", pinned=[orchard["b"], "gone", orchard["a"], orchard["e"]]
    )
    assert names(answer) == ["b", "a", "c"]
    assert answer["pinned"] == 2


def test_groups_tell_means_deviations_and_what_their_runs_have_in_common(ui: Ui, orchard: dict[str, str]) -> None:
    asked = {"experiments": ["1"], "group": "params.optimizer", "order": "metrics.loss DESC"}
    answer = ui.post("runs", **asked)
    assert answer["groups"] == {"values": [ADAM, SGD, None], "counts": [2, 1, 1]}
    assert names(answer) == ["c", "a", "b", "d"]
    figures = ui.post("groups", **asked, result=answer["result"], columns=["metrics.loss", "params.depth", "params.data", "status"])
    loss = figures["columns"]["metrics.loss"]
    assert loss["n"] == [2, 1, 0]
    assert loss["mean"] == [pytest.approx(0.5), 0.2, None]
    assert loss["std"] == [pytest.approx(math.sqrt(0.08)), None, None]
    assert figures["columns"]["params.depth"] == {"same": [None, "10", "4"], "n": [2, 1, 1]}
    assert figures["columns"]["params.data"] == {"same": ["fruit", "fruit", "fruit"], "n": [1, 1, 1]}


def test_values_that_json_has_no_word_for_are_texts_and_long_ones_are_cut(ui: Ui, server: Served) -> None:
    run_id = server.new_run("0")
    metrics = [{"key": key, "value": value, "timestamp": 1, "step": 0} for key, value in (("n", "NaN"), ("i", "-Infinity"))]
    server.post("runs/log-batch", run_id=run_id, metrics=metrics, params=[{"key": "p", "value": "x" * 400}])
    columns = ui.post("runs", experiments=["0"], columns=["metrics.n", "metrics.i", "params.p"])["columns"]
    assert columns["metrics.n"] == ["NaN"]
    assert columns["metrics.i"] == ["-Infinity"]
    assert columns["params.p"] == ["x" * 249 + "…"]


def test_all_columns_are_named_when_asked_for(ui: Ui, orchard: dict[str, str]) -> None:
    picked = ui.post("runs", experiments=["1"], columns="all", count=1)["picked"]
    assert picked[:4] == ["status", "start_time", "duration", "metrics.loss"]
    assert {"params.data", "tags.`big team`"} <= set(picked)
    assert not any("mlflow." in name for name in picked)


def test_keys_and_values_help_to_write_a_filter(ui: Ui, orchard: dict[str, str]) -> None:
    keys = ui.post("keys", experiments=["1"])
    assert keys["metrics"] == [["loss", "metrics.loss", 3, None]]
    assert ["data", "params.data", 4, False] in keys["params"]
    assert ["depth", "params.depth", 4, True] in keys["params"]
    assert "start_time" in keys["attributes"]
    assert ui.post("values", experiments=["1"], name="params.optimizer")["values"] == [[ADAM, 2], [SGD, 1]]


def test_a_check_points_at_what_cannot_be_read(ui: Ui) -> None:
    assert ui.post("check", filter="metrics.loss < 1") == {"is_right": True}
    assert ui.post("check", filter="") == {"is_right": True}
    wrong = ui.post("check", filter="tags.a = '🍎' AND metrics.loss < 'x'")
    assert (wrong["is_right"], wrong["position"], wrong["width"]) == (False, 32, 3)
    assert "metrics.loss" in wrong["message"]


def test_ids_of_any_part_of_a_result_can_be_had(ui: Ui, orchard: dict[str, str]) -> None:
    result = ui.post("runs", experiments=["1"])["result"]
    assert ui.post("ids", experiments=["1"], result=result, offset=1, count=2)["ids"] == [orchard["c"], orchard["b"]]
    assert len(ui.post("ids", experiments=["1"])["ids"]) == 4


@pytest.mark.parametrize(
    "form",
    [
        {"experiments": []},
        {"experiments": "1"},
        {"experiments": ["fruit"]},
        {"experiments": ["1"], "view": "sideways"},
        {"experiments": ["1"], "filter": "metrics.loss <"},
        {"experiments": ["1"], "filter": 3},
        {"experiments": ["1"], "order": "metrics.loss SIDEWAYS"},
        {"experiments": ["1"], "columns": ["fruit"]},
        {"experiments": ["1"], "columns": ["params.a DESC"]},
        {"experiments": ["1"], "columns": {"a": 1}},
        {"experiments": ["1"], "columns": [f"params.p{n}" for n in range(201)]},
        {"experiments": ["1"], "offset": -1},
        {"experiments": ["1"], "count": 501},
        {"experiments": ["1"], "count": True},
        {"experiments": ["1"], "group": "fruit"},
        {"experiments": ["1"], "pinned": [1]},
    ],
)
def test_questions_that_make_no_sense_are_refused(ui: Ui, form: dict[str, object]) -> None:
    assert ui.send("runs", **form).error == "INVALID_PARAMETER_VALUE"


def test_too_many_groups_are_refused_with_what_would_work() -> None:
    with pytest.raises(InvalidValue, match="Group by something that more runs have in common"):
        _grouped(range(GROUPS_MAX + 1), [str(n) for n in range(GROUPS_MAX + 1)], Question(("1",), group="params.seed"))


def exported(ui: Ui, kind: str, **question: object) -> bytes:
    reply = ui.ask("export", **{"as": kind, "of": json.dumps(question)})
    assert reply.status == 200, reply
    assert "attachment" in reply.headers["content-disposition"]
    return reply.body


def test_the_whole_result_is_a_csv_file_in_its_order(ui: Ui, server: Served, orchard: dict[str, str]) -> None:
    server.post("runs/set-tag", run_id=orchard["a"], key="formula", value="=1+1")
    body = exported(ui, "csv", experiments=["1"], order="params.depth", columns=["status", "metrics.loss", "params.depth", "tags.formula"])
    rows = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
    assert [row["run_name"] for row in rows] == ["a", "d", "c", "b"]
    assert rows[0]["metrics.loss"] == "0.3"
    assert rows[0]["start_time"] == "1970-01-01T00:00:01.000+00:00"
    assert rows[0]["tags.formula"] == "'=1+1"
    assert rows[1]["end_time"] == ""
    server.post("runs/delete-tag", run_id=orchard["a"], key="formula")


def test_the_whole_result_is_a_parquet_file_with_types(ui: Ui, orchard: dict[str, str]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    body = exported(ui, "parquet", experiments=["1"], group="params.optimizer", columns=["metrics.loss", "params.depth"])
    table = parquet.read_table(io.BytesIO(body))
    assert table.column("run_name").to_pylist() == ["d", "c", "a", "b"]
    assert table.column("metrics.loss").to_pylist() == [None, 0.7, 0.3, 0.2]
    assert str(table.schema.field("start_time").type) == "timestamp[ms, tz=UTC]"


def test_a_file_of_another_kind_is_refused(ui: Ui) -> None:
    assert ui.refused("export", **{"as": "xlsx", "of": '{"experiments":["1"]}'}) == "INVALID_PARAMETER_VALUE"
    assert ui.refused("export", of="[") == "INVALID_PARAMETER_VALUE"


def test_a_file_is_sent_in_parts_each_made_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "BLOCK", 2)
    store = MemoryTrackingStore()
    for n in range(5):
        store.create_run(NewRun("0", run_name=f"r{n}", start_time=n))
    served = ServedStore(store, MemoryRegistryStore(), lambda uri: NotImplemented, lambda kind, **ids: None)
    reply = exporting.Exporting(served).export(WebRequest("GET", query={"of": '{"experiments":["0"]}'}))
    assert reply.parts is not None
    parts = [part.decode().splitlines() for part in reply.parts]
    assert [len(part) for part in parts] == [3, 2, 1, 0]
    assert [line.split(",")[1] for part in parts for line in part] == ["run_name", "r4", "r3", "r2", "r1", "r0"]


def test_a_file_of_nothing_has_its_head() -> None:
    served = ServedStore(MemoryTrackingStore(), MemoryRegistryStore(), lambda uri: NotImplemented, lambda kind, **ids: None)
    reply = exporting.Exporting(served).export(WebRequest("GET", query={"of": '{"experiments":["0"]}'}))
    assert b"".join(reply.parts or ()).startswith(b"run_id,run_name,status")
