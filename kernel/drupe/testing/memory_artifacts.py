"""An artifact repository in memory: the meaning of the contract in the fewest words, for tests that need files but no disk."""

from __future__ import annotations

import builtins
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any, ClassVar, Self

from drupe.entities import FileInfo
from drupe.errors import ArtifactNotFound, InvalidPath
from drupe.extend import ArtifactRepo, Feature, Support
from drupe.uris import ArtifactPath, Uri

__all__ = ["MemoryArtifactRepo"]

_ROOT = ArtifactPath()


class MemoryArtifactRepo(ArtifactRepo):
    """Files as a dict of path to bytes; folders exist as long as something is in them."""

    features: ClassVar[Mapping[Feature, Support]] = {Feature.ATOMIC_PUT: Support.FULL}

    def __init__(self, root: Uri | None = None) -> None:
        self.root = root or Uri("memory", path="/")
        self.files: dict[tuple[str, ...], bytes] = {}
        self._lock = Lock()

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        """A new, empty repository."""
        return cls(uri)

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        """See ArtifactRepo.put_file."""
        try:
            content = source.read_bytes()
        except OSError as fault:
            raise ArtifactNotFound(f"the local file {source} cannot be read: {fault.strerror}") from fault
        if path.is_root:
            raise InvalidPath("a file cannot take the place of the root")
        with self._lock:
            if any(path.segments[:n] in self.files for n in range(1, len(path.segments))) or self._below(path):
                raise InvalidPath(f"{path} leads through a file, or is a folder")
            self.files[path.segments] = content

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        """See ArtifactRepo.get_file."""
        with self._lock:
            content = self.files.get(path.segments)
        if content is None:
            raise ArtifactNotFound(f"no file at {str(path)!r}", path=str(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{token_hex(8)}")
        partial.write_bytes(content)
        os.replace(partial, target)

    def list(self, path: ArtifactPath = _ROOT) -> list[FileInfo]:
        """See ArtifactRepo.list."""
        depth = len(path.segments) + 1
        found: dict[str, FileInfo] = {}
        with self._lock:
            for segments in self._below(path):
                child = "/".join(segments[:depth])
                is_dir = len(segments) > depth
                found[child] = FileInfo(child, is_dir, None if is_dir else len(self.files[segments]))
        return sorted(found.values())

    def delete(self, path: ArtifactPath) -> None:
        """See ArtifactRepo.delete."""
        if path.is_root:
            raise InvalidPath("the root cannot be deleted")
        with self._lock:
            for segments in [path.segments, *self._below(path)]:
                self.files.pop(segments, None)

    def is_file(self, path: ArtifactPath) -> bool:
        """See ArtifactRepo.is_file."""
        return path.segments in self.files

    def digest(self, path: ArtifactPath) -> str | None:
        """See ArtifactRepo.digest."""
        with self._lock:
            content = self.files.get(path.segments)
        if content is None:
            raise ArtifactNotFound(f"no file at {str(path)!r}", path=str(path))
        return hashlib.sha256(content).hexdigest()

    def _below(self, path: ArtifactPath) -> builtins.list[tuple[str, ...]]:
        depth = len(path.segments)
        return [segments for segments in self.files if len(segments) > depth and segments[:depth] == path.segments]
