"""Runs the code blocks of one documentation page, in order, in the working folder.

Python blocks share one namespace, as in a notebook; bash blocks run in between. Called by `test_pages.py` in a process of its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main(page: Path) -> None:
    namespace = {"__name__": "__main__"}
    text = page.read_text()
    for found in BLOCK.finditer(text):
        language, code = found.groups()
        line = text[: found.start()].count("\n") + 2
        print(f"--- {page.name}:{line} {language}", flush=True)
        if language == "python":
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), namespace)
        elif language == "bash":
            subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
