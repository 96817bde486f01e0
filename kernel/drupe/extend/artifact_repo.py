"""The contract of an artifact repository: files below one root address.

The five verbs are what a plugin writes; moving whole trees in parallel is built on them in `drupe.artifacts.trees`. What is handed out beside
whole files is in `transfers`. The conformance kit is `drupe.testing.artifact_repo`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from drupe.entities import FileInfo
from drupe.errors import ArtifactNotFound, UnsupportedFeature
from drupe.extend.features import Feature, Support
from drupe.extend.transfers import FileOnDisk, Incoming, OpenArtifact, PartedUpload, SignedAddress, Staged
from drupe.uris import ArtifactPath, Uri

__all__ = ["ArtifactRepo"]


class ArtifactRepo(ABC):
    """Files below `root`. All paths are relative to it and arrive checked; an implementation confines them again when it opens files.

    Methods may be called from several threads at once.
    """

    features: ClassVar[Mapping[Feature, Support]] = {}
    root: Uri

    @classmethod
    @abstractmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        """Open the repository rooted at `uri`; nothing is created until something is put. Raises StoreUnavailable."""

    @abstractmethod
    def put_file(self, source: Path, path: ArtifactPath) -> None:
        """Store the bytes of a local file at `path`, replacing what was there; folders are made.

        A reader sees the old content or the new, never a mixture, also after a crash. Raises InvalidPath (the root, or through a file),
        StoreFull, StoreReadOnly; ArtifactNotFound when `source` is not a readable file.
        """

    @abstractmethod
    def get_file(self, path: ArtifactPath, target: Path) -> None:
        """Write the bytes at `path` to a local file, atomically; checks the kept digest where there is one.

        Raises ArtifactNotFound (missing, or a folder), ArtifactCorrupt.
        """

    @abstractmethod
    def list(self, path: ArtifactPath = ArtifactPath()) -> list[FileInfo]:  # noqa: B008 - a frozen value
        """The direct children of a folder, sorted by path, their paths relative to the root. A file or nothing there gives []."""

    @abstractmethod
    def delete(self, path: ArtifactPath) -> None:
        """Remove a file or a folder with all in it; nothing there is no error. The root cannot be deleted: InvalidPath."""

    @abstractmethod
    def is_file(self, path: ArtifactPath) -> bool:
        """True when `path` is a file."""

    def put_bytes(self, content: bytes, path: ArtifactPath) -> None:
        """Store `content` at `path`, as `put_file` does. Here it passes through a temporary file; override it where there is a shorter way."""
        import tempfile  # here: its import takes longer than drupe's own

        with tempfile.NamedTemporaryFile(prefix="drupe-") as source:  # no folder of its own: removing one takes 5 ms on some file systems
            source.write(content)
            source.flush()
            self.put_file(Path(source.name), path)

    def begin_put(self, path: ArtifactPath) -> Incoming:
        """A file for `path` that comes piece by piece. Here it waits in a temporary file; override it where it can wait beside its place.

        Raises what `put_file` raises, then or when it is finished.
        """
        return Staged(lambda file: self.put_file(file, path))

    def digest(self, path: ArtifactPath) -> str | None:
        """The SHA-256 (lower-case hex) of the bytes at `path`, where it can be told without fetching them; None otherwise.

        A repository with the feature DIGESTS compares with the digest that it keeps. Raises ArtifactNotFound, ArtifactCorrupt.
        """
        return None

    def local_path(self, path: ArtifactPath = ArtifactPath()) -> Path | None:  # noqa: B008 - a frozen value
        """Where `path` lies in this machine's file system, for reading in place; None where it must be fetched."""
        return None

    def open_file(self, path: ArtifactPath) -> OpenArtifact:
        """The file at `path`, to be read from any byte on; close it. Here it is fetched whole where it does not lie on this machine.

        Raises ArtifactNotFound (missing, or a folder), ArtifactCorrupt.
        """
        if not self.is_file(path):
            raise ArtifactNotFound(f"there is no file {str(path)!r} in {self.root}", path=str(path))
        place = self.local_path(path)
        if place is not None:
            return FileOnDisk(os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC))
        import tempfile  # here: as above

        with tempfile.TemporaryDirectory(prefix="drupe-") as folder:
            self.get_file(path, Path(folder) / "content")
            return FileOnDisk(os.open(Path(folder) / "content", os.O_RDONLY | os.O_CLOEXEC))

    # --- with the feature SIGNED_TRANSFERS

    def start_parts(self, path: ArtifactPath, count: int) -> PartedUpload:
        """Begin to store a file whose `count` parts (1 to 10 000) others send to signed addresses; nothing is there until `finish_parts`.

        Raises InvalidPath as `put_file`, InvalidValue, UnsupportedFeature.
        """
        raise self._no_parts()

    def finish_parts(self, path: ArtifactPath, upload_id: str, etags: Mapping[int, str]) -> None:
        """Put the parts that were sent together, in order of their numbers; `etags` are what the storage answered to each.

        Raises NotFound for an upload that is over, InvalidValue for parts that were not sent, UnsupportedFeature.
        """
        raise self._no_parts()

    def drop_parts(self, path: ArtifactPath, upload_id: str) -> None:
        """Give a begun upload up; one that is over is no error. Raises UnsupportedFeature."""
        raise self._no_parts()

    def signed_download(self, path: ArtifactPath) -> SignedAddress:
        """Where anybody can fetch the file for some minutes. Raises ArtifactNotFound, UnsupportedFeature."""
        raise UnsupportedFeature("Multipart download is not supported for the current artifact repository")

    @staticmethod
    def _no_parts() -> UnsupportedFeature:
        # MLflow's clients compare this text, and then send files whole
        return UnsupportedFeature("Multipart upload is not supported for the current artifact repository")
