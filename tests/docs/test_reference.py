"""The reference pages that are made from code say what the code says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def generate(docs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(docs / "generate.py"), *arguments], capture_output=True, text=True, check=False)


def test_the_pages_are_what_the_code_says() -> None:
    done = generate(DOCS, "--check")
    assert done.returncode == 0, done.stderr


def test_a_stale_page_is_named_and_written_anew(tmp_path: Path) -> None:
    for script in ("generate.py", "search_page.py"):
        shutil.copy(DOCS / script, tmp_path)
    generate(tmp_path)
    page = tmp_path / "reference" / "errors.md"
    good = page.read_text()
    page.write_text(good.replace("DRP-0101", "DRP-9999"))
    done = generate(tmp_path, "--check")
    assert (done.returncode, done.stderr) == (1, "docs/reference/errors.md is not what the code says; run: python docs/generate.py\n")
    assert generate(tmp_path).stdout == "wrote docs/reference/errors.md\n"
    assert page.read_text() == good
