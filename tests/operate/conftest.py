"""One Docker engine with a base image for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from tests.operate.own_engine import NoEngine, make_base, own_engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Mapping[str, str]]:
    """The variables that lead Docker's client to it."""
    with ExitStack() as stack:
        try:
            environ = stack.enter_context(own_engine())
            make_base(environ, "python:3.11-slim")
        except NoEngine as reason:
            pytest.skip(str(reason))
        yield environ
