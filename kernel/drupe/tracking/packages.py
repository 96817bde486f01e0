"""What is installed, by name and version, as `requirements.txt` has it.

Only the first lines of each distribution's metadata are read: parsing all of it takes a hundred times as long, and holds up training.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

__all__ = ["installed_packages"]

HEAD_BYTES = 4096
_FILES = {".dist-info": ("METADATA",), ".egg-info": ("PKG-INFO", "")}


def installed_packages(folders: Iterable[str] | None = None) -> list[str]:
    """`name==version` of every distribution in `folders` (`sys.path`), sorted, each once: the first on the path is the one that is imported."""
    found: dict[str, str] = {}
    for folder in sys.path if folders is None else folders:
        try:
            entries = sorted(os.listdir(folder or os.curdir))
        except OSError:  # an archive, or a folder that is not there
            continue
        for entry in entries:
            name, version = _name_and_version(os.path.join(folder, entry), os.path.splitext(entry)[1])
            if name and version:
                found.setdefault(name.lower().replace("_", "-").replace(".", "-"), f"{name}=={version}")
    return [found[name] for name in sorted(found)]


def _name_and_version(entry: str, ending: str) -> tuple[str, str]:
    for file in _FILES.get(ending, ()):
        try:
            with open(os.path.join(entry, file) if file else entry, "rb") as opened:
                head = opened.read(HEAD_BYTES).decode("utf-8", "replace")
        except OSError:  # half removed, or a folder where a file was looked for; the others are still worth keeping
            continue
        facts = dict(line.split(": ", 1) for line in head.partition("\n\n")[0].splitlines() if ": " in line and line[0].isalpha())
        return facts.get("Name", "").strip(), facts.get("Version", "").strip()
    return "", ""
