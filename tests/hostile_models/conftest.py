"""A harmless model to make hostile ones from, made once, and a workspace whose user has made none of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import drupe
from drupe.testing.plugin import drupe_workspace
from tests.hostile_models.folders import HOSTILE, Payload

__all__ = ["drupe_workspace"]


@pytest.fixture(scope="session")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in a skops file, saved by somebody else."""
    folder = tmp_path_factory.mktemp("harmless") / "model"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_STATE_HOME", str(folder.parent / "state"))
        patched.setenv("XDG_CONFIG_HOME", str(folder.parent / "config"))
        drupe.sklearn.save_model(LogisticRegression().fit(np.eye(2), [0, 1]), folder)
    return folder


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """The folder that hostile code makes."""
    return tmp_path / "code-was-run"


@pytest.fixture
def make(harmless: Path, marker: Path, tmp_path: Path, drupe_workspace: Path) -> Callable[[str], Path]:
    """A function (name) that makes the hostile folder of that name."""

    def made(name: str) -> Path:
        folder = tmp_path / "given" / "model"
        shutil.copytree(harmless, folder)
        HOSTILE[name](folder, Payload(marker))
        return folder

    return made
