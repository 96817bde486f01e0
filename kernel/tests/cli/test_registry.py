"""`drupe registry`: models, versions, aliases, stages, tags, descriptions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from drupe.client import Client


@pytest.fixture
def model(store: Client, three_runs: list[str]) -> str:
    """`churn` with two versions, the first of them champion."""
    store.create_registered_model("churn", {"team": "growth"}, "who leaves")
    for run_id in three_runs[:2]:
        store.create_model_version("churn", f"runs:/{run_id}/model", run_id)
    store.set_registered_model_alias("churn", "champion", 1)
    return "churn"


def test_list_shows_latest_version_and_aliases(drupe_cli: Any, model: str) -> None:
    told = drupe_cli("registry", "list")
    assert told.lines[0].split() == ["NAME", "LATEST", "ALIASES", "UPDATED", "DESCRIPTION", "TAGS"]
    assert told.lines[2].startswith("churn       2  champion → 1  ")
    assert [m["name"] for m in json.loads(drupe_cli("registry", "list", "tags.team = 'growth'", "--json").out)] == ["churn"]
    assert drupe_cli("registry", "list", "--filter", "name = 'x'").err == "no model matches\n"


def test_show_lists_versions_newest_first_with_their_aliases(drupe_cli: Any, model: str, three_runs: list[str]) -> None:
    told = drupe_cli("registry", "show", "churn")
    assert "description  who leaves" in told.lines
    head = next(index for index, line in enumerate(told.lines) if line.startswith("VERSION"))
    newest, oldest = (line.split() for line in told.lines[head + 2 :])
    assert (newest[0], newest[1], newest[-1]) == ("2", "None", three_runs[1][:8])
    assert oldest[:2] == ["1", "champion"]
    form = json.loads(drupe_cli("registry", "show", "churn", "--json").out)
    assert form["aliases"] == [{"alias": "champion", "version": "1"}]


def test_an_alias_moves_and_says_where_it_was(drupe_cli: Any, model: str, store: Client) -> None:
    assert drupe_cli("registry", "alias", "set", "churn", "champion", "2").err == "models:/churn@champion is version 2 (was version 1)\n"
    assert store.get_model_version_by_alias("churn", "champion").version == "2"
    assert drupe_cli("registry", "alias", "delete", "churn", "champion").err == "'churn' has no alias 'champion' now (was version 2)\n"
    assert store.get_registered_model("churn").aliases == {}


def test_stage_describe_and_tag(drupe_cli: Any, model: str, store: Client) -> None:
    assert drupe_cli("registry", "stage", "churn", "2", "production").err == "version 2 of 'churn' is in Production\n"
    assert drupe_cli("registry", "describe", "churn", "better", "--version", "2").code == 0
    assert drupe_cli("registry", "tag", "churn", "a=1", "--version", "2").code == 0
    assert drupe_cli("registry", "tag", "churn", "b=2", "--delete", "team").code == 0
    version = store.get_model_version("churn", 2)
    assert (version.current_stage.value, version.description, version.tags) == ("Production", "better", {"a": "1"})
    assert store.get_registered_model("churn").tags == {"b": "2"}


def test_create_rename_and_delete_ask_and_tell(drupe_cli: Any, model: str, store: Client) -> None:
    assert drupe_cli("registry", "create", "new", "--description", "empty", "--tag", "k=v").code == 0
    assert drupe_cli("registry", "create", "new").code == 1
    assert drupe_cli("registry", "rename", "new", "newer").err == "'new' is now named 'newer'\n"
    asked = drupe_cli("registry", "delete", "churn", stdin="n\n")
    assert "Delete the model 'churn' with its 2 versions, for good?" in asked.err
    assert drupe_cli("registry", "delete", "churn", "--version", "1", "--yes").code == 0
    assert [version.version for version in store.search_model_versions("name = 'churn'")] == ["2"]
    assert drupe_cli("registry", "delete", "churn", "--yes").code == 0
    assert [found.name for found in store.search_registered_models()] == ["newer"]


def test_versions_of_one_model_and_of_all(drupe_cli: Any, model: str, store: Client) -> None:
    store.create_registered_model("other")
    store.create_model_version("other", "runs:/x/m")
    assert [v["version"] for v in json.loads(drupe_cli("registry", "versions", "churn", "--json").out)] == ["2", "1"]
    everything = drupe_cli("registry", "versions", "--filter", "version_number = 1 OR name = 'none'", "--json")
    assert sorted(v["name"] for v in json.loads(everything.out)) == ["churn", "other"]


def test_an_unknown_model_is_one_sentence(drupe_cli: Any) -> None:
    told = drupe_cli("registry", "show", "none")
    assert (told.code, told.out) == (1, "")
    assert "(DRP-0204)" in told.err
