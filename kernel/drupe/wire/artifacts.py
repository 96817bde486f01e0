"""What is asked and answered about files: a run's listing, and the proxy that keeps files for clients without access to the storage."""

from __future__ import annotations

from attrs import frozen

from drupe.entities import FileInfo

__all__ = ["FilesFound", "ListArtifacts", "ListFolder", "RunFilesFound"]


@frozen
class ListArtifacts:
    """The direct children of a folder of a run."""

    run_id: str | None = None
    run_uuid: str | None = None
    path: str | None = None
    page_token: str | None = None


@frozen
class RunFilesFound:
    """Paths are relative to the root of the run's artifacts."""

    root_uri: str
    files: tuple[FileInfo, ...] = ()
    next_page_token: str | None = None


@frozen
class ListFolder:
    """The direct children of a folder of the proxy."""

    path: str | None = None


@frozen
class FilesFound:
    """Paths are names relative to the folder."""

    files: tuple[FileInfo, ...] = ()
