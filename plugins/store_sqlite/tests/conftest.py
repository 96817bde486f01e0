"""A store in an empty folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from drupe.entities import NewRun
from drupe.uris import Uri
from drupe_store_sqlite.settings import SqliteSettings
from drupe_store_sqlite.stores import SqliteTrackingStore

Open = Callable[..., SqliteTrackingStore]


def uri_of(file: Path) -> Uri:
    return Uri.parse(f"sqlite:///{file}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def open_store(file: Path) -> Iterator[Open]:
    """Opens the tracking store of `file`, or of another one; all are closed in the end."""
    opened: list[SqliteTrackingStore] = []

    def opener(at: Path = file, **settings: object) -> SqliteTrackingStore:
        opened.append(SqliteTrackingStore.open(uri_of(at), SqliteSettings(**settings)))  # type: ignore[arg-type]
        return opened[-1]

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> SqliteTrackingStore:
    return open_store()


@pytest.fixture
def run_id(store: SqliteTrackingStore) -> str:
    return store.create_run(NewRun("0", run_id="apple")).info.run_id


@pytest.fixture(scope="session")
def population() -> Any:
    """The builder of big stores, which lies with the benchmarks."""
    spec = spec_from_file_location("drupe_population", Path(__file__).parents[3] / "benchmarks" / "population.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
