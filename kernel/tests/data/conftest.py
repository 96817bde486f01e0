"""Every test of datasets works in a workspace of its own, on the embedded store."""

from __future__ import annotations

from pathlib import Path

import pytest

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]


@pytest.fixture(autouse=True)
def workspace(drupe_workspace: Path) -> Path:
    return drupe_workspace
