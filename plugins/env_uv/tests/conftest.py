"""Environments that the tests of one file share, and a workspace whose commands and models use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def workspace(drupe_workspace: Path, environments: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRUPE_ENV_ROOT", str(environments))
    return drupe_workspace
