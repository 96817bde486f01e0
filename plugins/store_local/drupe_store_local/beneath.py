"""Opening folders and files below a root in such a way that nothing outside of it can be reached, whatever the names are.

Everything starts at a descriptor of the root and no symbolic link below it is followed. Linux resolves a whole path at once under these
rules (`openat2`); elsewhere, and where a sandbox forbids that call, each part is opened from the descriptor of the one before. The names are
checked once more here, so that neither a wrong check above nor a link planted in between leads out. The root's own path may hold
links: whoever configured it chose them.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from drupe.errors import InvalidPath, StoreUnavailable

__all__ = ["Beneath", "LinkInTheWay", "NotAFile", "kind_of", "open_file"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # O_NONBLOCK: a planted pipe must not make the reader wait

_OPENAT2 = 437  # the same number on every architecture but alpha
_NO_MAGIC_LINKS, _NO_LINKS, _BENEATH = 0x02, 0x04, 0x08
_NOT_HERE = {errno.ENOSYS, errno.EPERM, errno.EINVAL, errno.E2BIG}  # an old kernel, or a sandbox in front of it
_ONE_BY_ONE = {errno.EAGAIN, errno.ENAMETOOLONG}  # folders moved meanwhile; a path longer than one call takes


class LinkInTheWay(OSError):
    """A symbolic link lies where a folder or file was expected."""


class NotAFile(OSError):
    """A pipe, socket or device lies where a file was expected."""


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


class Beneath:
    """The folders at and below `root`. `whole_paths` False leaves out openat2."""

    def __init__(self, root: Path, *, whole_paths: bool = True) -> None:
        self.root = root
        self._whole_paths = whole_paths and sys.platform == "linux" and platform.machine() != "alpha"

    @contextmanager
    def folder(self, segments: Sequence[str], *, made: list[str] | None = None, synced: bool = False) -> Iterator[int]:
        """A descriptor of the folder at `segments`.

        With a list `made`, missing folders are made and their names added to it (and with `synced`, brought to the disk). Raises FileNotFoundError, NotADirectoryError (a file is in the way), LinkInTheWay, InvalidPath (a name that is no single name).
        """
        for segment in segments:
            _check(segment)
        descriptor = self._open_root(make=made is not None)
        try:
            if segments:
                outer, descriptor = descriptor, self._open(descriptor, segments, made, synced)
                os.close(outer)
            yield descriptor
        finally:
            os.close(descriptor)

    def _open_root(self, *, make: bool) -> int:
        try:
            return os.open(self.root, _FOLDER)
        except (FileNotFoundError, NotADirectoryError):
            if not make:
                raise
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            return os.open(self.root, _FOLDER)
        except (FileExistsError, NotADirectoryError) as fault:
            raise StoreUnavailable(f"the folder {self.root} cannot be made: a file is in the way") from fault

    def _open(self, root: int, segments: Sequence[str], made: list[str] | None, synced: bool) -> int:
        if self._whole_paths:
            try:
                return _open_whole(root, "/".join(segments))
            except FileNotFoundError:
                if made is None:
                    raise
            except OSError as fault:
                if fault.errno in _NOT_HERE:
                    self._whole_paths = False
                elif fault.errno == errno.ELOOP:
                    raise LinkInTheWay(errno.ELOOP, "a symbolic link is in the way") from fault
                elif fault.errno not in _ONE_BY_ONE:
                    raise
        current = os.dup(root)
        try:
            for segment in segments:
                following = _open_next(current, segment, made, synced)
                os.close(current)
                current = following
        except BaseException:
            os.close(current)
            raise
        return current


def open_file(folder: int, name: str) -> int:
    """A descriptor for reading the ordinary file `name` in an open folder.

    Raises FileNotFoundError, LinkInTheWay, IsADirectoryError, NotAFile.
    """
    _check(name)
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            raise LinkInTheWay(errno.ELOOP, "a symbolic link is not followed") from fault
        if fault.errno == errno.ENXIO:
            raise NotAFile(fault.errno, "a socket or device, not an ordinary file") from fault
        raise
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "a folder")
        raise NotAFile(errno.EINVAL, "a pipe, socket or device, not an ordinary file")
    return descriptor


def kind_of(folder: int, name: str) -> int | None:
    """The file type bits (`stat.S_IFREG`, …) of `name` in an open folder, links not followed; None when nothing is there."""
    _check(name)
    try:
        return stat.S_IFMT(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return None


def _check(name: str) -> None:
    if name in ("", ".", "..") or "/" in name or "\x00" in name:
        raise InvalidPath(f"{name!r} is not the name of a file or folder", path=name)


def _open_next(folder: int, name: str, made: list[str] | None, synced: bool) -> int:
    if made is not None:
        try:
            os.mkdir(name, dir_fd=folder)
        except FileExistsError:
            pass
        else:
            made.append(name)
            if synced:
                os.fsync(folder)
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
    except NotADirectoryError as fault:  # what most systems say for a link, too
        if kind_of(folder, name) == stat.S_IFLNK:
            raise LinkInTheWay(errno.ELOOP, "a symbolic link is in the way") from fault
        raise
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            raise LinkInTheWay(errno.ELOOP, "a symbolic link is in the way") from fault
        raise


def _open_whole(folder: int, path: str) -> int:
    how = _How(_FOLDER, 0, _BENEATH | _NO_LINKS | _NO_MAGIC_LINKS)
    while True:
        descriptor = _syscall(_OPENAT2, folder, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
        if descriptor >= 0:
            return int(descriptor)
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number), path)


_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.restype = ctypes.c_long
_syscall.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
