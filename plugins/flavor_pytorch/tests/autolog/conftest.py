"""Faults of autologging are errors here; Lightning's advice on loaders and devices is none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]


@pytest.fixture(scope="session")
def with_lightning(with_torch: None) -> None:
    pytest.importorskip("lightning", reason="lightning is not installed; in a checkout it comes with torch")


@pytest.fixture(autouse=True)
def workspace(drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DRUPE_STRICT_AUTOLOG", "1")
    levels = {name: logging.getLogger(name).level for name in logging.root.manager.loggerDict if name.startswith("lightning")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    yield drupe_workspace
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
