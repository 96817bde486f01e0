"""Files through the server, for clients that cannot reach the storage: the mlflow-artifacts proxy, and the routes of user interfaces.

An upload goes into a temporary file and takes its place in one step when it is complete; a download is sent in pieces, from any byte on.
Paths are decoded once and parsed once; every byte that leaves comes through the repository's own confinement.
"""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import re
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from attrs import evolve

from drupe.entities import FileInfo
from drupe.errors import ArtifactNotFound, InvalidPath, InvalidValue, StoreBusy
from drupe.extend import OpenArtifact
from drupe.uris import ArtifactPath
from drupe.wire.artifacts import FilesFound
from drupe.wire.shapes import plain
from drupe_asgi.answers import SAFE_HEADERS, Answer, json_answer
from drupe_asgi.bodies import ClientGone, Limits, chunks
from drupe_asgi.errors import TooLarge, TooSlow
from drupe_asgi.exchange import Exchange, Receive
from drupe_server_rest.errors import OtherOffset
from drupe_server_rest.resuming import KeptUploads, Stretch, Upload, stretch_of
from drupe_server_rest.services import Services

__all__ = ["FORM_UPLOAD_BYTES", "ArtifactProxy"]

PIECE_BYTES, UPLOAD_PIECE_BYTES = 1 << 20, 256 << 10
FORM_UPLOAD_BYTES = 10 << 20
SETTLED_S = 10.0
MOST_UPLOADS = 256  # each holds a piece in memory
AS_TEXT = frozenset(
    [
        "mlmodel",
        "mlproject",
        "txt",
        "log",
        "err",
        "cfg",
        "cnf",
        "conf",
        "ini",
        "properties",
        "toml",
        "yaml",
        "yml",
        "xml",
        "json",
        "js",
        "py",
        "csv",
        "tsv",
        "md",
        "rst",
        "ipynb",
    ]
)
_DIGEST = re.compile(rb"sha-256=:([A-Za-z0-9+/=]{44}):")
_RANGE = re.compile(rb"bytes=(\d{0,19})-(\d{0,19})")


