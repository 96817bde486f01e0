"""Files that are still being written: unpredictable hidden names in the folder they will live in, private, and gone if it fails.

A partial file is locked by its writer for as long as it lives, so that what a killed process left behind can be told from what is being
written now, and removed. What the finished file is called, and its digest, is for `digests`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from secrets import token_hex
from types import TracebackType
from typing import Self

from drupe.artifacts.bookkeeping import PARTIAL_PREFIX

__all__ = ["Partial", "hide_and_remove", "remove_abandoned"]

_CANNOT_LOCK = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_TRIES = 100


class Partial:
    """A new file in an open folder; leaving the `with` block removes it unless it was renamed to its final name.

    Nobody else can read it before it is finished; then it has the mode `mode`, less the process's umask.
    """

    def __init__(self, folder: int, mode: int) -> None:
        self.folder, self.mode = folder, mode
        self.name = ""
        self.descriptor = -1

    def __enter__(self) -> Self:
        while self.descriptor < 0:
            name = PARTIAL_PREFIX + token_hex(8)
            descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, self.mode, dir_fd=self.folder)
            is_taken = _try_lock(descriptor) is False
            facts = os.fstat(descriptor)
            if is_taken or facts.st_nlink == 0:
                os.close(descriptor)  # taken for abandoned between these two lines
                continue
            self.name, self.descriptor = name, descriptor
            self.mode = stat.S_IMODE(facts.st_mode)  # what the umask has left of it
        try:
            os.fchmod(self.descriptor, 0o600)
        except OSError:
            self.__exit__(None, None, None)
            raise
        return self

    def write(self, block: bytes | memoryview) -> None:
        """Append all of `block`."""
        view = memoryview(block)
        while view:
            view = view[os.write(self.descriptor, view) :]

    def finish(self, *, synced: bool) -> None:
        """Give the complete file its mode; with `synced`, bring its bytes to the disk."""
        os.fchmod(self.descriptor, self.mode)
        if synced:
            os.fsync(self.descriptor)

    def rename(self, name: str, folder: int | None = None) -> None:
        """Put it in the place of `name`, in one step; in another open folder if one is given."""
        os.rename(self.name, name, src_dir_fd=self.folder, dst_dir_fd=self.folder if folder is None else folder)
        self.name = ""

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        if self.name:
            with contextlib.suppress(OSError):
                os.unlink(self.name, dir_fd=self.folder)
        os.close(self.descriptor)


def hide_and_remove(parent: int, name: str, folder: int) -> None:
    """Delete the open folder `name` with all in it: it vanishes from its parent in one step, then its content is removed.

    Links in it are removed, not followed. Raises FileNotFoundError when another deletion came first.
    """
    with contextlib.suppress(OSError):  # without locks, a killed deletion stays hidden until its parent is deleted
        fcntl.flock(folder, fcntl.LOCK_EX)
    hidden = PARTIAL_PREFIX + token_hex(8)
    os.rename(name, hidden, src_dir_fd=parent, dst_dir_fd=parent)
    _remove_tree(parent, hidden)


def remove_abandoned(folder: int) -> None:
    """Remove what killed writers and deletions left in an open folder; what a living one holds is locked and stays."""
    with os.scandir(folder) as entries:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries if entry.name.startswith(PARTIAL_PREFIX)]
    for name, is_folder in names:
        with contextlib.suppress(OSError):  # others may be removing it as well; whatever stays is hidden
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            try:
                if _try_lock(descriptor):
                    _remove_tree(folder, name) if is_folder else os.unlink(name, dir_fd=folder)
            finally:
                os.close(descriptor)


def _try_lock(descriptor: int) -> bool | None:
    """Take the exclusive lock if it is free: True; False when another holds it; None where the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as fault:
        if fault.errno in _CANNOT_LOCK:
            return None
        raise
    return True


def _remove_tree(parent: int, name: str) -> None:
    """Remove a hidden folder. Inner folders are moved up first, so that depth costs neither descriptors nor stack."""
    waiting, tries = [name], 0
    while waiting:
        current = waiting.pop()
        try:
            _empty(parent, current, waiting)
            os.rmdir(current, dir_fd=parent)
        except FileNotFoundError:
            continue  # another process removes it as well
        except OSError as fault:
            tries += 1
            if fault.errno != errno.ENOTEMPTY or tries > _TRIES:
                raise
            waiting.append(current)  # a writer that had it open has added to it


def _empty(parent: int, name: str, inner: list[str]) -> None:
    folder = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        with os.scandir(folder) as entries:
            for entry in list(entries):
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_dir(follow_symlinks=False):
                        hidden = PARTIAL_PREFIX + token_hex(8)
                        os.rename(entry.name, hidden, src_dir_fd=folder, dst_dir_fd=parent)
                        inner.append(hidden)
                    else:
                        os.unlink(entry.name, dir_fd=folder)
    finally:
        os.close(folder)
