"""The nets of the tests lie beside them, where other processes can import them too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def _no_requirements_from_another_process() -> Iterator[None]:
    """Watching what a model imports takes a process that imports torch, for every model; the kernel's tests are about it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRUPE_REQUIREMENTS_INFERENCE", "false")
        yield
