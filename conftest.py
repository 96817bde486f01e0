"""For all tests of the house: one PostgreSQL server for the whole run, one Python that programs are forked from, their order, and patience.

A busy machine is no fault of the code, so hypothesis does not mind how long examples take.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.order import Together, in_order
from tests.warm_python.warm import WarmPython, warm_python as opened_warm_python

# what tests compute is small: threads that wait for each other would only keep the other worker from its core
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

OWN_SERVER = Path(__file__).with_name("plugins") / "store_postgres/tests/own_server.py"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    return Together(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_order(items)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """An `OwnServer`, started by the first test that asks; whoever stops it starts it again, and each makes databases of its own."""
    spec = spec_from_file_location("own_server", OWN_SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        context = module.own_server()
        running = context.__enter__()
    except module.NoServer as reason:
        pytest.skip(str(reason))
    yield running
    context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def warm_python() -> Iterator[WarmPython]:
    """A `python` and a `drupe` that start in a tenth of the time; for tests where it is of no matter what is imported when."""
    with opened_warm_python() as warm:
        yield warm


@pytest.fixture
def quick_programs(warm_python: WarmPython, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test starts with `sys.executable` is forked from the warm Python."""
    monkeypatch.setattr(sys, "executable", warm_python.python)
