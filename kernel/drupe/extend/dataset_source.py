"""The contract of a dataset source: where data lies that is described, and how it is fetched.

Reading formats is `drupe.data`'s work; a source brings bytes. The conformance kit is `drupe.testing.dataset_source`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Protocol, Self

from attrs import frozen

from drupe.uris import Uri

__all__ = ["DatasetSource", "Fetched", "SourceStat"]


class Fetched(Protocol):
    """Told how far a download is: bytes so far, and all there are (None while that is not known)."""

    def __call__(self, done_bytes: int, total_bytes: int | None, /) -> None: ...


@frozen
class SourceStat:
    """What can be told of a source without fetching it; None where it cannot.

    `version` changes when the content does: an entity tag, the version id of an object.
    """

    size_bytes: int | None = None
    modified_ms: int | None = None
    version: str | None = None


class DatasetSource(ABC):
    """The file at one address. Methods may be called from several threads at once."""

    uri: Uri

    @classmethod
    @abstractmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        """The source at `uri`, whose query belongs to the address; nothing is fetched yet. Raises InvalidUri."""

    @abstractmethod
    def stat(self) -> SourceStat:
        """What is known of the file. Raises ArtifactNotFound when there is none, StoreUnavailable."""

    @abstractmethod
    def download(self, target: Path, progress: Fetched | None = None) -> None:
        """Write the bytes to a local file, whole or not at all; what was there is replaced.

        Raises ArtifactNotFound, StoreUnavailable (also when the connection breaks), InvalidValue when it is larger than allowed.
        """

    def local_path(self) -> Path | None:
        """Where the file lies in this machine's file system, for reading in place; None where it must be fetched."""
        return None
