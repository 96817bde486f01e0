"""docs/how-to/write-a-plugin.md, done: its files are built into wheels and installed, its commands run, its output compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-plugin.md"
BLOCK = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def install_wheel(folder: Path, house: Any) -> None:
    """Build with the backend that the project names, and unpack where an installer would."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("dist/*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(house.site)


@pytest.mark.slow
def test_the_example_can_be_built_installed_checked_and_used(house: Any) -> None:
    text = PAGE.read_text()
    blocks = BLOCK.findall(text)
    for _, title, code in blocks:
        if title:
            (house.work / title).parent.mkdir(parents=True, exist_ok=True)
            (house.work / title).write_text(code)
    for project in sorted(house.work.glob("*/pyproject.toml")):
        install_wheel(project.parent, house)
    commands = {"drupe": ["-m", "drupe"], "pytest": ["-m", "pytest", "-p", "no:cacheprovider"], "python": []}
    ran = 0
    for language, _, code in blocks:
        if language != "console":
            continue
        for step in re.split(r"^\$ ", code, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            word, *arguments = shlex.split(command)
            done = house.run(*commands[word], *arguments, COLUMNS="200")
            assert done.code == 0, f"{command}\n{done.out}{done.err}"
            shown = [" ".join(line.split()) for line in done.out.splitlines()]
            for line in expected.splitlines():
                assert any(" ".join(line.split()) in one for one in shown), f"{command}: {line!r} is not in\n{done.out}"
            ran += 1
    assert ran == text.count("\n$ ") >= 5
    assert os.path.exists(house.work / "drawer.db")
