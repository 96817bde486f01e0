"""The nets of the tests lie beside them, where other processes can import them too; those processes begin with torch imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drupe.testing.plugin import drupe_workspace
from tests.warm_python.warm import WarmPython, warm_python

__all__ = ["drupe_workspace"]

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def with_torch() -> None:
    """Skips what is about torch where it is not installed; only those tests import it, which takes seconds."""
    pytest.importorskip("torch", reason="torch is not installed; in a checkout it is on Python 3.11 only")


@pytest.fixture(scope="session")
def python_with_torch(with_torch: None) -> Iterator[WarmPython]:
    with warm_python("pandas", "torch", "torch.export") as warm:
        yield warm


@pytest.fixture
def quick_nets(python_with_torch: WarmPython, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test starts with `sys.executable` is forked from a Python that has imported torch."""
    monkeypatch.setattr(sys, "executable", python_with_torch.python)
