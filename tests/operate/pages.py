"""The code blocks of a how-to page, for tests that run them one by one in a world that they have set up."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """The blocks of one language, in order."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    return [code for found, code in BLOCK.findall(text) if found == language]


def run_block(code: str, environ: Mapping[str, str], folder: Path) -> str:
    """Run a block of the shell; what it printed. Fails with what it said."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code], env=dict(environ), cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout
