"""For all tests of the house: one PostgreSQL server for the whole run, a Python to fork programs from, files in memory, order, patience.

A busy machine is no fault of the code, so hypothesis does not mind how long examples take.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.order import Together, in_order
from tests.warm_python.warm import LEARNING, NUMBERS, WarmPython, warm_python as opened_warm_python

# what tests compute is small: threads that wait for each other would only keep the other worker from its core
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# what models import is watched in a process for each; `drupe_workspace` leaves that out too, but comes after fixtures of a session
os.environ.setdefault("DRUPE_REQUIREMENTS_INFERENCE", "false")

MEMORY, WANTED_BYTES = Path("/dev/shm"), 4 << 30
# stores wait for the disk at every commit, which is most of what their tests take; none of them lasts longer than the machine runs
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= WANTED_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Nothing that is imported goes away again: looking for garbage among it takes a seventh of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()  # nor do tests look through it


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


@pytest.fixture(scope="session")
def numerate_python() -> Iterator[WarmPython]:
    """The same for programs that compute: it has imported pandas and SciPy."""
    with opened_warm_python(*NUMBERS) as warm:
        yield warm


@pytest.fixture(scope="session")
def learned_python() -> Iterator[WarmPython]:
    """The same for programs about models: it has imported scikit-learn, so nothing that waits for its import may be asked for."""
    with opened_warm_python(*LEARNING) as warm:
        yield warm


@pytest.fixture
def quick_programs(warm_python: WarmPython, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test starts with `sys.executable` is forked from the warm Python."""
    monkeypatch.setattr(sys, "executable", warm_python.python)


@pytest.fixture
def quick_models(learned_python: WarmPython, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test starts with `sys.executable` is forked from the Python that has imported scikit-learn."""
    monkeypatch.setattr(sys, "executable", learned_python.python)
