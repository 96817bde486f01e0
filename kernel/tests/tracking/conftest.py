"""A workspace of its own for every test: a fresh working folder, no settings from outside, the embedded store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import drupe.loading
import drupe.settings
from drupe.tracking import address, fluent


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith(("DRUPE_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("DRUPE_CAPTURE_ENVIRONMENT", "false")
    monkeypatch.setenv("DRUPE_CAPTURE_GIT_DIFF", "false")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    drupe.settings.reset()
    drupe.loading.reset()
    yield work
    while fluent.active_run() is not None:
        fluent.end_run()
    fluent.reset()
    address.close_stores()
    drupe.settings.reset()
    drupe.loading.reset()
