"""`drupe models search|show|lineage|diff`: logged models on the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

import drupe
from drupe.client import Client
from drupe.entities import Dataset

pandas = pytest.importorskip("pandas")


@pytest.fixture
def pair(store: Client) -> tuple[str, str]:
    """Two models of two runs: the first is registered, with alias champion; they differ in depth, accuracy and signature."""
    from drupe.models import infer_signature, log_model

    ids = []
    for number, column in enumerate(("x", "y")):
        frame = pandas.DataFrame({column: [1.0]})
        with drupe.start_run(run_name=f"run-{number}"):
            drupe.log_input(Dataset("customers", "d1"), "training")
            drupe.log_params({"depth": number + 3, "lr": 0.1})
            drupe.log_metric("acc", 0.5 + number / 4, dataset=Dataset("test", "d2"))
            info = log_model(
                lambda model_input: [1.0],
                "clf",
                signature=infer_signature(frame, [1.0]),
                tags={"team": "red"},
                card="Finds who leaves.",
                registered_model_name=None if number else "churn",
            )
        ids.append(str(info.model_id))
    store.set_registered_model_alias("churn", "champion", "1")
    return ids[0], ids[1]


def test_search_finds_by_metrics_on_datasets_and_shows_them(drupe_cli: Any, pair: tuple[str, str]) -> None:
    told = drupe_cli("models", "search", "metrics.acc > 0.6", "--dataset", "test")
    assert told.lines[0].split() == ["MODEL", "NAME", "RUN", "STATUS", "CREATED", "acc"]
    assert [line.split()[0] for line in told.lines[2:]] == [pair[1][:10]]
    assert told.lines[2].split()[-1] == "0.75"
    ordered = json.loads(drupe_cli("models", "search", "--order-by", "metrics.acc DESC", "--json").out)
    assert [model["info"]["model_id"] if "info" in model else model["model_id"] for model in ordered] == [pair[1], pair[0]]
    assert drupe_cli("models", "search", "params.depth = '3'", "--output", "csv").lines[1].startswith(pair[0])
    assert "match params.depth = '9'" in drupe_cli("models", "search", "params.depth = '9'").err
    assert drupe_cli("models", "search", "depth >").code == 1


def test_show_is_the_card_with_metrics_of_now(drupe_cli: Any, pair: tuple[str, str]) -> None:
    drupe.log_metric("f1", 0.875, run_id=drupe.get_logged_model(pair[0]).source_run_id, model_id=pair[0])
    told = drupe_cli("models", "show", "models:/churn@champion").out
    for text in ("Finds who leaves.", "0.875", "churn 1", "customers", "drupe models predict -m models:/churn@champion", "depth"):
        assert text in told, text
    form = json.loads(drupe_cli("models", "show", pair[0][:12], "--json").out)
    assert (form["model_id"], form["params"]["depth"], form["card"]) == (pair[0], "3", {"purpose": "Finds who leaves."})
    assert {(one["key"], one["value"], one["dataset"]) for one in form["metrics"]} == {("acc", 0.5, "test"), ("f1", 0.875, None)}
    assert drupe_cli("models", "show", pair[0], "--html").out.startswith("<!doctype html>")
    assert drupe_cli("models", "show", pair[0], "--markdown").out.startswith("# clf\n")
    assert "begins with 'm-0000'" in drupe_cli("models", "show", "m-0000").err


def test_lineage_leads_from_data_to_versions(drupe_cli: Any, pair: tuple[str, str]) -> None:
    run = str(drupe.get_logged_model(pair[0]).source_run_id)
    assert drupe_cli("models", "lineage", "models:/churn/1").out.splitlines() == [
        "dataset customers  d1  (training)",
        "dataset test  d2",
        f"└─ run run-0  {run[:8]}",
        f"   └─ model clf  {pair[0][:10]}  step 0  ready",
        "      ├─ measured on test  d2",
        "      └─ version churn 1 @champion",
    ]
    form = json.loads(drupe_cli("models", "lineage", pair[0], "--json").out)
    assert (form["run"]["run_id"], form["model"]["step"]) == (run, 0)
    assert form["versions"] == [{"name": "churn", "version": "1", "stage": "None", "aliases": ["champion"]}]
    assert drupe_cli("models", "lineage", pair[1], "--output", "csv").lines[0] == "kind,id,name,remark"


def test_diff_marks_what_differs(drupe_cli: Any, pair: tuple[str, str]) -> None:
    told = [line.split() for line in drupe_cli("models", "diff", "models:/churn/1", pair[1]).lines]
    assert ["≠", "depth", "3", "4"] in told
    assert ["lr", "0.1", "0.1"] in told
    assert ["≠", "acc", "on", "test", "0.5", "0.75"] in told
    assert ["≠", "input", "x", "double", "–"] in told
    assert ["team", "red", "red"] in told
    rows = json.loads(drupe_cli("models", "diff", *pair, "--diff-only", "--json").out)["rows"]
    assert all(row["differs"] for row in rows)
    assert {"section": "params", "key": "depth", "differs": True, "values": ["3", "4"]} in rows
    same = drupe_cli("models", "diff", pair[0], pair[0])
    assert "do not differ" in same.err
