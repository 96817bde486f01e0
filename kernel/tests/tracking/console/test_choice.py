"""Which programs are captured without asking, and what the setting says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drupe.errors import InvalidSettings
from drupe.settings import settings
from drupe.tracking.console.choice import is_wanted

ASK = "from drupe.tracking.console.choice import is_wanted; print(is_wanted())"


def answer(folder: Path, *words: str, **changes: str) -> str:
    environment = {name: text for name, text in os.environ.items() if name not in ("PYTEST_CURRENT_TEST", "DRUPE_CAPTURE_CONSOLE")}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**environment, **changes},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_scripts_modules_and_commands_are_captured(workspace: Path) -> None:
    (workspace / "train.py").write_text(ASK)
    assert answer(workspace, "train.py") == "True"
    assert answer(workspace, "-m", "train") == "True"
    assert answer(workspace, "-c", ASK) == "True"


def test_interactive_shells_tests_and_notebooks_are_not(workspace: Path) -> None:
    assert answer(workspace, "-i", "-c", ASK) == "False"
    assert answer(workspace, "-c", ASK, PYTEST_CURRENT_TEST="x") == "False"
    assert answer(workspace, "-c", f"import sys; sys.modules['ipykernel'] = sys; {ASK}") == "False"


def test_the_setting_decides_for_all_of_them(workspace: Path) -> None:
    assert answer(workspace, "-i", "-c", ASK, DRUPE_CAPTURE_CONSOLE="yes") == "True"
    assert answer(workspace, "-c", ASK, DRUPE_CAPTURE_CONSOLE="0") == "False"
    (workspace / "drupe.toml").write_text("capture_console = false\n")
    assert answer(workspace, "-c", ASK) == "False"
    assert answer(workspace, "-c", ASK, DRUPE_CAPTURE_CONSOLE="AUTO") == "True"


def test_another_word_is_refused_with_what_would_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_CAPTURE_CONSOLE", "sometimes")
    with pytest.raises(InvalidSettings, match="DRUPE_CAPTURE_CONSOLE must be auto, or 1/true/yes/on or 0/false/no/off, not 'sometimes'"):
        settings().get("capture_console")
    monkeypatch.setenv("DRUPE_CAPTURE_CONSOLE", "true")
    assert is_wanted()
