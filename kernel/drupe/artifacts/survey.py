"""What a local folder holds now: every file with size and SHA-256, read once, and whether any of it has changed since.

Links, pipes and devices are never opened; they are told as `odd`. Which of it may be loaded is not decided here, see `manifest`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import field, frozen

from drupe.artifacts.bookkeeping import is_bookkeeping

__all__ = ["Seen", "Survey", "copy_files", "is_private", "listing_digest", "survey", "walk"]

_CONTROL = re.compile(r"[\x00-\x1f]")
_COMPILED = "__pycache__"
"""Left beside sources by whoever imports them (MLflow does); not looked at here, and never read by `drupe.models`."""
_PARALLEL_FROM_BYTES = 32 * 2**20
_AT_ONCE_BYTES = 2**20
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@frozen
class Seen:
    """One file as it was read: `size` in bytes, `sha256` in hex, and what the file system says when it is changed or replaced."""

    size: int
    sha256: str
    identity: tuple[int, int, int, int] = field(eq=False)


@frozen
class Survey:
    """The files below `folder` by path, sorted; `odd` says in words what is neither file nor folder."""

    folder: Path
    files: Mapping[str, Seen]
    odd: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Stands for names and contents of all files: see `listing_digest`."""
        return listing_digest((path, seen.size, seen.sha256) for path, seen in self.files.items())

    def changed_since(self) -> list[str]:
        """Files that were changed, replaced or removed since they were read; by what the file system says, nothing is read."""
        return [path for path, seen in self.files.items() if _identity_of(f"{self.folder}/{path}") != seen.identity]


def survey(folder: Path, *, leave_out: Iterable[str] = ()) -> Survey:
    """Read every file below `folder` but those of the names `leave_out` (at its top) and those that artifact stores keep for themselves."""
    found, odd = walk(folder, leave_out=leave_out)
    return Survey(folder, _read_all(folder, found), tuple(odd))


def walk(folder: Path, *, leave_out: Iterable[str] = ()) -> tuple[dict[str, int], list[str]]:
    """Every ordinary file below `folder` with its size, sorted by path, and what is neither file nor folder, in words. Nothing is opened."""
    found: dict[str, int] = {}
    odd: list[str] = []
    for path, entry in _entries(folder, frozenset(leave_out)):
        if _CONTROL.search(path):
            odd.append(f"{path!r} has a control character in its name")
        elif entry.is_symlink():
            odd.append(f"{path} is a link; a model folder holds the files themselves")
        elif entry.is_file(follow_symlinks=False):
            found[path] = entry.stat(follow_symlinks=False).st_size
        else:
            odd.append(f"{path} is neither a file nor a folder")
    return dict(sorted(found.items())), odd


def listing_digest(files: Iterable[tuple[str, int, str]]) -> str:
    """The SHA-256 of a listing of (path, size in bytes, sha256), sorted by path: one line `<sha256> <size> <path>` for each file."""
    lines = (f"{sha256} {size} {path}\n" for path, size, sha256 in sorted(files))
    return hashlib.sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()


def is_private(folder: Path) -> bool:
    """True when nobody but this user and root can change what lies in `folder`, or put something else in its place.

    A group counts as the user's own when it has the user's number, as systems give one to each user. True where users have no numbers.
    """
    if not hasattr(os, "geteuid"):
        return True
    if not _is_own(os.lstat(folder)) or not _holds_only_own(str(folder)):
        return False
    above = _above(os.path.realpath(folder))
    return all(_is_own(info) or bool(info.st_mode & stat.S_ISVTX) for info in map(os.stat, above))


def copy_files(folder: Path, files: Iterable[str], target: Path) -> None:
    """Copy these ordinary files of `folder` below `target`; what has become a link or a pipe meanwhile raises OSError."""
    for path in files:
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        with open(folder / path, "rb", opener=_without_following) as source, copy.open("xb") as made:
            shutil.copyfileobj(source, made, 2**20)


def _above(place: str) -> Iterator[str]:
    while (parent := os.path.dirname(place)) != place:
        yield parent
        place = parent


def _holds_only_own(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return all(
            _is_own(entry.stat(follow_symlinks=False)) and (not entry.is_dir(follow_symlinks=False) or _holds_only_own(entry.path))
            for entry in entries
        )


def _is_own(info: os.stat_result) -> bool:
    user = os.geteuid()
    if info.st_uid not in (0, user):
        return False
    others = stat.S_IWOTH if info.st_gid == user else _OTHERS_WRITE
    return stat.S_ISLNK(info.st_mode) or not info.st_mode & others


def _entries(folder: Path, leave_out: frozenset[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    waiting = [(str(folder), "")]
    while waiting:
        place, prefix = waiting.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                path = prefix + entry.name
                if path in leave_out or is_bookkeeping(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if entry.name == _COMPILED:
                        continue
                    waiting.append((entry.path, f"{path}/"))
                else:
                    yield path, entry


def _read_all(folder: Path, files: Mapping[str, int]) -> dict[str, Seen]:
    if sum(files.values()) < _PARALLEL_FROM_BYTES:
        return {path: _read(f"{folder}/{path}") for path in files}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:  # hashing large buffers lets go of the interpreter
        return dict(zip(files, pool.map(lambda path: _read(f"{folder}/{path}"), files), strict=True))


def _read(file: str) -> Seen:
    descriptor, before = _opened(file, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        if before.st_size <= _AT_ONCE_BYTES:
            content = os.read(descriptor, before.st_size + 1)
            if len(content) == before.st_size:
                return Seen(len(content), hashlib.sha256(content).hexdigest(), _identity(before))
            os.lseek(descriptor, 0, os.SEEK_SET)
        with open(descriptor, "rb", buffering=0, closefd=False) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            return Seen(stream.tell(), digest, _identity(before))
    finally:
        os.close(descriptor)


def _identity_of(file: str) -> tuple[int, int, int, int] | None:
    try:
        return _identity(os.lstat(file))
    except OSError:
        return None


def _identity(info: os.stat_result) -> tuple[int, int, int, int]:
    return info.st_dev, info.st_ino, info.st_mtime_ns, info.st_ctime_ns


def _without_following(path: str, flags: int) -> int:
    return _opened(path, flags)[0]


def _opened(path: str, flags: int) -> tuple[int, os.stat_result]:
    """Open an ordinary file; a link or a pipe that took its place meanwhile is refused and not waited for."""
    descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))  # not every system has the flags
    info = os.fstat(descriptor)
    if not stat.S_ISREG(info.st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no ordinary file any more")
    return descriptor, info
