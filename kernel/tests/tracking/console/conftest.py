"""Real programs in a workspace of their own, which print with a run of theirs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

import drupe
from drupe.testing.plugin import drupe_workspace
from drupe.tracking.console.reading import ConsoleLine, ConsoleLog
from drupe.tracking.journal.places import run_folder

__all__ = ["drupe_workspace"]


@pytest.fixture(autouse=True)
def workspace(drupe_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRUPE_CAPTURE_CONSOLE", "true")
    return drupe_workspace


@frozen
class Program:
    """How a program is started: `run` waits for its end, `start` does not."""

    folder: Path
    python: str

    def start(self, code: str, **rest: Any) -> subprocess.Popen[bytes]:
        (self.folder / "train.py").write_text(f"import os, sys, drupe\n{code}")
        return subprocess.Popen(
            [self.python, "train.py"], cwd=self.folder, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **rest}
        )

    def run(self, code: str, **rest: Any) -> subprocess.CompletedProcess[bytes]:
        with self.start(code, **rest) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture
def program(workspace: Path, warm_python: Any) -> Program:
    return Program(workspace, warm_python.python)


@pytest.fixture
def kept() -> Callable[..., list[ConsoleLine]]:
    """What was kept of the only run, or of the run with that name."""

    def lines(name: str | None = None) -> list[ConsoleLine]:
        (run,) = drupe.search_runs(filter_string=f"run_name = '{name}'" if name else "", search_all_experiments=True, output_format="list")
        client = drupe.Client()
        log = ConsoleLog(run_folder(client.tracking_uri, run.info.run_id), lambda: client.artifact_repo(run.info.run_id))
        try:
            return list(log.lines())
        finally:
            log.close()

    return lines
