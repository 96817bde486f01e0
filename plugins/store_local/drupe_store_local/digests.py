"""The digest file of a folder: a SHA-256 for every file that was put there, written before the file takes its place.

`.drupe-sha256` holds one line per event, the newest last: `<64 hex digits> <size> <percent-encoded name>`, or `- 0 <name>` when the file
was deleted. Each line is appended in one write under the folder's lock, *before* the rename that it announces, and once more after a
rename that replaced something. So of the last two lines of a name the newest is true, or, if the writer was killed in between, the
one before it, and nothing else: that is what `Snapshot.accepts` says. A name without a line was put there by another tool.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from attrs import frozen

from drupe.artifacts.bookkeeping import DIGEST_FILE
from drupe_store_local.beneath import kind_of, open_file
from drupe_store_local.partial import Partial

__all__ = ["DigestFileUnusable", "Record", "Snapshot", "hash_file", "publish", "remove_file", "snapshot"]

_BLOCK_BYTES = 1 << 20
_COMPACT_FROM_BYTES = 1 << 16
_KEPT_FOLDERS = 32


class DigestFileUnusable(OSError):
    """Something lies under the digest file's name that is none."""


@frozen
class Record:
    """Digest and size that a file had when it was put."""

    sha256: str
    size: int

    def line(self, name: str) -> bytes:
        """The line that announces it."""
        return f"{self.sha256} {self.size} {quote(name, safe='')}\n".encode()


_Records = dict[str, tuple[Record, ...]]


@frozen
class Snapshot:
    """A file opened for reading together with what was recorded of it at that moment, oldest first, at most two."""

    descriptor: int
    records: tuple[Record, ...]

    def accepts(self, found: Record) -> bool:
        """True when `found` is what was put, or nothing is known."""
        return not self.records or found in self.records


@contextmanager
def snapshot(folder: int, name: str) -> Iterator[Snapshot]:
    """Open `name` in an open folder, with the records that belong to just these bytes. Raises as `beneath.open_file`."""
    with _locked(folder, exclusive=False) as ledger:
        descriptor = open_file(folder, name)
        try:
            records = () if ledger is None else _cache.read(ledger).get(quote(name, safe=""), ())
        except BaseException:
            os.close(descriptor)
            raise
    try:
        yield Snapshot(descriptor, records)
    finally:
        os.close(descriptor)


def publish(partial: Partial, folder: int, name: str, record: Record, *, synced: bool) -> None:
    """Record a finished partial file and put it in the place of `name` in an open folder; with `synced`, all of it is on the disk afterwards."""
    with _locked(folder, exclusive=True) as ledger:
        assert ledger is not None, "an exclusive lock makes the file"
        replaces = kind_of(folder, name) == stat.S_IFREG
        if replaces:
            _settle(ledger, folder, name)
        before = _append(ledger, record.line(name))
        if synced:
            os.fsync(ledger)
        try:
            partial.rename(name, folder)
        except OSError:
            os.ftruncate(ledger, before)  # nothing came of it
            raise
        if replaces:
            with contextlib.suppress(OSError):  # without it both digests stay acceptable, which is no fault
                _append(ledger, record.line(name))
        if synced:
            os.fsync(folder)
        _compact(ledger, folder, before, synced=synced)


def remove_file(folder: int, name: str, *, synced: bool) -> None:
    """Unlink `name` (a file, or a link itself) and forget its digest. Raises FileNotFoundError."""
    with _locked(folder, exclusive=True, make=False) as ledger:
        os.unlink(name, dir_fd=folder)
        if ledger is not None:
            with contextlib.suppress(OSError):  # a full disk must not keep anybody from deleting
                _append(ledger, f"- 0 {quote(name, safe='')}\n".encode())
        if synced:
            os.fsync(folder)


def hash_file(descriptor: int) -> Record:
    """Digest and size of an open file, read from its start."""
    found, size = hashlib.sha256(), 0
    while block := os.pread(descriptor, _BLOCK_BYTES, size):
        found.update(block)
        size += len(block)
    return Record(found.hexdigest(), size)


def _settle(ledger: int, folder: int, name: str) -> None:
    """Make sure that the newest line of a file about to be replaced is true, so that being killed once more cannot orphan it.

    Only files of other tools, and files whose last replacement was interrupted, have to be read for that.
    """
    records = _cache.read(ledger).get(quote(name, safe=""), ())
    if records and records[0] == records[-1]:
        return
    descriptor = open_file(folder, name)
    try:
        found = hash_file(descriptor)
    finally:
        os.close(descriptor)
    if not records or found in records:  # else it was damaged, and what was put stays on record
        _append(ledger, found.line(name))


