"""The checks of the browser's part that need no browser: its types, and its component tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from drupe_ui_web.building import FRONTEND, find_node

MODULES = FRONTEND / "node_modules"
PATIENT = ("--testTimeout=60000", "--hookTimeout=60000")  # on a busy machine
QUICK = ("--pool=threads", "--no-isolate", "--maxWorkers=1")  # a fifth of the processor time


@pytest.fixture(scope="module")
def node() -> Path:
    try:
        found, _ = find_node()
        reason = "" if MODULES.is_dir() else "the packages of the web UI are not installed: make setup"
    except SystemExit as fault:
        reason = str(fault)
    if reason:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return found


def told_by(node: Path, *command: str) -> None:
    done = subprocess.run([node, *command], cwd=FRONTEND, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240)
    assert done.returncode == 0, done.stdout


def test_types_hold(node: Path) -> None:
    told_by(node, str(MODULES / "typescript/bin/tsc"), "--noEmit")


def test_components_do_what_their_tests_say(node: Path) -> None:
    told_by(node, str(MODULES / "vitest/vitest.mjs"), "run", "--reporter=dot", "--no-color", *QUICK, *PATIENT)
