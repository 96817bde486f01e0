"""Which distributions claim to be plugins: entry points of the group `drupe.plugins`, read as data. Nothing of a plugin is imported here.

Metadata folders on `sys.path` are read directly: importing importlib_metadata and asking it would be a third of what `drupe --help` takes.
It is asked for what is not a plain folder: zip files, and finders that others have put on `sys.meta_path`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
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
    claims: list[Claim] = []
    seen: set[str] = set()
    for distribution in _installed() if installed is None else installed:
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


class _Folder:
    """A metadata folder, `x-1.0.dist-info` or an older form."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    def read_text(self, filename: str, /) -> str | None:
        """The file's text, or None when there is no such file. Only entry points must be UTF-8: an author's name hides no plugin."""
        try:
            with open(f"{self.path}/{filename}", "rb", buffering=0) as file:  # half the time of a text file, a hundred times over
                return file.read().decode("utf-8", "strict" if filename == "entry_points.txt" else "replace")
        except (FileNotFoundError, NotADirectoryError):  # an .egg-info may be a file
            return None


def _installed() -> Iterator[Installed]:
    if not all(map(_is_usual, sys.meta_path)):
        yield from _asked(sys.path)
        return
    for place in dict.fromkeys(sys.path):
        try:
            names = sorted(os.listdir(place or os.curdir))
        except NotADirectoryError:
            yield from _asked([place])
            continue
        except OSError:
            continue
        for name in names:
            # A leading tilde is what pip leaves behind when it could not remove a folder.
            if name.lower().endswith((".dist-info", "egg-info")) and not name.startswith("~"):
                yield _Folder(os.path.join(place, name))


def _asked(path: list[str]) -> Iterable[Installed]:
    from importlib_metadata import distributions  # here: see the module's docstring

    return distributions(path=path)


def _is_usual(finder: object) -> bool:
    """True for the finders that every Python has, and for those that know nothing of distributions."""
    kind = finder if isinstance(finder, type) else type(finder)
    return not hasattr(finder, "find_distributions") or kind.__module__ in ("_frozen_importlib_external", "importlib_metadata")


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
