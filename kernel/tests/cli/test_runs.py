"""`drupe runs` through the real root, on the embedded store: listing, finding, changing."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from drupe.client import Client
from drupe.entities import RunStatus
from drupe.tracking.crashes import Crash

NOW = 1_700_000_000_000


def test_list_shows_identity_metrics_and_the_params_that_differ(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "list")
    assert told.lines[0].split() == ["ID", "NAME", "EXPERIMENT", "STATUS", "STARTED", "DURATION", "auc", "loss", "lr"]
    newest = told.lines[2]
    assert newest.startswith(three_runs[2][:8])
    assert "other" in newest
    assert "flights" in newest
    assert "2 min 05 s" in newest
    assert newest.split()[-3:] == ["0.925", "0.878095", "0.01"]


def test_a_narrow_terminal_keeps_what_matters_and_names_the_rest(
    drupe_cli: Any, three_runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    told = drupe_cli("runs", "list")
    assert max(len(line) for line in told.lines[:5]) <= 72
    assert told.lines[0].split()[-2:] == ["auc", "loss"]
    assert told.lines[-1] == "no room for DURATION, lr: widen the terminal, or use --output csv"


def test_list_filters_orders_and_picks_columns(drupe_cli: Any, three_runs: list[str]) -> None:
    words = (
        "runs",
        "list",
        "--filter",
        "metrics.auc > 0.8 OR params.lr = '0.1'",
        "--order-by",
        "metrics.auc ASC",
        "-c",
        "name,metrics.loss.min,params.lr",
    )
    told = drupe_cli(*words)
    assert told.lines[0].split() == ["NAME", "loss.min", "lr"]
    assert [line.split()[0] for line in told.lines[2:]] == ["baseline", "deeper", "other"]
    told = drupe_cli(*words, "--output", "csv")
    assert told.lines[0] == "run_name,metrics.loss.min,params.lr"
    assert told.lines[1].startswith("baseline,0.2725")


def test_an_experiment_narrows_the_list(drupe_cli: Any, three_runs: list[str]) -> None:
    assert {line.split()[1] for line in drupe_cli("runs", "list", "-e", "churn").lines[2:]} == {"baseline", "deeper"}
    assert [line.split()[1] for line in drupe_cli("runs", "list", "--experiment-id", "2").lines[2:]] == ["other"]


def test_json_is_a_stream_of_mlflows_run_forms(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "list", "--json")
    assert len(told.lines) == 3 + 2
    newest = json.loads(told.out)[0]
    assert newest["info"]["run_id"] == three_runs[2]
    assert {"key": "auc", "value": 0.925, "timestamp": 1_700_000_170_000, "step": 0} in newest["data"]["metrics"]
    assert newest["data"]["summaries"]["loss"]["count"] == 40


def test_csv_has_every_key_of_every_run(drupe_cli: Any, three_runs: list[str], store: Client) -> None:
    store.log_param(three_runs[0], "only here", "1")
    rows = list(csv.DictReader(io.StringIO(drupe_cli("runs", "list", "--output", "csv").out)))
    assert [row["run_name"] for row in rows] == ["other", "deeper", "baseline"]
    assert [row["params.only here"] for row in rows] == ["", "", "1"]
    assert rows[0]["metrics.auc"] == "0.925"
    assert rows[0]["duration_s"] == "125.0"
    assert rows[0]["start_time"] == "2023-11-14T22:15:20.000Z"


def test_long_lists_are_read_page_by_page(drupe_cli: Any, three_runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe.cli.nouns.PAGE", 2)
    assert len(json.loads(drupe_cli("runs", "list", "--json").out)) == 3
    assert len(drupe_cli("runs", "list", "--output", "csv").lines) == 4


def test_an_unknown_column_gets_the_nearest(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "list", "-c", "statu")
    assert (told.code, told.out) == (1, "")
    assert "did you mean status?" in told.err


def test_a_filter_with_a_fault_shows_the_caret_below_it(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "list", "--filter", "metrics.loss < 0.1 AND statsu = 'x'")
    assert told.code == 1
    message, text, caret = told.err.splitlines()[:3]
    assert "(DRP-0105)" in message
    assert text == "  metrics.loss < 0.1 AND statsu = 'x'"
    assert caret == "  " + " " * len("metrics.loss < 0.1 AND ") + "^" * len("statsu")


def test_show_tells_everything_about_a_run(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "show", "baseline")
    assert f"id          {three_runs[0]}" in told.lines
    assert "experiment  churn (id 1)" in told.lines
    assert "user        ada" in told.lines
    loss = next(line for line in told.lines if line.startswith("loss"))
    assert "▁" in loss
    assert loss.split()[1:3] == ["0.272532", "39"]
    assert "mlflow.user" not in told.out
    assert "mlflow.user" in drupe_cli("runs", "show", "baseline", "--all").out


def test_show_as_json_is_one_run_form(drupe_cli: Any, three_runs: list[str]) -> None:
    assert json.loads(drupe_cli("runs", "describe", "--run-id", three_runs[0], "--json").out)["info"]["run_name"] == "baseline"


@pytest.mark.parametrize("length", [4, 8, 31, 32])
def test_a_run_is_found_by_the_start_of_its_id(drupe_cli: Any, three_runs: list[str], length: int) -> None:
    assert json.loads(drupe_cli("runs", "show", three_runs[1][:length], "--json").out)["info"]["run_id"] == three_runs[1]


def test_fewer_than_four_characters_are_no_start_of_an_id(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "show", three_runs[1][:3])
    assert told.code == 1
    assert "at least 4 characters" in told.err


def test_an_ambiguous_name_lists_the_runs_that_could_be_meant(drupe_cli: Any, three_runs: list[str]) -> None:
    drupe_cli("runs", "rename", "deeper", "baseline")
    told = drupe_cli("runs", "show", "baseline")
    assert told.code == 1
    assert "'baseline' could be any of these runs" in told.err
    assert three_runs[0] in told.err
    assert three_runs[1] in told.err
    assert "in churn, finished" in told.err


def test_a_deleted_run_gives_way_to_one_in_use_of_the_same_name(drupe_cli: Any, three_runs: list[str]) -> None:
    drupe_cli("runs", "delete", "deeper", "--yes")
    drupe_cli("runs", "rename", "other", "deeper")
    assert json.loads(drupe_cli("runs", "show", "deeper", "--json").out)["info"]["run_id"] == three_runs[2]
    assert drupe_cli("runs", "restore", "deeper").err == f"restored run 'deeper' ({three_runs[1][:8]})\n"


def test_an_underscore_in_a_prefix_is_no_wildcard(drupe_cli: Any, store: Client) -> None:
    from drupe.entities import NewRun

    for run_id in ("ab_d1", "abcd2"):
        store.store.create_run(NewRun("0", run_id=run_id, run_name=f"run {run_id}"))
    assert json.loads(drupe_cli("runs", "show", "ab_d", "--json").out)["info"]["run_id"] == "ab_d1"


def test_delete_asks_and_several_runs_go_at_once(drupe_cli: Any, three_runs: list[str]) -> None:
    assert drupe_cli("runs", "delete", "baseline", "other", stdin="n\n").code == 130
    assert len(drupe_cli("runs", "list", "--json").lines) == 5
    told = drupe_cli("runs", "delete", "baseline", "other", "--yes")
    assert told.err == f"deleted 2 runs (baseline, other); to undo: drupe runs restore {three_runs[0][:8]} {three_runs[2][:8]}\n"
    assert [run["info"]["run_name"] for run in json.loads(drupe_cli("runs", "list", "--json").out)] == ["deeper"]


def test_runs_move_to_another_experiment_together(drupe_cli: Any, store: Client, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "move", "baseline", three_runs[1][:8], "--experiment", "flights", "--json")
    flights = store.get_experiment_by_name("flights").experiment_id
    assert json.loads(told.out) == {"experiment_id": flights, "experiment": "flights", "runs": three_runs[:2], "moved": three_runs[:2]}
    assert len(json.loads(drupe_cli("runs", "list", "-e", "flights", "--filter", "metrics.loss >= 0", "--json").out)) == 3
    assert drupe_cli("runs", "move", "other", "-e", "flights").err == "nothing to do: the run is in 'flights' already\n"
    assert drupe_cli("runs", "move", "other", "-e", "churn").err == f"moved run 'other' ({three_runs[2][:8]}) to 'churn'\n"


def test_a_move_to_nowhere_moves_nothing(drupe_cli: Any, store: Client, three_runs: list[str]) -> None:
    assert drupe_cli("runs", "move", "baseline", "-e", "nowhere").code == 1
    store.delete_experiment(store.get_experiment_by_name("flights").experiment_id)
    told = drupe_cli("runs", "move", "baseline", "-e", "flights")
    assert told.code == 1
    assert "is deleted; restore it first" in told.err
    assert drupe_cli("runs", "move", "baseline").code == 2
    assert store.get_run(three_runs[0]).info.experiment_id == store.get_experiment_by_name("churn").experiment_id


def test_a_run_named_twice_is_refused(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "delete", "baseline", three_runs[0], "--yes")
    assert told.code == 1
    assert "is there already" in told.err


def test_tag_rename_and_end(drupe_cli: Any, store: Client) -> None:
    run_id = store.create_run("0", run_name="stuck").info.run_id
    assert drupe_cli("runs", "tag", "stuck", "a=1", "b=2").code == 0
    assert drupe_cli("runs", "tag", "stuck", "--delete", "a").code == 0
    assert drupe_cli("runs", "rename", "stuck", "ended").code == 0
    assert drupe_cli("runs", "end", "ended", "--status", "failed").err == f"run 'ended' ({run_id[:8]}) ended: FAILED\n"
    run = store.get_run(run_id)
    assert (run.info.status, run.info.run_name, run.data.tags["b"]) == (RunStatus.FAILED, "ended", "2")
    assert "a" not in run.data.tags
    assert run.info.end_time is not None
    assert "has ended already: FAILED" in drupe_cli("runs", "end", "ended").err


def test_usage_faults_have_exit_code_2(drupe_cli: Any) -> None:
    for words in (("runs", "end"), ("runs", "compare", "one"), ("runs", "tag", "x"), ("runs", "list", "--view", "half"), ("runs", "fly")):
        told = drupe_cli(*words)
        assert told.code == 2, words
        assert told.err.startswith("Usage: drupe runs"), words


def test_another_address_is_used_wherever_the_option_stands(drupe_cli: Any, three_runs: list[str], workspace: Any) -> None:
    elsewhere = f"sqlite:///{workspace / 'else.db'}"
    assert drupe_cli("runs", "list", "--tracking-uri", elsewhere, "--json").out == "[]\n"
    assert drupe_cli("runs", "--tracking-uri", elsewhere, "list", "--json").out == "[]\n"
    assert len(json.loads(drupe_cli("runs", "list", "--json").out)) == 3


def test_an_address_that_nothing_serves_is_a_problem_with_plugins(drupe_cli: Any) -> None:
    told = drupe_cli("runs", "list", "--tracking-uri", "gopher://x")
    assert (told.code, told.out) == (3, "")
    assert "gopher" in told.err


def test_changes_of_tags_are_told(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "tag", "baseline", "a=1", "b=2", "--delete", "team")
    assert told.err == f"run 'baseline' ({three_runs[0][:8]}): 2 tags set, 1 removed\n"
    assert drupe_cli("runs", "tag", "baseline", "--delete", "a").err.endswith(": 1 tag removed\n")


def test_what_runs_are_sorted_by_stands_before_other_metrics(
    drupe_cli: Any, three_runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "auc" in (header := drupe_cli("runs", "list").lines[0])
    assert header.index("auc") < header.index("loss")
    header = drupe_cli("runs", "list", "--order-by", "metrics.loss.min DESC").lines[0]
    assert header.index("loss.min") < header.index("auc")
    monkeypatch.setenv("COLUMNS", "60")
    assert drupe_cli("runs", "list", "--order-by", "metrics.loss").lines[0].split() == ["ID", "NAME", "STATUS", "STARTED", "loss"]


def test_a_column_that_was_asked_for_is_shown_even_when_no_run_has_it(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("runs", "list", "--columns", "metrics.nope,params.none")
    assert told.lines[0].split() == ["nope", "none"]
    assert len(told.lines) == 2 + len(three_runs)


def test_a_run_whose_process_died_is_shown_as_crashed(drupe_cli: Any, store: Client, three_runs: list[str]) -> None:
    for key, value in Crash(NOW + 60_000, "killed from outside", "SIGKILL", 39).tags().items():
        store.set_tag(three_runs[0], key, value)
    store.set_terminated(three_runs[0], "FAILED", NOW + 60_000)
    store.set_terminated(three_runs[1], "FAILED", NOW + 60_000)  # by an exception of its own
    told = drupe_cli("runs", "list", "--experiment", "churn", "--columns", "name,status")
    assert [line.split() for line in told.lines[2:]] == [["deeper", "FAILED"], ["baseline", "CRASHED"]]
    by_csv = drupe_cli("runs", "list", "--experiment", "churn", "--columns", "name,status", "--output", "csv")
    assert by_csv.lines == ["run_name,status", "deeper,FAILED", "baseline,FAILED"]
    card = drupe_cli("runs", "show", "baseline")
    (crashed,) = [line for line in card.lines if line.startswith("crashed")]
    assert crashed.split()[1:5] == ["SIGKILL", "at", "step", "39,"]
    assert crashed.endswith("killed from outside")
    assert any(line.split() == ["status", "CRASHED"] for line in card.lines)
