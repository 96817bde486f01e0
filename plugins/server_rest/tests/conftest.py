"""One server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.server_rest.tests.served import Served, start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = start(tmp_path_factory.mktemp("served"))
    yield served
    assert served.stop() == 0
