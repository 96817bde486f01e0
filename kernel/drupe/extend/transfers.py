"""What artifact repositories hand out beside whole files: an opened file that is read from any byte on, and signed addresses.

A signed address lets somebody without credentials send or fetch one file, or one part of it, straight from the storage for some
minutes. It is a secret: it is told to whom asked for it, and never logged.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from attrs import field, frozen

__all__ = ["FileOnDisk", "Incoming", "OpenArtifact", "PartedUpload", "SignedAddress", "Staged"]

_PIECE_BYTES = 1 << 20


class OpenArtifact(ABC):
    """One content of a file: what was there when it was opened, also when another takes its place meanwhile. For one thread at a time."""

    size: int

    @abstractmethod
    def read(self, at: int, count: int) -> bytes:
        """Up to `count` bytes from the byte `at` on; none after the end. Raises ArtifactNotFound, ArtifactCorrupt, StoreUnavailable."""

    @abstractmethod
    def digest(self) -> str | None:
        """The SHA-256 (lower-case hex) of just this content; None where it is not known."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it. Closing twice is no error."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Incoming(ABC):
    """A file that comes piece by piece; there is nothing at its path until `finish`. For one thread at a time. Leaving a `with` block drops it."""

    @abstractmethod
    def write(self, piece: bytes) -> None:
        """Append these bytes. Raises StoreFull, StoreUnavailable."""

    @abstractmethod
    def digest(self) -> str:
        """The SHA-256 (lower-case hex) of what has come."""

    @abstractmethod
    def finish(self) -> None:
        """Put the whole into its place, as `ArtifactRepo.put_file` does, and raise what that raises."""

    @abstractmethod
    def drop(self) -> None:
        """Forget what has come. After `finish`, or twice, it does nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self.drop()


class Staged(Incoming):
    """The bytes wait in a temporary file of this machine, and `put` is called with it in the end."""

    def __init__(self, put: Callable[[Path], None]) -> None:
        import tempfile  # here: its import takes longer than drupe's own

        self._put, self._digest = put, hashlib.sha256()
        self._file: Any = tempfile.NamedTemporaryFile(prefix="drupe-", buffering=0)  # noqa: SIM115 - `drop` closes it

    def write(self, piece: bytes) -> None:
        """See Incoming.write."""
        view = memoryview(piece)
        while view:
            view = view[self._file.write(view) :]
        self._digest.update(piece)

    def digest(self) -> str:
        """See Incoming.digest."""
        return self._digest.hexdigest()

    def finish(self) -> None:
        """See Incoming.finish."""
        self._put(Path(self._file.name))

    def drop(self) -> None:
        """See Incoming.drop."""
        self._file.close()


class FileOnDisk(OpenArtifact):
    """A file on this machine, by an open descriptor, which it takes over."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        self.size = os.fstat(descriptor).st_size

    def read(self, at: int, count: int) -> bytes:
        """See OpenArtifact.read."""
        assert self._descriptor is not None, "it is closed"
        return os.pread(self._descriptor, count, at)

    def digest(self) -> str:
        """See OpenArtifact.digest: the file is read."""
        found, at = hashlib.sha256(), 0
        while piece := self.read(at, _PIECE_BYTES):
            found.update(piece)
            at += len(piece)
        return found.hexdigest()

    def close(self) -> None:
        """See OpenArtifact.close."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@frozen
class SignedAddress:
    """Where to send or fetch bytes without credentials, and the headers that must go with them. `part` counts from 1; `size` of downloads."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    part: int = 1
    size: int | None = None


@frozen
class PartedUpload:
    """A begun upload in parts: one address for each, all of the same file."""

    upload_id: str
    parts: tuple[SignedAddress, ...]