class ArtifactProxy:
    """Files below the server's root of artifacts."""

    def __init__(self, services: Services, threads: ThreadPoolExecutor, limits: Limits) -> None:
        self._services, self._threads, self._limits = services, threads, limits
        self._uploads, self._kept = 0, KeptUploads()

    async def list(self, folder: ArtifactPath) -> Answer:
        """The direct children of a folder under their own names. A file, or nothing, has none."""
        found: list[FileInfo] = await self._in_thread(self._services.places.repo.list, folder)
        return json_answer(plain(FilesFound(tuple(evolve(one, path=one.path.rpartition("/")[2]) for one in found))))

    async def put(self, path: ArtifactPath, exchange: Exchange, *, most_bytes: int | None = None) -> Answer:
        """Keep a body as a file. Raises InvalidPath, TooLarge, TooSlow, ClientGone, StoreFull."""
        if path.is_root:
            raise InvalidPath("an upload needs the name of a file")
        headers = exchange.headers
        announced = int(headers.get(b"content-length", b"0") or 0)
        if most_bytes is not None and announced > most_bytes:
            raise TooLarge(f"this route takes files up to {most_bytes} bytes; this one has {announced}")
        if self._uploads >= MOST_UPLOADS:
            raise StoreBusy(f"{MOST_UPLOADS} files are being uploaded at once; send this one again")
        stretch = stretch_of(headers)
        self._uploads += 1
        try:
            if stretch is not None:
                return await self._put_stretch(path, stretch, exchange)
            upload = Upload(path, await self._in_thread(self._services.places.repo.begin_put, path))
            try:
                await self._receive(upload, exchange.receive, most_bytes)
                if headers.get(b"content-length") is not None and upload.at != announced:
                    raise InvalidValue(f"{upload.at} bytes have come of {announced}; nothing was kept")
                await self._finish(upload, headers)
            finally:
                await self._in_thread(upload.incoming.drop)
        finally:
            self._uploads -= 1
        return json_answer({})

    async def _put_stretch(self, path: ArtifactPath, stretch: Stretch, exchange: Exchange) -> Answer:
        """Take the rest of an upload from where it is; what has come stays when the connection breaks."""
        upload = self._kept.find(stretch.token)
        at = 0 if upload is None else upload.at
        if upload is not None and (upload.path, upload.total) != (path, stretch.total):
            raise InvalidValue("this upload is that of another file")
        if upload is not None and not upload.rests.is_set():
            raise StoreBusy("an earlier request of this upload has not ended yet; send the rest again")
        if stretch.first != at:
            raise OtherOffset(f"of this upload there are {at} bytes; go on from there", offset=at)
        if upload is None:
            upload = Upload(path, await self._in_thread(self._services.places.repo.begin_put, path), stretch.total)
            if self._kept.find(stretch.token) is not None:  # a twin of this request was quicker
                await self._in_thread(upload.incoming.drop)
                raise StoreBusy("another request begins this upload; send the rest again")
            for late in self._kept.keep(stretch.token, upload):
                await self._in_thread(late.incoming.drop)
        upload.rests.clear()
        try:
            await self._receive(upload, exchange.receive, None)
            if upload.at == stretch.total:
                await self._finish(upload, exchange.headers)
        except (ClientGone, TooSlow):
            raise
        except BaseException:
            await self._give_up(stretch.token, upload)
            raise
        finally:
            upload.seen_s = time.monotonic()
            upload.rests.set()
        if upload.at == stretch.total:
            await self._give_up(stretch.token, upload)
        return _at(json_answer({}), upload.at)

    async def _give_up(self, token: bytes, upload: Upload) -> None:
        self._kept.forget(token)
        await self._in_thread(upload.incoming.drop)

    async def _finish(self, upload: Upload, headers: Mapping[bytes, bytes]) -> None:
        """Put it into its place, if it is what the client meant to send. Raises InvalidValue when it is not."""
        told = _DIGEST.fullmatch(headers.get(b"repr-digest", b""))
        if told is not None and b64encode(bytes.fromhex(upload.incoming.digest())) != told[1]:
            raise InvalidValue("the bytes that have come are not those whose digest was told; nothing was kept")
        await self._in_thread(upload.incoming.finish)
        self._services.changes.tell("artifact", path=str(upload.path))

    async def offset(self, token: bytes) -> Answer:
        """How much has come of an upload of that name, once what was under way when its connection broke is written."""
        upload = self._kept.find(token)
        if upload is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(upload.rests.wait(), SETTLED_S)
        return _at(json_answer({}), 0 if upload is None else upload.at)

    def close(self) -> None:
        """Drop what waits for more."""
        for upload in self._kept.all():
            upload.incoming.drop()

    async def delete(self, path: ArtifactPath) -> Answer:
        """Delete a file or folder; nothing there is no error. Raises InvalidPath for the root."""
        await self._in_thread(self._services.places.repo.delete, path)
        self._services.changes.tell("artifact", path=str(path))
        return json_answer({})

    async def send(self, path: ArtifactPath, exchange: Exchange) -> None:
        """Send a file, or the part of it that is asked for. Raises ArtifactNotFound, InvalidValue for a folder."""
        send = exchange.send
        opened: OpenArtifact = await self._in_thread(self._open, path)
        try:
            digest = await self._digest(path, opened, exchange.headers)
            first, last, status = _part(exchange.headers.get(b"range"), opened.size)
            await send(
                {
                    "type": "http.response.start",
                    "status": status,
                    "headers": [*_file_headers(path, first, last, opened.size, status, exchange.request_id), *digest],
                }
            )
            at = first
            while exchange.method == "GET" and at <= last:
                piece = await self._in_thread(opened.read, at, min(PIECE_BYTES, last + 1 - at))
                if not piece:  # cut short meanwhile; the client sees that bytes are missing
                    break
                at += len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await self._in_thread(opened.close)

    async def _digest(self, path: ArtifactPath, opened: OpenArtifact, headers: Mapping[bytes, bytes]) -> Sequence[tuple[bytes, bytes]]:
        """The SHA-256 of the whole file, for clients that ask for it (RFC 9530). Raises ArtifactCorrupt where it is not what was put.

        It is that of the bytes that are sent, also when another file has taken their place meanwhile.
        """
        if not headers.get(b"want-repr-digest", b"").startswith(b"sha-256"):
            return []
        await self._in_thread(self._services.places.repo.digest, path)
        told: str | None = await self._in_thread(opened.digest)
        return [] if told is None else [(b"repr-digest", b"sha-256=:" + b64encode(bytes.fromhex(told)) + b":")]

    def _open(self, path: ArtifactPath) -> OpenArtifact:
        repo = self._services.places.repo
        try:
            return repo.open_file(path)
        except ArtifactNotFound:
            if path.is_root or repo.list(path):
                raise InvalidValue(f"{str(path) or 'the root'!r} is a folder; ask for its files one by one", path=str(path)) from None
            raise

    async def _receive(self, upload: Upload, receive: Receive, most_bytes: int | None) -> None:
        """Write a body as it comes, one piece while the next one gathers; nothing is being written when this ends, however it ends."""
        waiting, waiting_bytes = [], 0
        writing = asyncio.ensure_future(self._write(upload, b""))
        try:
            async for piece in chunks(receive, self._limits):
                waiting.append(piece)
                waiting_bytes += len(piece)
                if most_bytes is not None and upload.at + waiting_bytes > most_bytes:
                    raise TooLarge(f"this route takes files up to {most_bytes} bytes")
                if waiting_bytes >= UPLOAD_PIECE_BYTES:
                    await writing
                    writing = asyncio.ensure_future(self._write(upload, b"".join(waiting)))
                    waiting, waiting_bytes = [], 0
        finally:
            await asyncio.wait({writing})
        writing.result()
        await self._write(upload, b"".join(waiting))

    async def _write(self, upload: Upload, piece: bytes) -> None:
        await self._in_thread(upload.incoming.write, piece)
        upload.at += len(piece)

    async def _in_thread(self, call: Any, *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *given)


