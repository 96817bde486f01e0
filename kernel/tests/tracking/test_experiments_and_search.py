"""Experiments and searching through the fluent API."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import drupe
from drupe.errors import AlreadyExists, ExperimentNotFound, InvalidQuery, InvalidUri, InvalidValue, NoProvider, TagNotFound, WrongLifecycle


def test_set_experiment_creates_once_and_is_used_by_runs() -> None:
    first = drupe.set_experiment("exp/a")
    assert drupe.set_experiment("exp/a").experiment_id == first.experiment_id
    with drupe.start_run() as run:
        pass
    assert run.info.experiment_id == first.experiment_id
    assert drupe.set_experiment(experiment_id="0").name == "Default"
    with pytest.raises(ExperimentNotFound):
        drupe.set_experiment(experiment_id="99")
    with pytest.raises(InvalidValue):
        drupe.set_experiment()


def test_a_deleted_experiment_cannot_be_used_and_keeps_its_name() -> None:
    experiment_id = drupe.create_experiment("gone", tags={"team": "x"})
    drupe.delete_experiment(experiment_id)
    with pytest.raises(WrongLifecycle, match="restore"):
        drupe.set_experiment("gone")
    with pytest.raises(AlreadyExists):
        drupe.create_experiment("gone")
    drupe.restore_experiment(experiment_id)
    drupe.rename_experiment(experiment_id, "back")
    assert drupe.get_experiment_by_name("back").tags == {"team": "x"}
    assert drupe.get_experiment_by_name("gone") is None


def test_the_environment_names_the_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from-environment")
    drupe.settings.reset()
    with drupe.start_run() as run:
        drupe.set_experiment_tags({"a": 1})
    experiment = drupe.get_experiment(run.info.experiment_id)
    assert (experiment.name, experiment.tags) == ("from-environment", {"a": "1"})


def test_search_gives_a_frame_with_mlflows_columns() -> None:
    for index in range(3):
        with drupe.start_run(run_name=f"r{index}", tags={"team": "x"}):
            drupe.log_metric("loss", index / 10)
            if index:
                drupe.log_param("p", index)
    frame = drupe.search_runs(order_by=["metrics.loss DESC"])
    assert isinstance(frame, pd.DataFrame)
    assert list(frame["tags.mlflow.runName"]) == ["r2", "r1", "r0"]
    assert list(frame["metrics.loss"]) == [0.2, 0.1, 0.0]
    assert list(frame["params.p"])[:2] == ["2", "1"]
    assert pd.isna(frame["params.p"][2])
    assert str(frame["start_time"].dtype).endswith("UTC]")
    found = drupe.search_runs(filter_string="metrics.loss < 0.15 and params.p = '1'", output_format="list")
    assert [run.info.run_name for run in found] == ["r1"]
    assert drupe.search_runs(max_results=2, output_format="list", order_by=["metrics.loss"])[1].info.run_name == "r1"


def test_search_looks_into_the_experiments_that_are_named_or_into_all() -> None:
    for name in ("a", "b"):
        drupe.set_experiment(name)
        with drupe.start_run(run_name=name):
            pass

    def names(**where: object) -> list[str]:
        return sorted(run.info.run_name for run in drupe.search_runs(output_format="list", **where))

    assert names() == ["b"]
    assert names(experiment_names=["a", "nothing"]) == ["a"]
    assert names(search_all_experiments=True) == ["a", "b"]
    assert names(experiment_ids=[]) == []


def test_experiments_that_are_named_win_over_all_of_them() -> None:
    other = drupe.create_experiment("other")
    for experiment_id in ("0", other):
        drupe.Client().create_run(experiment_id)
    found = drupe.search_runs([other], search_all_experiments=True, output_format="list")
    assert [run.info.experiment_id for run in found] == [other]
    with pytest.raises(InvalidValue, match=r"use ViewType\.ACTIVE_ONLY"):
        drupe.search_runs(run_view_type=7)


def test_a_single_experiment_id_need_not_stand_in_a_list() -> None:
    ids = [drupe.create_experiment(f"e{number}") for number in range(10)]
    for experiment_id in ("0", "1", ids[-1]):
        drupe.Client().create_run(experiment_id)
    assert ids[-1] == "10"
    assert drupe.search_runs("10")["experiment_id"].tolist() == ["10"]
    assert [run.info.experiment_id for run in drupe.Client().search_runs("10")] == ["10"]


def test_a_tag_of_the_experiment_in_use_can_be_removed() -> None:
    drupe.set_experiment_tag("a", 1)
    drupe.delete_experiment_tag("a")
    assert drupe.get_experiment("0").tags == {}
    with pytest.raises(TagNotFound):
        drupe.delete_experiment_tag("a")


def test_a_typo_in_a_filter_is_pointed_at_with_the_nearest_word() -> None:
    with pytest.raises(InvalidQuery) as caught:
        drupe.search_runs(filter_string="metrcs.loss < 1")
    assert caught.value.column == 0
    assert "metrics" in caught.value.message
    assert str(caught.value).splitlines()[-1].startswith("  ^^^^^^")


def test_experiments_are_searched_by_name_and_tag() -> None:
    for name, team in (("one", "x"), ("two", "y"), ("three", "x")):
        drupe.create_experiment(name, tags={"team": team})
    found = drupe.search_experiments(filter_string="tags.team = 'x'", order_by=["name ASC"])
    assert [experiment.name for experiment in found] == ["one", "three"]
    assert len(drupe.search_experiments(max_results=2)) == 2


def test_the_default_store_is_one_file_in_the_working_folder_and_stays_there_after_chdir(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not drupe.is_tracking_uri_set()
    drupe.create_experiment("here")
    elsewhere = workspace / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert drupe.get_experiment_by_name("here") is not None
    assert (workspace / "drupe.db").is_file()
    assert list(elsewhere.iterdir()) == []


def test_an_address_that_no_store_can_serve_is_refused_with_what_would_work() -> None:
    with pytest.raises(InvalidUri, match="sqlite:///"):
        drupe.set_tracking_uri("./mlruns")
    drupe.set_tracking_uri("redis://localhost")
    with pytest.raises(NoProvider, match="sqlite"):
        drupe.search_experiments()
