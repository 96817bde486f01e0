"""The artifact repository of a server: files go through it to its storage. Never a whole file in memory."""

from __future__ import annotations

import hashlib
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, ClassVar, Self
from urllib.parse import quote

import requests
from attrs import evolve, frozen

from drupe.entities import FileInfo
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, DrupeError, InvalidPath, InvalidUri, NotFound, StoreUnavailable
from drupe.extend import ArtifactRepo, Feature, Support
from drupe.tracking.address import get_registry_uri, get_tracking_uri
from drupe.uris import ArtifactPath, Uri
from drupe.wire.artifacts import FilesFound
from drupe.wire.shapes import read
from drupe_store_http.link import FAULTS, Link, known_link, link_for
from drupe_store_http.servers import is_own
from drupe_store_http.settings import HttpSettings

__all__ = ["HttpArtifactRepo"]

FILES = "/api/2.0/mlflow-artifacts/artifacts"
PIECE_BYTES = 1 << 20
TRIES = 5
MOST_BREAKS = 5  # of one transfer without a byte between them
RESUMED_BYTES = 16 << 20  # an upload that is smaller is sent again whole
DIGEST = "sha-256"

_ROOT = ArtifactPath()
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_WHOLE = {"Accept-Encoding": "identity", "Want-Repr-Digest": f"{DIGEST}=1"}


@frozen
class _Version:
    """What tells one content of a file from another: its size, its digest where the server knows it, and else its mark."""

    size: int | None
    digest: str | None
    etag: str | None = None


class HttpArtifactRepo(ArtifactRepo):
    """Files below one folder of a server."""

    features: ClassVar[Mapping[Feature, Support]] = {Feature.ATOMIC_PUT: Support.FULL}

    def __init__(self, root: Uri, link: Link, folder: ArtifactPath) -> None:
        self.root, self._link, self._folder = root, link, folder
        self._owned: bool | None = None

    @classmethod
    def open(cls, uri: Uri, settings: HttpSettings | None = None) -> Self:
        """Open `mlflow-artifacts:/folder` on the server that is tracked to, or `http://host/api/2.0/mlflow-artifacts/artifacts/folder`."""
        if uri.scheme == "mlflow-artifacts":
            link, folder = _link_of(uri.host, settings), uri.path
        else:
            prefix, marker, folder = uri.path.partition(FILES)
            if not marker or folder[:1] not in ("", "/"):
                raise InvalidUri(f"{uri.text} is no place for files; on a server they are below {FILES}")
            link = link_for(evolve(uri, path=prefix, query={}), settings)
        return cls(uri, link, ArtifactPath.parse(folder.strip("/")))

    def put_file(self, source: Path, path: ArtifactPath) -> None:
        if _size_of(source) >= RESUMED_BYTES and self._is_own():
            self._put_resumed(source, path)
        else:
            self._put(lambda: _opened(source), path)

    def put_bytes(self, content: bytes, path: ArtifactPath) -> None:
        self._put(lambda: content, path)

    def get_file(self, path: ArtifactPath, target: Path) -> None:
        if path.is_root:
            raise ArtifactNotFound("the root is a folder; ask for its files one by one")
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{token_hex(8)}.part")
        try:
            for tries_left in reversed(range(TRIES)):
                try:
                    with open(unfinished, "wb") as file:
                        self._receive(path, file)
                    break
                except ArtifactCorrupt:  # or replaced between the server's look at the digest and at the bytes
                    if not tries_left:
                        raise
            os.replace(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)

    def list(self, path: ArtifactPath = _ROOT) -> list[FileInfo]:
        folder = ArtifactPath(self._folder.segments + path.segments)
        response, _ = self._link.exchange("GET", f"{self._link.base}{FILES}?path={quote(str(folder), safe='')}")
        if response.status_code == 404:
            return []
        if response.status_code != 200:
            raise self._link.fault_of(response, f"listing {str(path)!r}")
        found = read(FilesFound, response.json()).files
        return sorted(_told(one, path) for one in found)

    def delete(self, path: ArtifactPath) -> None:
        if path.is_root:
            raise InvalidPath("the root cannot be deleted")
        response, _ = self._link.exchange("DELETE", self._url(path))
        if response.status_code not in (200, 204, 404):
            raise self._link.fault_of(response, f"deleting {str(path)!r}")

    def is_file(self, path: ArtifactPath) -> bool:
        return not path.is_root and any(one.path == str(path) and not one.is_dir for one in self.list(path.parent))

    def digest(self, path: ArtifactPath) -> str | None:
        response, _ = self._link.exchange("HEAD", self._url(path), headers=_WHOLE)
        if response.status_code != 200:
            raise self._missing(path, response)
        return _version(response).digest

    # --- how

    def _url(self, path: ArtifactPath) -> str:
        return f"{self._link.base}{FILES}/{quote(str(ArtifactPath(self._folder.segments + path.segments)), safe='/')}"

    def _put(self, content: Any, path: ArtifactPath) -> None:
        if path.is_root:
            raise InvalidPath("a file cannot take the place of the root")
        response, _ = self._link.exchange("PUT", self._url(path), headers={"Content-Type": "application/octet-stream"}, body=content)
        if response.status_code != 200:
            raise self._link.fault_of(response, f"keeping {str(path)!r}")

    def _is_own(self) -> bool:
        if self._owned is None:
            self._owned = is_own(self._link)
        return self._owned

    def _put_resumed(self, source: Path, path: ArtifactPath) -> None:
        """Send a large file, going on where a connection broke: see `drupe_server_rest.resuming` for what is said."""
        if path.is_root:
            raise InvalidPath("a file cannot take the place of the root")
        with open(source, "rb") as file:
            size, digest = os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").digest()
        named = {"Drupe-Upload": token_hex(16)}
        told = {**named, "Content-Type": "application/octet-stream", "Repr-Digest": f"{DIGEST}=:{b64encode(digest).decode()}:"}
        at, breaks = 0, 0
        while True:
            headers = {**told, "Content-Range": f"bytes {at}-{size - 1}/{size}"}
            try:
                response, _ = self._link.exchange(
                    "PUT", self._url(path), headers=headers, body=partial(_opened, source, at), is_repeatable=False
                )
            except StoreUnavailable as fault:
                response, _ = self._link.exchange("HEAD", self._url(path), headers=named)
                reason: StoreUnavailable | None = fault
            else:
                reason = None
                if response.status_code == 200:
                    return
            offset = response.headers.get("upload-offset", "")
            if not offset.isdecimal() or response.status_code not in (200, 409):
                raise self._link.fault_of(response, f"keeping {str(path)!r}")
            breaks = 0 if int(offset) > at else breaks + 1
            if breaks > MOST_BREAKS:
                raise reason or self._link.fault_of(response, f"keeping {str(path)!r}")
            at = int(offset)

    def _receive(self, path: ArtifactPath, file: IO[bytes]) -> None:
        """Write all bytes, going on where a connection broke as long as the file there is the same."""
        known: _Version | None = None
        hashed, at, breaks = hashlib.sha256(), 0, 0
        while True:
            headers = {**_WHOLE, "Range": f"bytes={at}-"} if at else _WHOLE
            response, _ = self._link.exchange("GET", self._url(path), headers=headers, stream=True)
            with response:
                if response.status_code not in (200, 206) and not at:
                    raise self._missing(path, response)
                version = _version(response)
                if known is not None and (response.status_code != 206 or version != known or _begins_at(response) != at):
                    file.seek(0)
                    file.truncate()
                    hashed, at, known = hashlib.sha256(), 0, None
                    if response.status_code != 200:
                        continue
                known = version
                try:
                    for piece in response.iter_content(PIECE_BYTES):
                        file.write(piece)
                        hashed.update(piece)
                        at, breaks = at + len(piece), 0
                except FAULTS as fault:
                    breaks += 1
                    if breaks > MOST_BREAKS:
                        raise StoreUnavailable(f"{str(path)!r}: the connection to {self._link.base} breaks again and again") from fault
                    continue
            if known.size is not None and at != known.size:
                raise ArtifactCorrupt(f"{str(path)!r}: {at} bytes have come of {known.size}", path=str(path))
            if known.digest is not None and hashed.hexdigest() != known.digest:
                raise ArtifactCorrupt(f"{str(path)!r} has come with other bytes than the server has", path=str(path))
            return

    def _missing(self, path: ArtifactPath, response: requests.Response) -> DrupeError:
        fault = self._link.fault_of(response, f"reading {str(path)!r}")
        if isinstance(fault, ArtifactCorrupt | ArtifactNotFound):
            return fault
        if isinstance(fault, NotFound) or not self.is_file(path):
            return ArtifactNotFound(f"there is no file {str(path)!r}", path=str(path))
        return fault


