"""Checks of a database file before SQLite sees it: cheap, and before anything could be written to it."""

from __future__ import annotations

import os
from pathlib import Path

from drupe.errors import StoreReadOnly, StoreUnavailable
from drupe_store_sqlite import faults

__all__ = ["check_file", "size_of"]

_MAGIC = b"SQLite format 3\x00"
_HEADER = 100


def check_file(file: Path) -> None:
    """Make the parent folder of a new file, or look at the header of one that is there.

    Raises StoreUnavailable (a folder, or not reachable), StoreReadOnly (nothing is there and nothing can be made), StoreCorrupt.
    """
    if file.is_dir():
        raise StoreUnavailable(f"{file}: this is a folder; a SQLite store is one file, such as {file / 'drupe.db'}", path=str(file))
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            if not os.access(file.parent, os.W_OK):
                raise StoreReadOnly(f"{file}: there is no such file, and its folder is read-only", path=str(file))
            return
        size = file.stat().st_size
        with file.open("rb") as opened:
            header = opened.read(_HEADER)
    except OSError as fault:
        raise StoreUnavailable(f"{file}: the database cannot be opened: {fault.strerror or fault}", path=str(file)) from fault
    if size:  # an empty file is an empty database
        _check_header(file, header, size)


def size_of(file: Path) -> int:
    """The bytes of a database with its log."""
    return sum(_size(file.with_name(file.name + end)) for end in ("", "-wal", "-journal"))


def _check_header(file: Path, header: bytes, size: int) -> None:
    if not header.startswith(_MAGIC):
        raise faults.corrupt(file, f"its first bytes are {header[:16]!r}, not those of an SQLite file")
    if len(header) < _HEADER:
        raise faults.corrupt(file, f"it ends after {size} bytes, inside its header")
    page = int.from_bytes(header[16:18], "big")
    page = 65536 if page == 1 else page
    if page < 512 or page & (page - 1):
        raise faults.corrupt(file, f"its header tells of pages of {page} bytes")
    pages = int.from_bytes(header[28:32], "big")
    has_log = any(_size(file.with_name(file.name + end)) for end in ("-wal", "-journal"))
    if pages and size < pages * page and header[24:28] == header[92:96] and not has_log:
        raise faults.corrupt(file, f"it was cut short: {size} bytes instead of {pages * page}")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
