"""Recorded MLflow stores, unpacked for each test, and importing them into a new store."""

from __future__ import annotations

import json
import lzma
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drupe.extend import ImportSource, RegistryStore, TrackingStore
from drupe.loading import catalog
from drupe.migrate.bringing import Options, bring
from drupe.migrate.report import ImportReport
from drupe.testing.plugin import drupe_workspace
from drupe.uris import Uri

__all__ = ["drupe_workspace"]

SAMPLES = Path(__file__).with_name("samples")
EXPECTED = json.loads(lzma.decompress((SAMPLES / "expected.json.xz").read_bytes()))["stores"]


class Brought:
    """A new store, and importing into it as often as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.address = Uri.parse(f"sqlite:///{folder}/here.db")
        self.tracking: TrackingStore = catalog().open("drupe_tracking_stores", self.address)
        self.registry: RegistryStore = catalog().open("drupe_registry_stores", self.address)

    def bring(self, source: str | Path | Uri, **options: Any) -> ImportReport:
        opened = open_source(source)
        try:
            return bring(opened, self.tracking, self.registry, target="here", options=Options(**options))
        finally:
            opened.close()


def open_source(source: str | Path | Uri) -> ImportSource:
    opened: ImportSource = catalog().open("drupe_import_sources", Uri.parse(source, query=True, user_info=True))
    return opened


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Brought]:
    made = Brought(tmp_path)
    yield made
    made.tracking.close()
    made.registry.close()


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[str], Path]:
    """A function that unpacks a recorded store and gives what `drupe import` is given for it."""

    def unpacked(name: str) -> Path:
        with tarfile.open(SAMPLES / f"{name}.tar.xz") as packed:
            packed.extractall(tmp_path / "samples", filter="data")
        folder = tmp_path / "samples" / name
        for inner in [folder, *folder.rglob("*")]:
            inner.chmod(0o755 if inner.is_dir() else 0o644)
        return folder / "mlflow.db" if name.startswith("db_") else folder

    return unpacked
