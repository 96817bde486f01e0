"""What the page of a run is told: the run with its summaries, its signs of life, its neighbours; and its console log piece by piece."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

from plugins.ui_web.tests.conftest import Ui


def test_a_run_comes_with_summaries_and_its_experiment(ui: Ui) -> None:
    run = ui.server.new_run(run_name="first")
    for step, value in enumerate([3.0, 1.0, 2.0]):
        ui.server.post("runs/log-metric", run_id=run, key="loss", value=value, timestamp=step, step=step)
    told = ui.get("run", run_id=run)
    assert told["run"]["info"]["run_name"] == "first"
    loss = told["run"]["data"]["summaries"]["loss"]
    assert (loss["first"], loss["min"], loss["max"], loss["last"], loss["count"]) == (3.0, 1.0, 3.0, 2.0, 3)
    assert told["experiment"] == {"experiment_id": "0", "name": "Default", "lifecycle_stage": "active"}
    assert (told["parent"], told["nested"], told["life"], told["crash"]) == (None, [], None, None)


def test_where_the_server_keeps_files_is_not_told(ui: Ui) -> None:
    run = ui.server.new_run()
    assert ui.get("run", run_id=run)["run"]["info"]["artifact_uri"] == f"mlflow-artifacts:/0/{run}/artifacts"


def test_nested_runs_and_their_parent_know_each_other(ui: Ui) -> None:
    outer = ui.server.new_run(run_name="outer")
    inner = ui.server.new_run(run_name="inner", tags=[{"key": "mlflow.parentRunId", "value": outer}])
    assert [one["run_id"] for one in ui.get("run", run_id=outer)["nested"]] == [inner]
    assert ui.get("run", run_id=inner)["parent"]["name"] == "outer"


def test_a_parent_that_is_gone_is_named_by_its_id(ui: Ui) -> None:
    run = ui.server.new_run(tags=[{"key": "mlflow.parentRunId", "value": "a" * 32}])
    assert ui.get("run", run_id=run)["parent"] == {"run_id": "a" * 32, "name": "", "status": "", "start_time": None, "end_time": None}


def test_a_running_run_tells_its_last_sign_of_life(ui: Ui) -> None:
    run = ui.server.new_run()
    beat = {
        "run_id": run,
        "writer": "w",
        "at_ms": time.time_ns() // 10**6 - 4000,
        "interval_ms": 10_000,
        "host": "elsewhere",
        "pid": 7,
        "boot_id": "b",
    }
    reply = ui.server.ask("POST", "/api/2.0/drupe/beat", json.dumps({"beats": [beat]}).encode(), Content_Type="application/json")
    assert reply.status == 200, reply
    told = ui.get("run", run_id=run)
    assert (told["life"]["life"], told["life"]["host"], told["life"]["pid"]) == ("alive", "elsewhere", 7)
    assert 4000 <= told["now"] - told["life"]["at"] < 60_000
    ui.server.post("runs/update", run_id=run, status="FINISHED", end_time=5)
    assert ui.get("run", run_id=run)["life"] is None


def test_an_unknown_run_is_not_found(ui: Ui) -> None:
    for what in ("run", "log"):
        assert ui.refused(what, run_id="0" * 32) == "RESOURCE_DOES_NOT_EXIST"
        assert ui.refused(what) == "INVALID_PARAMETER_VALUE"


def line(text: str, second: int = 0) -> bytes:
    return f"2026-11-26T14:03:{second:02}.123Z stdout F {text}\n".encode()


def test_the_log_is_read_piece_by_piece(ui: Ui) -> None:
    run = ui.server.new_run()
    assert ui.get("log", run_id=run)["lines"] == []
    ui.put(run, "logs/console.0001.log", line("one") + line("two", 1) + b"2026-11-26T14:03:02")
    first = ui.get("log", run_id=run)
    assert [one[3] for one in first["lines"]] == ["one", "two"]
    assert (first["is_cut"], first["has_more"], first["is_over"]) == (False, False, False)
    ui.put(run, "logs/console.0001.log", line("one") + line("two", 1) + line("three", 2))
    ui.put(run, "logs/console.0002.log", line("four", 3))
    more = ui.get("log", run_id=run, position=quote(first["position"], safe=":;.-"))
    assert [one[3] for one in more["lines"]] == ["three", "four"]
    assert ui.get("log", run_id=run, position=more["position"])["lines"] == []
    ui.server.post("runs/update", run_id=run, status="FINISHED", end_time=5)
    assert ui.get("log", run_id=run, position=more["position"])["is_over"] is True


def test_of_a_long_log_the_last_part_comes_first(ui: Ui) -> None:
    run = ui.server.new_run()
    ui.put(run, "logs/console.0001.log", b"".join(line(f"{n} {'x' * 1000}", n % 60) for n in range(1000)))
    told = ui.get("log", run_id=run)
    assert told["is_cut"] is True
    assert told["lines"][-1][3].startswith("999 ")
    assert 400 < len(told["lines"]) < 600


def test_a_position_that_no_answer_told_is_refused(ui: Ui) -> None:
    run = ui.server.new_run()
    for position in ("x", "../../etc/passwd:3", "console.0001.log:-4", "console.0001.log:99999999999999999999"):
        assert ui.refused("log", run_id=run, position=position) == "INVALID_PARAMETER_VALUE"


def test_a_log_that_grows_by_more_than_a_piece_says_so_until_all_of_it_was_told(ui: Ui) -> None:
    run = ui.server.new_run()
    ui.put(run, "logs/console.0001.log", line("begin"))
    told = ui.get("log", run_id=run)
    grown = b"".join(line(f"{n} {'x' * 1000}", n % 60) for n in range(3000))
    ui.put(run, "logs/console.0001.log", line("begin") + grown)
    ui.put(run, "logs/console.0002.log", line("end"))
    texts: list[str] = []
    for has_more in (True, False):
        told = ui.get("log", run_id=run, position=told["position"])
        assert told["has_more"] is has_more
        texts += [one[3] for one in told["lines"]]
    assert sorted(text.split(" ")[0] for text in texts) == sorted([*map(str, range(3000)), "end"])


def test_a_line_longer_than_any_that_is_written_does_not_hold_up_the_log(ui: Ui) -> None:
    run = ui.server.new_run()
    ui.put(run, "logs/console.0001.log", line("begin"))
    told = ui.get("log", run_id=run)
    ui.put(run, "logs/console.0001.log", line("begin") + line("y" * (2 << 20)) + line("end"))
    assert ui.get("log", run_id=run, position=told["position"])["has_more"] is True
    told = ui.get("log", run_id=run, position=ui.get("log", run_id=run, position=told["position"])["position"])
    assert [one[3] for one in told["lines"]] == ["end"]
