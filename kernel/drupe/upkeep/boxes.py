"""The two outside forms of a backup, a folder and a tar file, behind one way to write and one to read them.

Both are written under another name, which becomes theirs when everything, the manifest last, is on the disk.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from drupe.errors import AlreadyExists, StoreCorrupt, StoreUnavailable
from drupe.upkeep.manifest import MANIFEST, BackupFile
from drupe.uris import ArtifactPath

__all__ = ["Reader", "Writer", "reading", "writing"]

PIECE = 1 << 20


class Writer(ABC):
    """Takes the files of a backup. `scratch` is a folder on the same disk for what has to be written first."""

    scratch: Path

    @abstractmethod
    def add(self, name: str, source: Path, *, as_link: bool = False) -> BackupFile:
        """Take a file in; `as_link` takes a hard link where that can be. Raises OSError."""

    @abstractmethod
    def finish(self, manifest: str) -> None:
        """Write the manifest and make all of it last."""


class Reader(ABC):
    """Gives the files of a backup."""

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Raises StoreCorrupt when there is no such file in it."""

    def path(self, name: str, scratch: Path) -> Path:
        """The file on this machine, written below the empty folder `scratch` where it is not there as it is."""
        target = scratch / "file"
        with self.open(name) as reader, target.open("wb") as writer:
            shutil.copyfileobj(reader, writer, PIECE)
        return target


@contextmanager
def writing(target: Path) -> Iterator[Writer]:
    """A new backup at `target`, a tar file when it is named `*.tar`; it is there when the block has ended well. Raises AlreadyExists."""
    if target.exists() or target.is_symlink():
        raise AlreadyExists(f"{target}: something is there already; name a backup that is not there yet", path=str(target))
    unfinished = target.with_name(f".{target.name}.part")
    _clear(unfinished)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.mkdir(mode=0o700)
    try:
        if target.suffix == ".tar":
            archive = unfinished / target.name
            with _TarWriter(archive, unfinished) as tar:
                yield tar
            os.replace(archive, target)
        else:
            folder = unfinished / "backup"
            folder.mkdir()
            yield _FolderWriter(folder, unfinished)
            os.rename(folder, target)
        _sync_folder(target.parent)
    finally:
        _clear(unfinished)


@contextmanager
def reading(source: Path) -> Iterator[Reader]:
    """An existing backup. Raises StoreUnavailable when nothing is there, StoreCorrupt when it is none."""
    if source.is_dir():
        yield _FolderReader(source)
        return
    if not source.exists():
        raise StoreUnavailable(f"{source}: there is no backup of this name", path=str(source))
    try:
        opened = tarfile.open(source, "r:")  # noqa: SIM115 - closed below, after what can go wrong here
    except tarfile.TarError as fault:
        raise StoreCorrupt(
            f"{source}: this is neither a folder nor a tar file that drupe store backup wrote: {fault}", path=str(source)
        ) from fault
    with opened as tar:
        yield _TarReader(source, tar)


class _FolderWriter(Writer):
    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder, self.scratch = folder, scratch

    def add(self, name: str, source: Path, *, as_link: bool = False) -> BackupFile:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if as_link:
            with suppress(OSError):  # another file system, or none that has links
                os.link(source, target, follow_symlinks=False)
                with target.open("rb") as linked:
                    return BackupFile(name, target.stat().st_size, hashlib.file_digest(linked, "sha256").hexdigest())
        digest, size = hashlib.sha256(), 0
        with source.open("rb") as reader, target.open("xb") as writer:
            while piece := reader.read(PIECE):
                writer.write(piece)
                digest.update(piece)
                size += len(piece)
            writer.flush()
            os.fsync(writer.fileno())
        return BackupFile(name, size, digest.hexdigest())

    def finish(self, manifest: str) -> None:
        for folder, _, _ in os.walk(self.folder):
            _sync_folder(Path(folder))
        with (self.folder / MANIFEST).open("x", encoding="utf-8") as writer:
            writer.write(manifest)
            writer.flush()
            os.fsync(writer.fileno())
        _sync_folder(self.folder)


class _TarWriter(Writer):
    def __init__(self, file: Path, scratch: Path) -> None:
        self.scratch = scratch
        self._file = file.open("xb")
        self._tar = tarfile.open(fileobj=self._file, mode="w:", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - by finish

    def __enter__(self) -> _TarWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, name: str, source: Path, *, as_link: bool = False) -> BackupFile:
        with source.open("rb") as reader:
            size = os.fstat(reader.fileno()).st_size
            digesting = _Digesting(reader, size)
            self._tar.addfile(self._about(name, size), digesting)
        return BackupFile(name, size, digesting.digest.hexdigest())

    def finish(self, manifest: str) -> None:
        content = manifest.encode()
        self._tar.addfile(self._about(MANIFEST, len(content)), io.BytesIO(content))
        self._tar.close()
        self._file.flush()
        os.fsync(self._file.fileno())

    def _about(self, name: str, size: int) -> tarfile.TarInfo:
        about = tarfile.TarInfo(name)
        about.size, about.mode = size, 0o600
        return about


class _Digesting:
    """Reads exactly as much as was promised, and knows the digest of it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        self.digest.update(piece)
        return piece


class _FolderReader(Reader):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str, scratch: Path) -> Path:
        return self._folder.joinpath(*ArtifactPath.parse(name).segments)

    def open(self, name: str) -> IO[bytes]:
        try:
            return self.path(name, self._folder).open("rb")
        except OSError as fault:
            raise StoreCorrupt(f"{self._folder}: {name} of this backup is not there: {fault.strerror}", path=str(self._folder)) from fault


class _TarReader(Reader):
    def __init__(self, source: Path, tar: tarfile.TarFile) -> None:
        self._source, self._tar = source, tar
        try:
            self._members = {member.name: member for member in tar.getmembers() if member.isreg()}
        except tarfile.TarError as fault:
            raise StoreCorrupt(f"{source}: this backup was cut off: {fault}", path=str(source)) from fault

    def open(self, name: str) -> IO[bytes]:
        member = self._members.get(name)
        opened = None if member is None else self._tar.extractfile(member)
        if opened is None:
            raise StoreCorrupt(f"{self._source}: {name} of this backup is not there", path=str(self._source))
        return opened


def _clear(unfinished: Path) -> None:
    if unfinished.is_dir():
        shutil.rmtree(unfinished)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
