"""The source of files on the web passes the published kit, and its front door the published check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from drupe.extend import DatasetSource
from drupe.testing.dataset_source import DatasetSourceKit
from drupe.testing.plugin import check_front_door
from drupe.uris import Uri
from drupe_source_http.source import HttpFile


def test_the_front_door_keeps_the_rules() -> None:
    check_front_door("drupe_source_http")


class TestHttpFile(DatasetSourceKit):
    @pytest.fixture
    def publish(self, web: Any) -> Callable[[str, bytes], DatasetSource]:
        def put(name: str, content: bytes) -> DatasetSource:
            web.files[name] = content
            return HttpFile.open(Uri.parse(f"{web.address}/{name}"))

        return put

    @pytest.fixture
    def nothing(self, web: Any) -> DatasetSource:
        return HttpFile.open(Uri.parse(f"{web.address}/missing.csv"))
