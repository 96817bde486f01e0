"""A store that benchmarks/population.py makes holds what logging the same runs would have made."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.entities import LifecycleStage, LogBatch, NewRun, Points, RunStatus, ViewType
from drupe.search import Kind, parse
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]
RUNS = 120


@pytest.fixture(scope="module")
def built(population: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("population") / "built.db"
    assert population.build(file, RUNS, seed=3) == "1"
    return file


@pytest.fixture
def logged(population: Any, open_store: Open, file: Path) -> Path:
    store = open_store()
    experiment = store.create_experiment(population.EXPERIMENT).experiment_id
    for run in population.made(RUNS, seed=3):
        tags = dict(zip(population.TAGS, run.tags, strict=True))
        store.create_run(NewRun(experiment, run.run_id, run.name, run.user_id, run.start_ms, tags))
        points = {
            key: Points.of((step, run.start_ms + step, value) for step, value in enumerate(values))
            for key, values in zip(population.METRICS, run.values, strict=True)
        }
        store.log_batch(run.run_id, LogBatch(points, dict(zip(population.PARAMS, run.params, strict=True))))
        store.update_run(run.run_id, status=RunStatus(run.status), end_time=run.end_ms)
        if run.is_deleted:
            store.set_run_stage(run.run_id, LifecycleStage.DELETED)
    return file


def test_its_runs_are_those_that_were_logged_but_for_where_artifacts_lie(built: Path, logged: Path, open_store: Open) -> None:
    query = parse(Kind.RUNS)
    ours, theirs = (open_store(at).search_runs(query, experiment_ids=["1"], view=ViewType.ALL) for at in (built, logged))
    assert len(ours) == RUNS
    assert [run.data for run in ours] == [run.data for run in theirs]
    assert [str(run.info).split(", artifact_uri")[0] for run in ours] == [str(run.info).split(", artifact_uri")[0] for run in theirs]
    assert [run.info.artifact_uri.split("/")[-2:] for run in ours] == [run.info.artifact_uri.split("/")[-2:] for run in theirs]


@pytest.mark.parametrize("table", ["params", "tags", "series", "chunks"])
def test_its_rows_are_those_that_were_logged_to_the_last_column(built: Path, logged: Path, table: str) -> None:
    def rows(file: Path) -> list[dict[str, Any]]:
        connection = sqlite3.connect(file)
        found = connection.execute(f"SELECT t.*, keys.name FROM {table} t JOIN keys ON keys.id = t.key ORDER BY t.run, keys.name")
        names = [column[0] for column in found.description]
        read = [{name: value for name, value in zip(names, row, strict=True) if name not in ("id", "key")} for row in found]
        connection.close()
        return read

    assert rows(built) == rows(logged)


def test_it_is_sound_and_has_the_indexes_of_a_new_store(built: Path, logged: Path, open_store: Open) -> None:
    assert open_store(built).find_damage() == []

    def indexes(file: Path) -> set[str]:
        connection = sqlite3.connect(file)
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        connection.close()
        return found

    assert indexes(built) == indexes(logged)


def test_nothing_is_overwritten(built: Path, population: Any) -> None:
    with pytest.raises(FileExistsError, match="needs a file of its own"):
        population.build(built, 1)
