"""A server for the whole session, and for each test an empty database on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import psycopg
import pytest

from drupe.entities import NewRun
from drupe.uris import Uri
from drupe_store_postgres.settings import PostgresSettings
from drupe_store_postgres.stores import PostgresTrackingStore

Open = Callable[..., PostgresTrackingStore]


def _load(path: Path) -> Any:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def uri_of(address: str) -> Uri:
    return Uri.parse(address, query=True, user_info=True)


@pytest.fixture(scope="session")
def server(postgres_server: Any) -> Any:
    return postgres_server


@pytest.fixture(scope="session")
def population() -> Any:
    """Fills a big store; see the module."""
    return _load(Path(__file__).with_name("population.py"))


@pytest.fixture(scope="session")
def template(server: Any) -> str:
    """The name of a database with a new store in it, which nobody is connected to."""
    name = str(server.new_database())
    PostgresTrackingStore.open(uri_of(server.address(name))).close()
    return name


@pytest.fixture(scope="session")
def only_database(server: Any, template: str) -> str:
    return str(server.new_database(f"TEMPLATE {template}"))


@pytest.fixture
def database(server: Any, only_database: str, tmp_path: Path) -> str:
    """The name of a database with a new store in it; clearing one takes a tenth of the time of making one."""
    try:
        server.clear(only_database, Uri.parse(tmp_path / "drupe-artifacts").text)
    except psycopg.Error:  # a test before has left something else
        server.empty(only_database)
        PostgresTrackingStore.open(uri_of(server.address(only_database))).close()
        server.clear(only_database, Uri.parse(tmp_path / "drupe-artifacts").text)
    return only_database


@pytest.fixture
def empty_database(server: Any, only_database: str) -> str:
    """The name of a database with nothing in it."""
    server.empty(only_database)
    return only_database


@pytest.fixture
def address(server: Any, database: str) -> str:
    return str(server.address(database))


@pytest.fixture
def open_store(address: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the tracking store of `address`, or of another one; all are closed in the end."""
    opened: list[PostgresTrackingStore] = []

    def opener(at: str = address, **settings: Any) -> PostgresTrackingStore:
        chosen = PostgresSettings(**{"artifact_root": str(tmp_path / "drupe-artifacts"), **settings})
        opened.append(PostgresTrackingStore.open(uri_of(at), chosen))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Open) -> PostgresTrackingStore:
    return open_store()


@pytest.fixture
def run_id(store: PostgresTrackingStore) -> str:
    return store.create_run(NewRun("0", run_id="apple")).info.run_id
