"""`drupe store copy` from the shell, between two files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drupe.client import Client
from drupe.entities import NewLoggedModel
from drupe.tracking.address import close_stores, tracking_store


@pytest.fixture
def two(three_runs: list[str], store: Client) -> tuple[str, str]:
    store.create_registered_model("clf")
    store.create_model_version("clf", "s3://b", run_id=three_runs[0])
    close_stores()
    return "sqlite:///drupe.db", "sqlite:///copy.db"


def test_a_store_is_copied_and_what_was_compared_is_told(drupe_cli: Any, two: tuple[str, str], three_runs: list[str]) -> None:
    told = drupe_cli("store", "copy", *two)
    assert told.code == 0
    assert "has all that" in told.err
    assert told.out.startswith(
        "3 experiments, 3 runs with 123 points, 0 logged models, 1 registered models with 1 versions were compared; "
    )
    copied = Client("sqlite:///copy.db")
    assert copied.get_run(three_runs[1]) == Client("sqlite:///drupe.db").get_run(three_runs[1])
    assert copied.get_model_version("clf", "1").run_id == three_runs[0]


def test_a_second_copy_has_nothing_to_do_and_says_so_as_json(drupe_cli: Any, two: tuple[str, str]) -> None:
    drupe_cli("store", "copy", *two)
    report = json.loads(drupe_cli("store", "copy", *two, "--json").out)
    assert (report["runs"], report["copied_runs"], report["differences"]) == (3, 0, [])


def test_differences_are_listed_and_the_exit_code_is_1(drupe_cli: Any, two: tuple[str, str], three_runs: list[str]) -> None:
    drupe_cli("store", "copy", *two)
    Client("sqlite:///copy.db").set_tag(three_runs[0], "mine", "x")
    close_stores()
    told = drupe_cli("store", "copy", *two)
    assert told.code == 1
    assert f"run {three_runs[0]} differs in tags" in told.out


def test_a_password_in_an_address_is_not_told(drupe_cli: Any, two: tuple[str, str]) -> None:
    told = drupe_cli("store", "copy", two[0], "postgresql://ada:hunter2@127.0.0.1:1/runs")
    assert told.code == 1
    assert "hunter2" not in told.err + told.out


def test_a_mistyped_source_is_refused_and_makes_no_file(drupe_cli: Any, two: tuple[str, str]) -> None:
    told = drupe_cli("store", "copy", "sqlite:///durpe.db", two[1])
    assert told.code == 1
    assert "durpe.db: there is no such file" in told.err
    assert not Path("durpe.db").exists()
    assert not Path("copy.db").exists()


def test_logged_models_are_copied_and_counted_deleted_ones_too(drupe_cli: Any, two: tuple[str, str]) -> None:
    store = tracking_store()
    ids = [store.create_logged_model(NewLoggedModel("0", name=name)).model_id for name in ("net", "gone")]
    store.delete_logged_model(ids[1])
    close_stores()
    report = json.loads(drupe_cli("store", "copy", *two, "--json").out)
    assert (report["logged_models"], report["copied_logged_models"], report["differences"]) == (2, 2, [])
    copied = tracking_store("sqlite:///copy.db")
    assert copied.get_logged_model(ids[0]).name == "net"
    assert copied.get_logged_model(ids[1], allow_deleted=True).name == "gone"
