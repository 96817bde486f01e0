"""One server for all attacks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.target import Target, target_in


@pytest.fixture(scope="session")
def shared_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with target_in(tmp_path_factory.mktemp("target")) as target:
        yield target


@pytest.fixture
def target(shared_target: Target) -> Iterator[Target]:
    yield shared_target
    shared_target.check_intact()