def _told(one: FileInfo, folder: ArtifactPath) -> FileInfo:
    """A file of a listing by its whole path; MLflow leaves out sizes of 0."""
    size = None if one.is_dir else one.file_size or 0
    return evolve(one, path=str(folder / one.path.rstrip("/").rpartition("/")[2]), file_size=size)


def _link_of(host: str, settings: HttpSettings | None) -> Link:
    """The server that runs or models are on now; else the one that was used last."""
    for address in (get_tracking_uri(), get_registry_uri()):
        uri = Uri.parse(address, query=True, user_info=True)
        if uri.scheme in ("http", "https") and host in ("", uri.host):
            base = f"{uri.scheme}://{uri.host}{quote(uri.path.rstrip('/'))}"
            known = known_link(uri.host)
            return known if known is not None and known.base == base else link_for(evolve(uri, query={}), settings)
    used = known_link(host or None)
    if used is None:
        raise InvalidUri(
            f"mlflow-artifacts:{f'//{host}' if host else ''}/… is kept by a tracking server, and none{' of that name' if host else ''} is in use; "
            "set the tracking address to it"
        )
    return used


def _size_of(source: Path) -> int:
    """0 for what is not there, which is told when it is opened."""
    try:
        return source.stat().st_size
    except OSError:
        return 0


def _opened(source: Path, at: int = 0) -> Any:
    try:
        file = open(source, "rb")  # noqa: SIM115 - closed by who sends it
        file.seek(at)
    except OSError as fault:
        raise ArtifactNotFound(f"the local file {source} cannot be read: {fault.strerror}") from fault
    if os.fstat(file.fileno()).st_size == 0:  # would be sent in chunks, which some servers do not take
        file.close()
        return b""
    return file


def _version(response: requests.Response) -> _Version:
    size = None
    ranged = _RANGE.fullmatch(response.headers.get("content-range", ""))
    if ranged:
        size = int(ranged[2])
    elif response.headers.get("content-length", "").isdecimal() and "content-encoding" not in response.headers:
        size = int(response.headers["content-length"])
    told = response.headers.get("repr-digest", "")
    digest = None
    if told.startswith(f"{DIGEST}=:"):
        with suppress(ValueError):
            digest = b64decode(told.removeprefix(f"{DIGEST}=:").partition(":")[0]).hex()
    return _Version(size, digest, response.headers.get("etag"))


def _begins_at(response: requests.Response) -> int | None:
    ranged = _RANGE.fullmatch(response.headers.get("content-range", ""))
    return int(ranged[1]) if ranged else None
