"""The local artifact repository: the five verbs on a folder.

How files are reached is in `beneath`, how they are written in `partial`, how their digests are kept in `digests`, and how the faults of the
operating system are told in `faults`.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Self

from drupe.artifacts.bookkeeping import DIGEST_FILE, is_bookkeeping
from drupe.artifacts.local_files import opened
from drupe.entities import FileInfo
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidPath, InvalidUri, StoreBusy, StoreUnavailable
from drupe.extend import ArtifactRepo, Feature, Incoming, Support
from drupe.uris import ArtifactPath, Uri, join_segments
from drupe_store_local import faults
from drupe_store_local.beneath import Beneath, LinkInTheWay, kind_of
from drupe_store_local.digests import Record, Snapshot, hash_file, publish, remove_file, snapshot
from drupe_store_local.partial import Partial, hide_and_remove, remove_abandoned
from drupe_store_local.settings import Durability, LocalSettings

__all__ = ["LocalArtifactRepo"]

_ROOT = ArtifactPath()
_BLOCK_BYTES = 1 << 20
_TRIES = 20
_MOST_PATH_BYTES = 4000  # a little less than one system call takes, so that other tools can open every file
_FILE_MODE = 0o644

_Fill = Callable[[Partial], Record]  # writes a file's bytes, and tells what they are
_Take = Callable[[int, str], None]  # puts a file into an open folder under a name

_swept: set[tuple[int, int]] = set()
_swept_lock = threading.Lock()


class _FolderVanished(Exception):
    """The folder was deleted by somebody else while it was written to."""


class LocalArtifactRepo(ArtifactRepo):
    """Files below a local folder. It holds no open files, so it may be shared by threads and outlives a fork."""

    features: ClassVar[Mapping[Feature, Support]] = {
        Feature.ATOMIC_PUT: Support.FULL,
        Feature.CONCURRENT_PROCESSES: Support.FULL,
        Feature.DIGESTS: Support.FULL,
    }

    def __init__(self, folder: Path, settings: LocalSettings | None = None, *, beneath: Beneath | None = None) -> None:
        self.folder = folder
        self.root = Uri.parse(folder)
        self._beneath = beneath or Beneath(folder)
        self._synced = (settings or LocalSettings()).durability is Durability.FULL

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        """See ArtifactRepo.open; `settings` is a LocalSettings. Raises InvalidUri when the address is not a local folder's."""
        if uri.scheme != "file" or not uri.path.startswith("/"):
            raise InvalidUri(f"{uri} is not the address of a local folder; the form is file:///absolute/folder")
        folder = Path(uri.path)
        if folder.exists() and not folder.is_dir():
            raise StoreUnavailable(f"artifacts cannot be kept in {folder}: it is a file, and a folder is needed")
        return cls(folder, settings)

    # --- the five verbs

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        """See ArtifactRepo.put_file."""
        place = self._place_of_file(path)
        with opened(source) as stream, faults.writing(place):
            self._put(path, lambda folder, name: self._fill(folder, name, lambda partial: _copy(stream, partial)))

    def put_bytes(self, content: bytes, path: ArtifactPath) -> None:
        """See ArtifactRepo.put_bytes."""
        with faults.writing(self._place_of_file(path)):
            self._put(path, lambda folder, name: self._fill(folder, name, lambda partial: _write(content, partial)))

    def begin_put(self, path: ArtifactPath) -> Incoming:
        """See ArtifactRepo.begin_put: the bytes wait in the root folder, hidden, and are hashed as they come."""
        place = self._place_of_file(path)
        with ExitStack() as stack, faults.writing(place):
            root = stack.enter_context(self._beneath.folder((), made=[], synced=self._synced))
            _sweep_once(root)
            partial = stack.enter_context(Partial(root, _FILE_MODE))
            return _Incoming(self, path, partial, stack.pop_all())

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        """See ArtifactRepo.get_file."""
        with (
            self._reading(path) as found,
            faults.writing(target),
            Beneath(target.parent).folder((), made=[]) as folder,
            Partial(folder, _FILE_MODE) as partial,
        ):
            self._compare(path, found, _copy(found.descriptor, partial))
            partial.finish(synced=False)
            partial.rename(target.name)

    def list(self, path: ArtifactPath = _ROOT) -> builtins.list[FileInfo]:
        """See ArtifactRepo.list. Links, special files and names that no artifact may have are left out."""
        found: builtins.list[FileInfo] = []
        with (
            contextlib.suppress(ArtifactNotFound),
            faults.reading(self._place(path)),
            self._beneath.folder(path.segments) as folder,
            os.scandir(folder) as entries,
        ):
            for entry in entries:
                with contextlib.suppress(FileNotFoundError, InvalidPath):  # gone meanwhile; put there by another tool
                    if not is_bookkeeping(entry.name):
                        found.extend(_described(entry, path))
        return sorted(found, key=lambda info: info.path)

    def delete(self, path: ArtifactPath) -> None:
        """See ArtifactRepo.delete. A link is removed itself; what it points to stays."""
        place = self._writable(path)
        if path.is_root:
            raise InvalidPath(f"the root folder {self.folder} cannot be deleted; delete what is in it by name")
        with (
            faults.writing(place),
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            self._beneath.folder(path.parent.segments) as parent,
        ):
            if kind_of(parent, path.name) != stat.S_IFDIR:
                remove_file(parent, path.name, synced=self._synced)
                return
            with self._beneath.folder(path.segments) as folder:
                hide_and_remove(parent, path.name, folder)
            if self._synced:
                os.fsync(parent)

    def is_file(self, path: ArtifactPath) -> bool:
        """See ArtifactRepo.is_file."""
        if path.is_root or any(map(is_bookkeeping, path.segments)):
            return False
        try:
            with faults.reading(self._place(path)), self._beneath.folder(path.parent.segments) as folder:
                return kind_of(folder, path.name) == stat.S_IFREG
        except ArtifactNotFound:
            return False

    # --- more than the verbs

    def digest(self, path: ArtifactPath) -> str:
        """See ArtifactRepo.digest: the file is read, and compared with what was recorded when it was put."""
        with self._reading(path) as found:
            actual = hash_file(found.descriptor)
            self._compare(path, found, actual)
            return actual.sha256

    def local_path(self, path: ArtifactPath = _ROOT) -> Path:
        """See ArtifactRepo.local_path. Raises InvalidPath when a link lies on the way; whether anything is there is not asked."""
        place = self._writable(path)
        with (
            faults.writing(place),
            contextlib.suppress(FileNotFoundError, NotADirectoryError),
            self._beneath.folder(path.parent.segments) as folder,
        ):
            if not path.is_root and kind_of(folder, path.name) == stat.S_IFLNK:
                raise LinkInTheWay(errno.ELOOP, "a symbolic link")
        return place

    # --- how

    def _put(self, path: ArtifactPath, take: _Take) -> None:
        for _ in range(_TRIES):
            with contextlib.suppress(_FolderVanished):
                self._put_once(path, take)
                return
        raise StoreBusy(f"{self._place(path)} cannot be written: others keep deleting its folder")

    def _put_once(self, path: ArtifactPath, take: _Take) -> None:
        made: builtins.list[str] = []
        try:
            with self._beneath.folder(path.parent.segments, made=made, synced=self._synced) as folder:
                try:
                    if not made:
                        _sweep_once(folder)
                    if kind_of(folder, path.name) == stat.S_IFDIR:
                        raise IsADirectoryError(errno.EISDIR, "a folder is there")
                    take(folder, path.name)
                except FileNotFoundError as fault:
                    if os.fstat(folder).st_nlink:
                        raise
                    raise _FolderVanished from fault
        except OSError:
            self._unmake(path.parent, len(made))
            raise

    def _fill(self, folder: int, name: str, fill: _Fill) -> None:
        with Partial(folder, _FILE_MODE) as partial:
            record = fill(partial)
            partial.finish(synced=self._synced)
            publish(partial, folder, name, record, synced=self._synced)

    def _take(self, path: ArtifactPath, partial: Partial, record: Record) -> None:
        """Give a partial file of the root folder its place."""
        with faults.writing(self._place(path)):
            partial.finish(synced=self._synced)
            self._put(path, lambda folder, name: publish(partial, folder, name, record, synced=self._synced))

    def _unmake(self, path: ArtifactPath, count: int) -> None:
        """Remove the folders that a failed put has made, as far as nobody has used them meanwhile."""
        with contextlib.suppress(OSError):
            for _ in range(count):
                with self._beneath.folder(path.segments) as folder:
                    if os.listdir(folder) == [DIGEST_FILE] and not os.stat(DIGEST_FILE, dir_fd=folder).st_size:
                        os.unlink(DIGEST_FILE, dir_fd=folder)
                with self._beneath.folder(path.parent.segments) as outer:
                    os.rmdir(path.name, dir_fd=outer)
                path = path.parent

    @contextmanager
    def _reading(self, path: ArtifactPath) -> Iterator[Snapshot]:
        place = self._place(path)
        if path.is_root or any(map(is_bookkeeping, path.segments)):
            raise ArtifactNotFound(f"no file at {place} that was put there", path=str(path))
        with faults.reading(place), self._beneath.folder(path.parent.segments) as folder, snapshot(folder, path.name) as found:
            yield found

    def _compare(self, path: ArtifactPath, found: Snapshot, actual: Record) -> None:
        if found.accepts(actual):
            return
        expected = found.records[-1]
        raise ArtifactCorrupt(
            f"artifact {str(path)!r} in {self.folder} is damaged: sha-256 {expected.sha256} of {expected.size} bytes was kept when it was "
            f"written, {actual.sha256} of {actual.size} bytes was found. Put it again, or restore it from a backup",
            path=str(path),
            expected=expected.sha256,
            found=actual.sha256,
        )

    def _writable(self, path: ArtifactPath) -> Path:
        for name in path.segments:
            if is_bookkeeping(name):
                raise InvalidPath(f"artifact path {str(path)!r} is refused: the name {name!r} is the store's own", path=str(path))
        place = self._place(path)
        if len(os.fsencode(place)) > _MOST_PATH_BYTES:
            raise InvalidPath(f"artifact path '{str(path)[:60]}…' is longer than a file system takes", path=str(path))
        return place

    def _place_of_file(self, path: ArtifactPath) -> Path:
        place = self._writable(path)
        if path.is_root:
            raise InvalidPath(f"a file cannot take the place of the root folder {self.folder}; give it a name")
        return place

    def _place(self, path: ArtifactPath) -> Path:
        return self.folder.joinpath(*path.segments)


