"""What the operating system says about files, in the words of the contract: one reading for reads, one for writes."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drupe.errors import ArtifactNotFound, DrupeError, InvalidPath, StoreError, StoreFull, StoreReadOnly, StoreUnavailable
from drupe_store_local.beneath import LinkInTheWay, NotAFile
from drupe_store_local.digests import DigestFileUnusable

__all__ = ["reading", "writing"]

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}


@contextmanager
def reading(place: Path) -> Iterator[None]:
    """Turn OSError into ArtifactNotFound, StoreUnavailable or StoreError while `place` is read."""
    try:
        yield
    except OSError as fault:
        raise _reading_fault(place, fault) from fault


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn OSError into InvalidPath, StoreFull, StoreReadOnly, StoreUnavailable or StoreError while `place` is written or deleted."""
    try:
        yield
    except OSError as fault:
        raise _writing_fault(place, fault) from fault


def _reading_fault(place: Path, fault: OSError) -> DrupeError:
    match fault:
        case LinkInTheWay():
            return ArtifactNotFound(f"no artifact at {place}: a symbolic link is in the way, and links are not followed", path=str(place))
        case DigestFileUnusable():
            return _unusable(place, fault)
        case FileNotFoundError() | NotADirectoryError():
            return ArtifactNotFound(f"no artifact at {place}", path=str(place))
        case IsADirectoryError():
            return ArtifactNotFound(f"no file at {place}: it is a folder", path=str(place))
        case NotAFile():
            return ArtifactNotFound(f"no file at {place}: it is {fault.strerror}", path=str(place))
        case OSError(errno=errno.ENAMETOOLONG):
            return ArtifactNotFound(f"no artifact at {place}: no file can have so long a name", path=str(place))
        case PermissionError():
            return StoreUnavailable(f"{place} cannot be read: {fault.strerror}", path=str(place))
    return StoreError(f"{place} cannot be read: {fault.strerror or fault}", path=str(place))


def _writing_fault(place: Path, fault: OSError) -> DrupeError:
    match fault:
        case LinkInTheWay():
            return InvalidPath(f"{place} is refused: a symbolic link is in the way, and links are not followed", path=str(place))
        case DigestFileUnusable():
            return _unusable(place, fault)
        case NotADirectoryError():
            return InvalidPath(f"{place} is refused: a part of the path before its last is a file", path=str(place))
        case IsADirectoryError():
            return InvalidPath(f"{place} is refused: a folder is there, and a file does not replace it", path=str(place))
        case OSError(errno=errno.ENAMETOOLONG):
            return InvalidPath(f"{place} is refused: a name is too long for this file system", path=str(place))
        case OSError(errno=number) if number in _FULL:
            return StoreFull(f"no space is left to write {place}; nothing of it was kept", path=str(place))
        case OSError(errno=number) if number in _FORBIDDEN:
            return StoreReadOnly(f"{place} cannot be written: {fault.strerror}", path=str(place))
    return StoreError(f"{place} cannot be written: {fault.strerror or fault}", path=str(place))


def _unusable(place: Path, fault: OSError) -> DrupeError:
    return StoreUnavailable(f"{place.parent / str(fault.filename)} {fault.strerror}; move it away, it is no digest file", path=str(place))
