"""A dataset in a file of this machine; it is read in place."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from secrets import token_hex
from typing import Any, Self

from drupe.errors import ArtifactNotFound, InvalidUri, StoreUnavailable
from drupe.extend import DatasetSource, Fetched, SourceStat
from drupe.uris import Uri

__all__ = ["LocalFile"]

BLOCK_BYTES = 4 * 2**20


class LocalFile(DatasetSource):
    """The file at a plain path or `file:` address. Links are followed: the user names the file, nobody else does."""

    def __init__(self, uri: Uri) -> None:
        self.uri = uri
        self._path = Path(uri.path)

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        if uri.query:
            raise InvalidUri(f"address {uri.text!r} has options (?…), and files have none")
        return cls(uri)

    def stat(self) -> SourceStat:
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError) as fault:
            raise ArtifactNotFound(f"there is no file {self._path}", path=str(self._path)) from fault
        except OSError as fault:
            raise StoreUnavailable(f"{self._path} cannot be looked at: {fault.strerror}", path=str(self._path)) from fault
        if not stat.S_ISREG(found.st_mode):
            raise ArtifactNotFound(f"{self._path} is no file", path=str(self._path))
        return SourceStat(found.st_size, found.st_mtime_ns // 1_000_000, f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}")

    def download(self, target: Path, progress: Fetched | None = None) -> None:
        size = self.stat().size_bytes
        partial = target.with_name(f".drupe-partial-{token_hex(8)}")
        try:
            with self._path.open("rb") as source, partial.open("xb") as copy:
                while block := source.read(BLOCK_BYTES):
                    copy.write(block)
                    if progress is not None:
                        progress(copy.tell(), size)
            shutil.copystat(self._path, partial)
            os.replace(partial, target)
        except OSError as fault:
            raise StoreUnavailable(f"{self._path} cannot be copied to {target}: {fault.strerror}", path=str(self._path)) from fault
        finally:
            partial.unlink(missing_ok=True)

    def local_path(self) -> Path | None:
        return self._path
