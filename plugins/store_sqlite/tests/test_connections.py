"""How each connection is set, and that settings arrive through the catalog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drupe import loading, settings
from drupe.entities import NewRun
from drupe.errors import InvalidSettings, InvalidValue, StoreUnavailable
from drupe.uris import Uri
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]


def pragma(store: SqliteTrackingStore, name: str) -> object:
    with store._database.read() as session:
        return session.driver.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1), ("trusted_schema", 0), ("cell_size_check", 1), ("temp_store", 2)],
)
def test_every_connection_is_set_as_documented(store: SqliteTrackingStore, name: str, expected: object) -> None:
    assert pragma(store, name) == expected


def test_full_durability_syncs_every_commit(open_store: Open) -> None:
    assert pragma(open_store(durability="full"), "synchronous") == 2


def test_settings_come_from_the_address_and_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_STORE_SQLITE__ARTIFACT_ROOT", "s3://bucket/runs")
    settings.reset()
    loading.reset()
    store = loading.catalog().open("drupe_tracking_stores", Uri.parse(f"sqlite:///{file}?durability=full", query=True))
    assert pragma(store, "synchronous") == 2
    assert store.create_experiment("apples").artifact_location == "s3://bucket/runs/1"
    store.close()
    with pytest.raises(InvalidSettings, match="durability"):
        loading.catalog().open("drupe_tracking_stores", Uri.parse(f"sqlite:///{file}?durability=fast", query=True))
    monkeypatch.undo()
    settings.reset()
    loading.reset()


def test_an_experiment_may_keep_its_artifacts_elsewhere(
    store: SqliteTrackingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    number = store.create_experiment("pears", artifact_location="here").experiment_id
    assert store.get_experiment(number).artifact_location == f"file://{tmp_path}/here"
    run = store.create_run(NewRun(number, run_id="apple"))
    assert run.info.artifact_uri == f"file://{tmp_path}/here/apple/artifacts"


def test_a_closed_store_says_so(open_store: Open) -> None:
    store = open_store()
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.get_experiment("0")


def test_text_that_is_not_unicode_is_refused_and_nothing_is_kept(store: SqliteTrackingStore) -> None:
    with pytest.raises(InvalidValue, match="not valid Unicode"):
        store.create_run(NewRun("0", run_id="apple", tags={"good": "1", "name": "\udcff"}))
    assert store.create_run(NewRun("0", run_id="apple")).data.tags.keys() == {"mlflow.runName"}


def test_a_number_beyond_64_bits_is_refused(store: SqliteTrackingStore) -> None:
    with pytest.raises(InvalidValue, match="64 bits"):
        store.create_run(NewRun("0", start_time=2**63))


def test_a_repeated_request_for_a_run_is_answered_again_and_another_is_refused(store: SqliteTrackingStore) -> None:
    new = NewRun("0", run_id="apple", tags={"n": "1"})
    first = store.create_run(new)
    store.update_run("apple", run_name="renamed", end_time=5)
    assert store.create_run(new).info.start_time == first.info.start_time
    assert store.create_run(new).info.run_name == "renamed"
