"""What is asked and answered about files: a run's listing, and the proxy that keeps files for clients without access to the storage."""

from __future__ import annotations

from attrs import frozen

from drupe.entities import FileInfo
from drupe.wire.shapes import needed

__all__ = [
    "DownloadAddress",
    "DropParts",
    "FilesFound",
    "FinishParts",
    "ListArtifacts",
    "ListFolder",
    "PartAddress",
    "PartSent",
    "PartsStarted",
    "RunFilesFound",
    "StartParts",
]


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


@frozen
class StartParts:
    """Begin an upload in parts. Of `path`, the name of the client's own file, the last part names the file in the folder of the address."""

    path: str = needed()
    num_parts: int = 1


@frozen
class PartAddress:
    """Where to send one part."""

    url: str
    part_number: int


@frozen
class PartsStarted:
    """A begun upload."""

    upload_id: str
    credentials: tuple[PartAddress, ...] = ()


@frozen
class PartSent:
    """What the storage answered to a part."""

    part_number: int = needed()
    etag: str = needed()
    url: str | None = None


@frozen
class FinishParts:
    """All parts are sent."""

    path: str = needed()
    upload_id: str = needed()
    parts: tuple[PartSent, ...] = needed()


@frozen
class DropParts:
    """Give an upload up."""

    path: str = needed()
    upload_id: str = needed()


@frozen
class DownloadAddress:
    """Where a file can be fetched without the server."""

    url: str
    file_size: int | None = None
