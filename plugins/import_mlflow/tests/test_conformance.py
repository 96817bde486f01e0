"""The published kit on recorded stores of both kinds and releases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from drupe.extend import ImportSource
from drupe.testing.import_source import ImportSourceKit

from .conftest import open_source as opened


class _Recorded(ImportSourceKit):
    name: str

    @pytest.fixture
    def open_source(self, unpack: Callable[[str], Path]) -> Callable[[], ImportSource]:
        path = unpack(self.name)
        return lambda: opened(path)


class TestFileStoreOfMlflow2(_Recorded):
    name = "mlruns_2_22_5"


class TestFileStoreOfMlflow3(_Recorded):
    name = "mlruns_3_17_2"


class TestDatabaseOfMlflow2(_Recorded):
    name = "db_2_22_5"


class TestDatabaseOfMlflow3(_Recorded):
    name = "db_3_17_2"
