"""A server for the whole session, and for each test an empty database on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

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


own_server = _load(Path(__file__).with_name("own_server.py"))


def uri_of(address: str) -> Uri:
    return Uri.parse(address, query=True, user_info=True)


@pytest.fixture(scope="session")
def server() -> Iterator[Any]:
    try:
        context = own_server.own_server()
        running = context.__enter__()
    except own_server.NoServer as reason:
        pytest.skip(str(reason))
    yield running
    context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def population() -> Any:
    """Fills a big store; see the module."""
    return _load(Path(__file__).with_name("population.py"))


@pytest.fixture(scope="session")
def only_database(server: Any) -> str:
    return str(server.new_database())


@pytest.fixture
def database(server: Any, only_database: str) -> str:
    """The name of an empty database; emptying one takes half as long as making one."""
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
        chosen = PostgresSettings(**{"artifact_root": str(tmp_path / "artifacts"), **settings})
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
