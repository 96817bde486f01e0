"""Which distributions claim to be plugins: entry points of the group `drupe.plugins`, read as data. Nothing of a plugin is imported here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

__all__ = ["GROUP", "Claim", "Installed", "discover"]

GROUP = "drupe.plugins"
_NAME = re.compile(r"^Name:[ \t]*(\S+)", re.MULTILINE)
_VERSION = re.compile(r"^Version:[ \t]*(\S+)", re.MULTILINE)


class Claim(NamedTuple):
    """An entry point: the plugin's name, its front door's module, and who installed it."""

    name: str
    module: str
    distribution: str = ""
    version: str = ""


class Installed(Protocol):
    """What is asked of an installed distribution: its metadata files, by name."""

    def read_text(self, filename: str, /) -> str | None: ...


def discover(installed: Iterable[Installed] | None = None) -> list[Claim]:
    """All claims of the distributions on `sys.path`, by name, then by distribution.

    Of one distribution that lies on the path twice, the first is meant, as with imports. A distribution whose files cannot be read
    is passed over: it has no name under which to report it.
    """
    if installed is None:
        from importlib_metadata import distributions  # here: its import is a good part of the start-up time, and tests give their own

        installed = distributions()
    claims: list[Claim] = []
    seen: set[str] = set()
    for distribution in installed:
        try:
            text = distribution.read_text("entry_points.txt")
            # Most distributions have no entry point of ours; looking for the header spares parsing theirs.
            if not text or f"[{GROUP}]" not in text.replace(" ", ""):
                continue
            metadata = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
        except (OSError, UnicodeDecodeError):
            continue
        name, version = _NAME.search(metadata), _VERSION.search(metadata)
        owner = name[1] if name else ""
        key = re.sub(r"[-_.]+", "-", owner).lower()
        if key and key in seen:
            continue
        seen.add(key)
        claims += [Claim(entry, module, owner, version[1] if version else "") for entry, module in _entries(text)]
    return sorted(claims)


def _entries(text: str) -> list[tuple[str, str]]:
    """The lines `name = module` below our header; lines of any other form are left for nobody to fall over."""
    found: list[tuple[str, str]] = []
    is_ours = False
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("["):
            is_ours = line.strip("[] \t") == GROUP
        elif is_ours and "=" in line and not line.startswith(("#", ";")):
            name, _, module = line.partition("=")
            found.append((name.strip(), module.strip()))
    return found
