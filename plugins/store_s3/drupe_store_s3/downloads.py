"""Fetching files: one request for small ones, ranges of larger ones several at once, each going on where a connection broke.

All ranges are of one version: the first answer names it, and the storage refuses ranges of another, upon which the download begins anew.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from drupe.errors import ArtifactCorrupt, StoreError, StoreFull, StoreUnavailable
from drupe.extend import OpenArtifact
from drupe_store_s3.bucket import Bucket
from drupe_store_s3.faults import BROKEN, code_of
from drupe_store_s3.sums import Found, found_in

__all__ = ["Replaced", "S3Opened", "fetch", "look"]

PIECE_BYTES = 1 << 20


class Replaced(Exception):
    """Another version has taken the file's place meanwhile."""


def look(bucket: Bucket, key: str, path: str) -> Found:
    """The object as it is now. Raises ArtifactNotFound, StoreUnavailable."""
    given = {"Key": key, "ChecksumMode": "ENABLED", **bucket.for_bytes}
    return found_in(bucket.call("head_object", f"looking for {path!r}", path, **given), path)


def fetch(bucket: Bucket, key: str, path: str, descriptor: int) -> Found:
    """Write all bytes to an open, empty file. Raises ArtifactNotFound, ArtifactCorrupt, StoreUnavailable, Replaced."""
    part_bytes = bucket.settings.part_mb << 20
    answer = _asked(bucket, key, path, 0, part_bytes, None)
    if answer is None:  # no range of an empty object is satisfiable
        found = look(bucket, key, path)
        if found.size:
            raise Replaced
        _compare(found, hashlib.sha256().hexdigest(), path)
        return found
    found = found_in(answer, path)
    hashed = hashlib.sha256()
    _receive(bucket, key, path, found, answer, 0, min(part_bytes, found.size), descriptor, hashed)
    if found.size > part_bytes:
        os.ftruncate(descriptor, found.size)
        _fetch_rest(bucket, key, path, found, part_bytes, descriptor)
        at = part_bytes
        while piece := os.pread(descriptor, PIECE_BYTES, at):
            hashed.update(piece)
            at += len(piece)
    _compare(found, hashed.hexdigest(), path)
    return found


def _fetch_rest(bucket: Bucket, key: str, path: str, found: Found, part_bytes: int, descriptor: int) -> None:
    def one(start: int) -> None:
        _receive(bucket, key, path, found, None, start, min(start + part_bytes, found.size), descriptor, None)

    starts = range(part_bytes, found.size, part_bytes)
    with ThreadPoolExecutor(min(bucket.settings.workers, len(starts)), thread_name_prefix="drupe-s3") as pool:
        parts = [pool.submit(one, start) for start in starts]
        try:
            for part in parts:
                part.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _receive(bucket: Bucket, key: str, path: str, found: Found, answer: Any, at: int, end: int, descriptor: int, hashed: Any) -> None:
    """Write the bytes `at` to `end`; `answer` is the one that brings them, None to ask."""
    breaks = 0
    while at < end:
        if answer is None:
            answer = _asked(bucket, key, path, at, end - at, found.etag)
        if answer is None:
            raise Replaced
        try:
            with contextlib.closing(answer["Body"]) as body:
                while at < end and (piece := body.read(min(PIECE_BYTES, end - at))):
                    _write(descriptor, piece, at)
                    if hashed is not None:
                        hashed.update(piece)
                    at, breaks = at + len(piece), 0
            if at < end:
                breaks += 1
        except BROKEN as fault:
            breaks += 1
            if breaks >= bucket.settings.tries:
                raise _torn(path, bucket) from fault
        if breaks >= bucket.settings.tries:
            raise _torn(path, bucket)
        answer = None


def _asked(bucket: Bucket, key: str, path: str, at: int, count: int | None, etag: str | None) -> Any:
    """The answer that brings `count` bytes from `at` on; None where there are none. Raises Replaced."""
    end = "" if count is None else str(at + count - 1)
    given = {"Key": key, "Range": f"bytes={at}-{end}", "ChecksumMode": "ENABLED", **bucket.for_bytes, **({"IfMatch": etag} if etag else {})}
    with bucket.asking(f"reading {path!r}", path):
        try:
            return bucket.client.get_object(Bucket=bucket.name, **bucket.common, **given)
        except Exception as fault:
            code = code_of(fault)
            if code in ("InvalidRange", "416"):
                return None
            if code in ("PreconditionFailed", "412") or (etag and code in ("NoSuchKey", "404")):
                raise Replaced from None
            raise


def _write(descriptor: int, piece: bytes, at: int) -> None:
    view = memoryview(piece)
    try:
        while view:
            count = os.pwrite(descriptor, view, at)
            view, at = view[count:], at + count
    except OSError as fault:  # said here, because it is no fault of a connection
        kind = StoreFull if fault.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
        raise kind(f"the local file cannot be written: {fault.strerror}") from fault


def _compare(found: Found, sha256: str, path: str) -> None:
    if found.sha256 is not None and found.sha256 != sha256:
        raise ArtifactCorrupt(
            f"artifact {path!r} is damaged: sha-256 {found.sha256} was kept when it was written, {sha256} has come. Put it again, or "
            "restore an earlier version of the object",
            path=path,
            expected=found.sha256,
            found=sha256,
        )


def _torn(path: str, bucket: Bucket) -> StoreUnavailable:
    return StoreUnavailable(f"reading {path!r}: the connection to s3://{bucket.name} breaks again and again")


class S3Opened(OpenArtifact):
    """An object, read along one answer as long as it is read in order, and from any byte on by asking anew."""

    def __init__(self, bucket: Bucket, key: str, path: str, found: Found) -> None:
        self._bucket, self._key, self._path, self._found = bucket, key, path, found
        self.size = found.size
        self._body: Any = None
        self._at = 0

    def read(self, at: int, count: int) -> bytes:
        """See OpenArtifact.read. Raises ArtifactCorrupt when the object has been replaced, since its old bytes are gone then."""
        if at >= self.size or count <= 0:
            return b""
        count = min(count, self.size - at)
        for _ in range(self._bucket.settings.tries):
            try:
                if self._body is None or self._at != at:
                    self._begin(at)
                piece: bytes = self._body.read(count)
            except Replaced:
                raise ArtifactCorrupt(f"{self._path!r} has been replaced while it was read; read it again", path=self._path) from None
            except BROKEN:
                self.close()
                continue
            if piece:
                self._at += len(piece)
                return piece
            self.close()
        raise _torn(self._path, self._bucket)

    def digest(self) -> str | None:
        """See OpenArtifact.digest: what is kept with the object."""
        return self._found.sha256 if self._found.is_as_put else None

    def close(self) -> None:
        """See OpenArtifact.close."""
        if self._body is not None:
            self._body.close()
            self._body = None

    def _begin(self, at: int) -> None:
        self.close()
        answer = _asked(self._bucket, self._key, self._path, at, None, self._found.etag)
        if answer is None:
            raise Replaced
        self._body, self._at = answer["Body"], at
