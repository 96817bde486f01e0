"""`drupe experiments` through the real root, on the embedded store."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from drupe.client import Client


def test_create_shows_the_experiment_and_keeps_its_tags(drupe_cli: Any, store: Client) -> None:
    told = drupe_cli("experiments", "create", "churn", "--tag", "team=growth", "--tag", "k=a=b")
    assert told.code == 0
    assert [line.split() for line in told.lines[:3]] == [["created"], ["experiment", "churn"], ["id", "1"]]
    assert store.get_experiment("1").tags == {"team": "growth", "k": "a=b"}


def test_a_taken_name_is_one_paragraph_and_exit_code_1(drupe_cli: Any) -> None:
    drupe_cli("experiments", "create", "churn")
    told = drupe_cli("experiments", "create", "churn")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("drupe: ")
    assert "'churn'" in told.err
    assert "(DRP-0300)" in told.err


def test_list_is_a_table_with_the_newest_first(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("experiments", "list")
    assert told.lines[0].split() == ["ID", "NAME", "CREATED", "UPDATED", "TAGS"]
    assert [line.split()[1] for line in told.lines[2:]] == ["flights", "churn", "Default"]
    assert "team=growth" in told.lines[3]


def test_list_as_json_has_one_element_per_line_in_mlflows_form(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("experiments", "list", "--json")
    assert [line[0] for line in told.lines] == ["[", "{", "{", "{", "]"]
    found = json.loads(told.out)
    assert [e["name"] for e in found] == ["flights", "churn", "Default"]
    assert found[1]["tags"] == [{"key": "team", "value": "growth"}]
    assert found[1]["lifecycle_stage"] == "active"


def test_list_as_csv_has_utc_times(drupe_cli: Any, three_runs: list[str]) -> None:
    rows = list(csv.DictReader(io.StringIO(drupe_cli("experiments", "list", "--output", "csv").out)))
    assert [row["name"] for row in rows] == ["flights", "churn", "Default"]
    assert all(row["created"].endswith("Z") for row in rows)


def test_a_limit_says_that_there_are_more(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("experiments", "list", "--limit", "2")
    assert len(told.lines) == 2 + 2 + 1
    assert told.lines[-1].startswith("there are more than these 2")
    assert len(json.loads(drupe_cli("experiments", "list", "--limit", "2", "--json").out)) == 2


def test_search_takes_a_filter_and_an_order(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("experiments", "search", "name = 'churn' OR name LIKE 'fl%'", "--order-by", "name ASC", "--json")
    assert [e["name"] for e in json.loads(told.out)] == ["churn", "flights"]


def test_nothing_found_is_said_on_stderr(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("experiments", "search", "name = 'x'")
    assert (told.code, told.out, told.err) == (0, "", "no experiment matches\n")
    assert drupe_cli("experiments", "search", "name = 'x'", "--json").out == "[]\n"


def test_get_finds_by_name_by_id_and_as_mlflow_spells_it(drupe_cli: Any, three_runs: list[str]) -> None:
    by_name = drupe_cli("experiments", "get", "churn", "--json").out
    assert json.loads(by_name)["experiment_id"] == "1"
    assert drupe_cli("experiments", "get", "1", "--json").out == by_name
    assert drupe_cli("experiments", "get", "-x", "1", "--json").out == by_name


def test_a_misspelt_name_gets_the_nearest_one(drupe_cli: Any, three_runs: list[str]) -> None:
    told = drupe_cli("experiments", "get", "chrun")
    assert told.code == 1
    assert "did you mean 'churn'?" in told.err


def test_delete_asks_and_restore_brings_back(drupe_cli: Any, three_runs: list[str]) -> None:
    asked = drupe_cli("experiments", "delete", "churn", stdin="n\n")
    assert asked.code == 130
    assert "Move experiment 'churn' (id 1) and all its runs to the trash?" in asked.err
    assert "churn" in drupe_cli("experiments", "list").out
    assert drupe_cli("experiments", "delete", "churn", "--yes").code == 0
    assert "churn" not in drupe_cli("experiments", "list").out
    assert "deleted" in drupe_cli("experiments", "list", "--view", "deleted").out
    assert drupe_cli("experiments", "restore", "churn").code == 0
    assert "churn" in drupe_cli("experiments", "list").out


def test_rename_and_tag(drupe_cli: Any, three_runs: list[str], store: Client) -> None:
    assert drupe_cli("experiments", "rename", "churn", "churn 2").err == "experiment 1 is now named 'churn 2' (was 'churn')\n"
    assert drupe_cli("experiments", "tag", "churn 2", "a=1", "--delete", "team").code == 0
    assert store.get_experiment("1").tags == {"a": "1"}


def test_a_tag_without_equals_is_refused_before_anything_is_set(drupe_cli: Any, three_runs: list[str], store: Client) -> None:
    told = drupe_cli("experiments", "tag", "churn", "a=1", "nonsense")
    assert told.code == 1
    assert "KEY=VALUE" in told.err
    assert store.get_experiment("1").tags == {"team": "growth"}