@contextmanager
def _locked(folder: int, *, exclusive: bool, make: bool | None = None) -> Iterator[int | None]:
    """The folder's digest file, locked; None when there is none and it is not to be made."""
    ledger = _open_locked(folder, exclusive, exclusive if make is None else make)
    try:
        yield ledger
    finally:
        if ledger is not None:
            os.close(ledger)


def _open_locked(folder: int, exclusive: bool, make: bool) -> int | None:
    flags = (
        (os.O_RDWR | os.O_APPEND if exclusive else os.O_RDONLY) | (os.O_CREAT if make else 0) | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    )
    while True:
        try:
            ledger = os.open(DIGEST_FILE, flags, 0o666, dir_fd=folder)
        except FileNotFoundError:
            if make:
                raise  # the folder itself is gone
            return None
        except OSError as fault:
            if fault.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                what = "a symbolic link" if fault.errno == errno.ELOOP else "not an ordinary file"
                raise DigestFileUnusable(fault.errno, f"is {what}", DIGEST_FILE) from fault
            raise
        try:
            with contextlib.suppress(OSError):  # file systems without locks: single writes and renames still keep each file whole
                fcntl.flock(ledger, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            if _is_current(folder, ledger):
                return ledger
        except BaseException:
            os.close(ledger)
            raise
        os.close(ledger)  # compacted, or deleted with its folder, while this waited


def _is_current(folder: int, ledger: int) -> bool:
    mine = os.fstat(ledger)
    if not stat.S_ISREG(mine.st_mode):
        raise DigestFileUnusable(errno.EINVAL, "is not an ordinary file", DIGEST_FILE)
    try:
        theirs = os.stat(DIGEST_FILE, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (theirs.st_dev, theirs.st_ino)


def _append(ledger: int, line: bytes) -> int:
    """Write one line, whole or not at all, and return the size before it."""
    size = os.fstat(ledger).st_size
    if size and os.pread(ledger, 1, size - 1) != b"\n":  # a power cut tore the last one
        line = b"\n" + line
    try:
        if os.write(ledger, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError:
        os.ftruncate(ledger, size)
        raise
    return size


def _compact(ledger: int, folder: int, before: int, *, synced: bool) -> None:
    """Rewrite the file when it has doubled since the last look and at least half of it is history."""
    size = os.fstat(ledger).st_size
    if size < _COMPACT_FROM_BYTES or before.bit_length() == size.bit_length():
        return
    lines = [
        record.line("").rstrip() + b" " + name.encode() + b"\n"
        for name, records in _cache.read(ledger).items()
        for record in dict.fromkeys(records)
    ]
    if 2 * sum(map(len, lines)) > size:
        return
    with contextlib.suppress(OSError), Partial(folder, 0o666) as smaller:  # a full disk: the old file does as well
        smaller.write(b"".join(lines))
        smaller.finish(synced=synced)
        smaller.rename(DIGEST_FILE)
        if synced:
            os.fsync(folder)


class _Cache:
    """What digest files say, kept between look-ups of the same folder; only what was appended since is read again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, int], tuple[int, bytes, _Records]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, ledger: int) -> _Records:
        """The last two records of every percent-encoded name, oldest first."""
        facts = os.fstat(ledger)
        key = (facts.st_dev, facts.st_ino)
        with self._lock:
            offset, last, records = self._kept.pop(key, (0, b"", {}))
            if offset > facts.st_size or os.pread(ledger, len(last), offset - len(last)) != last:
                offset, last, records = 0, b"", {}  # another file that got the number of a deleted one
            fresh = _read_from(ledger, offset)
            end = fresh.rfind(b"\n") + 1
            if end:
                records = dict(records)  # whoever holds the earlier one may be looking at it
                lines = fresh[:end].split(b"\n")
                for line in lines:
                    _take(line, records)
                offset, last = offset + end, lines[-2] + b"\n"
            self._kept[key] = (offset, last, records)
            while len(self._kept) > _KEPT_FOLDERS:
                self._kept.popitem(last=False)
            return records


def _read_from(descriptor: int, offset: int) -> bytes:
    blocks = []
    while block := os.pread(descriptor, _BLOCK_BYTES, offset):
        blocks.append(block)
        offset += len(block)
    return b"".join(blocks)


def _take(line: bytes, records: _Records) -> None:
    digest, _, rest = line.partition(b" ")
    size, _, name = rest.partition(b" ")
    if not name.isascii() or not name or not size.isdigit():
        return  # torn
    text = name.decode()
    if digest == b"-":
        records.pop(text, None)
    elif len(digest) == 64 and not digest.strip(b"0123456789abcdef"):
        records[text] = (*records.get(text, ())[-1:], Record(digest.decode(), int(size)))


_cache = _Cache()
