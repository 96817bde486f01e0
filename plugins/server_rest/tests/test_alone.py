"""One server for a file, several for a database."""

from __future__ import annotations

from pathlib import Path

import pytest

from drupe.errors import StoreBusy
from drupe.tracking.journal.places import forget_roots
from drupe_server_rest.opening import alone


@pytest.fixture(autouse=True)
def _state_is_kept_in_a_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    forget_roots()


def test_a_file_is_served_by_one_server(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/runs.db"
    with alone(store), pytest.raises(StoreBusy, match="served already"), alone(store):
        pass


def test_a_database_is_served_by_several_servers_of_one_machine() -> None:
    store = "postgresql://db.example/runs"
    with alone(store), alone(store):
        pass
