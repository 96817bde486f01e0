"""A store in a file copied into a database, and back into another file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from drupe.entities import LifecycleStage, LogBatch, NewRun, Points, ViewType
from drupe.loading import catalog
from drupe.migrate.copying import Stores, copy_store
from drupe.search import Kind, parse
from drupe.testing.comparison import plain
from drupe.testing.random_population import fill_registry, fill_tracking
from drupe.uris import Uri


@contextmanager
def stores(address: str) -> Iterator[Stores]:
    uri = Uri.parse(address, user_info=True)
    with (
        closing(catalog().open("drupe_tracking_stores", uri)) as tracking,
        closing(catalog().open("drupe_registry_stores", uri)) as registry,
    ):
        yield Stores(uri.text, tracking, registry)


def test_a_file_goes_into_a_database_and_back_unchanged(address: str, tmp_path: Path) -> None:
    with stores(f"sqlite:///{tmp_path}/a.db") as file, stores(address) as database, stores(f"sqlite:///{tmp_path}/b.db") as back:
        fill_tracking(file.tracking, runs=120)
        fill_registry(file.registry, versions=60)
        file.tracking.create_run(NewRun("1", run_id="long"))
        file.tracking.log_batch("long", LogBatch({"loss": Points.of((n, n, 1 / (1 + n)) for n in range(50_000))}))
        file.tracking.set_experiment_stage("2", LifecycleStage.DELETED)
        there, home = copy_store(file, database), copy_store(database, back)
        assert there.differences == home.differences == []
        assert there.copied_runs == home.copied_runs == 121
        assert there.points == home.points > 50_000
        query = parse(Kind.RUNS, None, ["run_id"])
        first, last = (one.tracking.search_runs(query, experiment_ids=None, view=ViewType.ALL) for one in (file, back))
        assert plain(list(first)) == plain(list(last))
        assert database.tracking.create_experiment("next").experiment_id == "3"
        assert database.tracking.find_damage() == []


def test_a_copied_database_goes_on_like_any_other(address: str, tmp_path: Path) -> None:
    with stores(f"sqlite:///{tmp_path}/a.db") as file, stores(address) as database:
        fill_tracking(file.tracking, runs=10)
        fill_registry(file.registry, versions=10)
        copy_store(file, database)
        database.tracking.create_run(NewRun("0", run_id="new"))
        database.tracking.log_batch("new", LogBatch({"loss": Points.of([(0, 0, 0.5)])}, {"p": "x"}))
        assert database.registry is not None
        assert file.registry is not None
        assert database.registry.highest_version("a") == file.registry.highest_version("a")
        assert int(database.registry.create_model_version("a", "s3://b").version) == file.registry.highest_version("a") + 1
