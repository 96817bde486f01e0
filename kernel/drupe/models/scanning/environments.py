"""Lines of the environment files that do more than name a package and its version: told to whoever looks, since pip acts on them.

They run nothing when a model is loaded, but whoever installs them runs what they lead to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drupe.errors import InvalidModelFolder
from drupe.models.scanning.findings import Finding
from drupe.models.yaml_text import read_yaml
from drupe.uris import redact

__all__ = ["environment_notes"]

_LISTS = ("requirements.txt", "constraints.txt")
_YAMLS = ("conda.yaml", "python_env.yaml")
_MOST_BYTES = 2**20
_OWN = re.compile(r"-[rc]\s*(requirements|constraints)\.txt")
_INDEX = re.compile(r"(-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host|--no-index)\b")
_DIRECT = re.compile(r"(@\s*\w[\w+.-]*:)|(^\w[\w+.-]*://)|(^(git|hg|svn|bzr)\+)|(^file:)|(^\.{0,2}/)|(\.(whl|zip|tar\.gz)(\s|#|$))")


def environment_notes(folder: Path) -> Iterator[Finding]:
    """One for each line that takes packages from elsewhere, or has pip do something; secrets in addresses are left out."""
    for name in _LISTS:
        file = folder / name
        if file.is_file() and file.stat().st_size <= _MOST_BYTES:
            lines = file.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ").splitlines()
            yield from _notes(name, lines)
    for name in _YAMLS:
        file = folder / name
        if file.is_file() and file.stat().st_size <= _MOST_BYTES:
            try:
                yield from _notes(name, list(_texts(read_yaml(file))))
            except InvalidModelFolder as fault:
                yield Finding(name, f"cannot be read: {fault.message[:300]}")


def _notes(name: str, lines: list[str]) -> Iterator[Finding]:
    for line in lines:
        entry = line.split(" #")[0].strip()
        if not entry or entry.startswith("#") or _OWN.fullmatch(entry):
            continue
        shown = " ".join(redact(part) if "://" in part else part for part in entry.split())[:200]
        if _INDEX.match(entry):
            yield Finding(name, f"has packages looked for elsewhere: {shown}")
        elif entry.startswith("-"):
            yield Finding(name, f"gives pip an option: {shown}")
        elif _DIRECT.search(entry):
            yield Finding(name, f"has a package fetched from an address of its own, whose code is run to install it: {shown}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in ("dependencies", "build_dependencies", "pip"):
                yield from _texts(inner)
            elif key == "channels" and isinstance(inner, list):
                yield from (f"--find-links {channel}" for channel in map(str, inner) if "://" in channel)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
