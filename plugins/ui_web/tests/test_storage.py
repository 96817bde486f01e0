"""What is kept, as the system page is told it: measured on request beside everything else, and kept until it is measured again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from drupe.artifacts.repos import repo_for
from drupe.entities import ExperimentStorage, LogBatch, NewRun, Points
from drupe.errors import StoreUnavailable
from drupe.extend import ServedStore, WebRequest
from drupe.testing.memory import MemoryRegistryStore, MemoryTrackingStore
from drupe.uris import ArtifactPath, Uri
from drupe_store_sqlite.stores import SqliteTrackingStore
from drupe_ui_web.storage import Storage
from plugins.ui_web.tests.conftest import Ui

ASKED = WebRequest("GET")


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[SqliteTrackingStore]:
    store = SqliteTrackingStore.open(Uri.parse(f"sqlite:///{tmp_path}/runs.db"))
    yield store
    store.close()


def storage_of(tracking: Any, folder: Path) -> Storage:
    repo = repo_for(folder.as_uri())
    return Storage(ServedStore(tracking, MemoryRegistryStore(), lambda address: (repo, ArtifactPath()), lambda kind, **about: None))


def ended(storage: Storage) -> Any:
    assert storage._thread is not None
    storage._thread.join(30)
    return storage.told(ASKED)


def read(reply: Any) -> dict[str, Any]:
    return dict(json.loads(reply.body))


def test_runs_points_and_files_are_counted_when_somebody_asks(tracking: SqliteTrackingStore, tmp_path: Path) -> None:
    tracking.create_experiment("vision")
    for home, count in (("0", 1), ("1", 3)):
        run_id = tracking.create_run(NewRun(home)).info.run_id
        tracking.log_batch(run_id, LogBatch({"loss": Points.of([(n, n, 0.5) for n in range(count)])}))
    (tmp_path / "files" / "1" / "deep").mkdir(parents=True)
    (tmp_path / "files" / "1" / "deep" / "a.bin").write_bytes(b"x" * 1000)
    (tmp_path / "files" / "b.bin").write_bytes(b"x" * 24)
    storage = storage_of(tracking, tmp_path / "files")
    assert read(storage.told(ASKED))["state"] == "never"
    storage.measure(ASKED)
    told = read(ended(storage))
    assert (told["state"], told["reason"]) == ("done", "")
    assert told["artifacts"] == {"files": 2, "bytes": 1024, "is_whole": True}
    assert {one["name"]: (one["runs"], one["points"]) for one in told["kept"]} == {"vision": (1, 3), "Default": (1, 1)}
    assert all(one["point_bytes"] > 0 for one in told["kept"])
    assert told["looked_at"] == told["experiments"] == 2


class Waiting(MemoryTrackingStore):
    """Answers when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may, self.asked = Event(), 0

    def experiment_storage(self, experiment_id: str) -> ExperimentStorage | None:
        self.asked += 1
        assert self.may.wait(30)
        return None


def test_asking_again_while_it_goes_on_begins_nothing_new_and_closing_ends_it(tmp_path: Path) -> None:
    tracking = Waiting()
    for name in "abc":
        tracking.create_experiment(name)
    storage = storage_of(tracking, tmp_path)
    storage.measure(ASKED)
    first = storage._thread
    assert read(storage.measure(ASKED))["state"] == "running"
    assert storage._thread is first
    storage._stop.set()
    tracking.may.set()
    storage.close()
    assert first is not None
    assert not first.is_alive()
    assert tracking.asked <= 1
    assert read(storage.measure(ASKED))["state"] != "running"


def test_a_store_that_cannot_be_reached_is_told_with_the_reason(tmp_path: Path) -> None:
    class Away(MemoryTrackingStore):
        def experiment_storage(self, experiment_id: str) -> ExperimentStorage | None:
            raise StoreUnavailable("the database is away")

    storage = storage_of(Away(), tmp_path)
    storage.measure(ASKED)
    told = read(ended(storage))
    assert (told["state"], told["reason"]) == ("failed", "the database is away")


def test_the_routes_answer_on_a_server_and_it_ends_while_it_measures(ui: Ui) -> None:
    ui.server.new_run()
    assert ui.get("storage")["state"] in ("never", "done")
    assert ui.post("storage/measure")["state"] in ("running", "done")
