"""`drupe config`: values with their sources, changes that are written where they are read, and no secret on the screen."""

from __future__ import annotations

from typing import Any

import pytest


def listed(house: Any, **environ: str) -> dict[str, tuple[Any, str]]:
    return {setting["key"]: (setting["value"], setting["source"]) for setting in house.drupe("config", "list", "--json", **environ).json()}


def test_the_list_says_where_every_value_comes_from_and_hides_credentials(house: Any) -> None:
    file = house.work / "drupe.toml"
    file.write_text('experiment_name = "churn"\n[plugins.store-s3]\nsecret_key = "hunter2"\nregion = "eu"\n')
    found = listed(house, MLFLOW_TRACKING_URI="postgresql://me:hunter2@host/db")
    assert found["tracking_uri"] == ("postgresql://***@host/db", "MLFLOW_TRACKING_URI")
    assert found["experiment_name"] == ("churn", str(file))
    assert found["plugins.store-s3.secret_key"] == ("***", str(file))
    assert found["plugins.store-s3.region"] == ("eu", str(file))
    assert found["progress"] == (True, "default")
    assert "hunter2" not in house.drupe("config", "get", "plugins.store-s3.secret_key").out


def test_what_is_set_is_read_and_what_is_unset_is_gone(house: Any) -> None:
    assert house.drupe("config", "set", "artifact_workers", "4").code == 0
    assert house.drupe("config", "set", "plugins.store-sqlite.busy_timeout_s", "2.5").code == 0
    assert house.drupe("config", "set", "plugins.prefer.drupe_artifact_repos.s3", "store-s3").code == 0
    assert (house.work / "drupe.toml").read_text() == (
        'artifact_workers = 4\n\n[plugins.store-sqlite]\nbusy_timeout_s = 2.5\n\n[plugins.prefer]\n"drupe_artifact_repos.s3" = "store-s3"\n'
    )
    assert house.drupe("config", "get", "artifact_workers").out == "4\n"
    assert house.drupe("config", "unset", "artifact_workers").code == 0
    assert house.drupe("config", "get", "artifact_workers").out == "\n"


def test_a_key_or_value_that_is_wrong_is_refused_before_anything_is_written(house: Any) -> None:
    typo, value = house.drupe("config", "set", "tracking_ur", "x"), house.drupe("config", "set", "progress", "perhaps")
    assert (typo.code, typo.err) == (1, "drupe: there is no setting 'tracking_ur'; did you mean 'tracking_uri'? (DRP-0109)\n")
    assert (value.code, value.err) == (1, "drupe: progress must be 1/true/yes/on or 0/false/no/off, not 'perhaps' (DRP-0109)\n")
    assert not (house.work / "drupe.toml").exists()


def test_a_value_that_is_not_in_use_says_what_goes_before_it(house: Any) -> None:
    done = house.drupe("config", "set", "--user", "run_name", "mine", DRUPE_RUN_NAME="theirs")
    assert done.err.splitlines() == [
        f"wrote run_name to {house.home / '.config' / 'drupe' / 'drupe.toml'}",
        "it is not in use: DRUPE_RUN_NAME goes before it",
    ]


def test_options_that_a_plugin_does_not_have_and_variables_that_mean_nothing_are_told(house: Any) -> None:
    (house.work / "drupe.toml").write_text("[plugins.store-sqlite]\nbusy_timeout = 1\n")
    done = house.drupe("config", "list", DRUPE_TRACKING_URL="x")
    assert "the environment variable DRUPE_TRACKING_URL means nothing here; did you mean DRUPE_TRACKING_URI?" in done.err
    assert "is no option of store-sqlite; did you mean 'busy_timeout_s'?" in done.err


def test_the_files_are_told_in_the_order_in_which_they_win(house: Any) -> None:
    found = house.drupe("config", "path", "--json").json()
    assert found == [
        {"file": "project", "path": str(house.work / "drupe.toml"), "exists": False},
        {"file": "user", "path": str(house.home / ".config" / "drupe" / "drupe.toml"), "exists": False},
    ]


def test_a_value_is_written_whole_whatever_toml_would_make_of_its_beginning(house: Any) -> None:
    for text in ("12#34", "1\ntracking_uri = 'x'", '"a" # b'):
        assert house.drupe("config", "set", "plugins.x.note", text).code == 0
        assert house.drupe("config", "get", "plugins.x.note", "--json").json()["value"] == text


@pytest.mark.parametrize(("written", "shown"), [("nan", "nan"), ("2026-01-31", "2026-01-31"), ("[1, -inf]", [1, "-inf"]), ("0.5", 0.5)])
def test_values_that_json_does_not_have_are_texts_there(house: Any, written: str, shown: Any) -> None:
    assert house.drupe("config", "set", "plugins.x.limit", written).code == 0
    assert house.drupe("config", "get", "plugins.x.limit", "--json").json()["value"] == shown
    assert house.drupe("config", "list", "--set", "--json").json()[-1]["value"] == shown


def test_options_for_a_plugin_that_is_not_installed_are_told(house: Any) -> None:
    shown = house.drupe("config", "list", "--set", DRUPE_STORE_SQLIT__BUSY="1", DRUPE_STORE_SQLITE__BUSY="2")
    assert "plugins.store-sqlit.busy" in shown.out
    assert "plugins.store-sqlit is set, and no plugin 'store-sqlit' is installed; did you mean 'store-sqlite'?" in shown.err
    assert "DRUPE_STORE_SQLITE__BUSY is no option of store-sqlite" in shown.err
