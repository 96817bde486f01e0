"""Where files of a source lie now, and which address they get here. Only folders below the given roots are ever read.

Addresses in a source are text from elsewhere: they may lead anywhere, and are only compared with the roots, never opened as they stand.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from drupe.errors import InvalidPath
from drupe.uris import join_segments

__all__ = ["Addresses", "Roots", "is_local", "is_proxied"]

_PROXIED = "mlflow-artifacts:"
_TOPS = (".", _PROXIED)  # nothing lies above


def is_local(address: str) -> bool:
    """True for a plain path or a `file:` address: what it means depends on the machine that wrote it."""
    scheme, colon, _ = address.partition(":")
    return not colon or "/" in scheme or scheme.lower() == "file"


def is_proxied(address: str) -> bool:
    """True for an address that only the server which gave it can follow."""
    return address.lower().startswith(_PROXIED)


class Roots:
    """Pairs of (address, folder): what is below the address lies below the folder. The longest address that fits decides."""

    def __init__(self, pairs: Iterable[tuple[str, Path]]) -> None:
        self._folders: dict[str, Path] = {}
        for address, folder in pairs:
            place = _path_of(address)
            if place is not None:
                self._folders.setdefault(place, folder)

    def folder_of(self, address: str) -> Path | None:
        """The folder that the address means now; None where it lies below no root, climbs out of one, or is not there."""
        place = _path_of(address)
        if place is None:
            return None
        rest: list[str] = []
        while True:
            root = self._folders.get(place)
            if root is not None:
                found = _below(root, rest[::-1])
                if found is not None:
                    return found
            parent, name = posixpath.split(place)
            if parent == place or place in _TOPS:
                return None
            place, rest = parent or ".", [*rest, name]

    def covers(self, address: str) -> bool:
        """True when the address lies below a root whose folder is there, so that nothing at it means that there never was anything."""
        place = _path_of(address)
        while place is not None:
            root = self._folders.get(place)
            if root is not None and root.is_dir():
                return True
            parent = posixpath.dirname(place)
            if parent == place or place in _TOPS:
                return False
            place = parent or "."
        return False


class Addresses:
    """What addresses of the source became here, to rewrite what points to them: the sources of model versions."""

    def __init__(self) -> None:
        self._new: dict[str, str] = {}

    def moved(self, there: str, here: str) -> None:
        """Note that what is below `there` is now below `here`."""
        if there and here:
            self._new[there.rstrip("/")] = here.rstrip("/")

    def follow(self, address: str) -> str | None:
        """The address here of something below a noted one; None where nothing was noted."""
        place, rest = address.rstrip("/"), ""
        while place:
            here = self._new.get(place)
            if here is not None:
                return here + rest
            place, slash, name = place.rpartition("/")
            rest = f"{slash}{name}{rest}"
            if place.endswith(("/", ":")):
                return None
        return None


def _path_of(address: str) -> str | None:
    """A local or proxied address as a plain path, absolute or relative to where its tool ran; None for what is none, or climbs."""
    if "\x00" in address or "\\" in address:
        return None
    if is_proxied(address):
        rest = unquote(address[len(_PROXIED) :])
        return None if rest.startswith("//") or ".." in rest.split("/") else (_PROXIED + posixpath.normpath(f"/{rest}")).rstrip("/")
    if not is_local(address):
        return None
    if address[:5].lower() == "file:":
        try:
            parts = urlsplit(address)
        except ValueError:
            return None
        if parts.netloc not in ("", "localhost"):
            return None
        address = unquote(parts.path)
    if ".." in address.split("/"):
        return None
    return posixpath.normpath("/" + address.lstrip("/") if address.startswith("/") else address or ".")


def _below(root: Path, names: Sequence[str]) -> Path | None:
    try:
        found = root.joinpath(*join_segments(names).segments)
        resolved = found.resolve(strict=True)
        return resolved if resolved.is_dir() and resolved.is_relative_to(root.resolve(strict=True)) else None
    except (InvalidPath, OSError, RuntimeError):
        return None