class _Incoming(Incoming):
    """A file that waits in the root folder; `held` is what must be let go in the end."""

    def __init__(self, repo: LocalArtifactRepo, path: ArtifactPath, partial: Partial, held: ExitStack) -> None:
        self._repo, self._path, self._partial, self._held = repo, path, partial, held
        self._digest, self._size = hashlib.sha256(), 0

    def write(self, piece: bytes) -> None:
        """See Incoming.write."""
        with faults.writing(self._repo.folder):
            self._partial.write(piece)
        self._digest.update(piece)
        self._size += len(piece)

    def digest(self) -> str:
        """See Incoming.digest."""
        return self._digest.hexdigest()

    def finish(self) -> None:
        """See Incoming.finish."""
        self._repo._take(self._path, self._partial, Record(self.digest(), self._size))

    def drop(self) -> None:
        """See Incoming.drop."""
        self._held.close()


def _described(entry: os.DirEntry[str], folder: ArtifactPath) -> Iterator[FileInfo]:
    path = str(ArtifactPath(folder.segments + join_segments((entry.name,)).segments))
    if entry.is_dir(follow_symlinks=False):
        yield FileInfo(path, True)
    elif entry.is_file(follow_symlinks=False):
        yield FileInfo(path, False, entry.stat(follow_symlinks=False).st_size)


def _copy(stream: int, partial: Partial) -> Record:
    digest, size = hashlib.sha256(), 0
    while block := os.pread(stream, _BLOCK_BYTES, size):
        digest.update(block)
        partial.write(block)
        size += len(block)
    return Record(digest.hexdigest(), size)


def _write(content: bytes, partial: Partial) -> Record:
    partial.write(content)
    return Record(hashlib.sha256(content).hexdigest(), len(content))


def _sweep_once(folder: int) -> None:
    """At the first write to a folder, remove what killed processes left half written there."""
    facts = os.fstat(folder)
    key = (facts.st_dev, facts.st_ino)
    with _swept_lock:
        if key in _swept:
            return
        _swept.add(key)
    remove_abandoned(folder)