def _at(answer: Answer, at: int) -> Answer:
    answer.headers = (*answer.headers, (b"upload-offset", b"%d" % at))
    return answer


def _part(asked: bytes | None, size: int) -> tuple[int, int, int]:
    """First and last byte and the status, for a Range header. One that is not understood is ignored, as the protocol wants it."""
    match = _RANGE.fullmatch(asked or b"")
    if match is None or match[0] == b"bytes=-":
        return 0, size - 1, 200
    if not match[1]:
        first, last = max(size - int(match[2]), 0), size - 1
    else:
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    if first > last:
        raise InvalidValue(f"the file has {size} bytes; there are none in the range {match[0].decode()}")
    return first, last, 206


def _file_headers(path: ArtifactPath, first: int, last: int, size: int, status: int, request_id: str) -> list[tuple[bytes, bytes]]:
    name = path.name
    ending = name.rpartition(".")[2].lower()
    kind = (
        "text/plain"
        if ending in AS_TEXT or name in ("MLmodel", "MLproject")
        else mimetypes.guess_type(name)[0] or "application/octet-stream"
    )
    headers = [
        (b"content-type", kind.encode()),
        (b"content-disposition", f"attachment; filename*=UTF-8''{quote(name, safe='')}".encode()),
        (b"content-security-policy", b"sandbox; default-src 'none'"),
        (b"accept-ranges", b"bytes"),
        (b"content-length", str(last + 1 - first).encode()),
        (b"x-request-id", request_id.encode()),
        *SAFE_HEADERS,
    ]
    return headers if status == 200 else [*headers, (b"content-range", f"bytes {first}-{last}/{size}".encode())]
