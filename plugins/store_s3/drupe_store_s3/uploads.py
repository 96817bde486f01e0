"""Sending files: small ones in one request, larger ones in parts, several at once. Nothing is there before all of it is.

A file is read twice: first for its sums, which go along so that the storage refuses other bytes, then to be sent, never as a whole through
memory. A part that fails is sent again by boto3; when it fails for good, the whole upload is given up.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from drupe.errors import DrupeError, StoreError
from drupe_store_s3.bucket import Bucket
from drupe_store_s3.sums import Sums

__all__ = ["Section", "put_object"]

_Body = Callable[[int], Any]  # makes the body of a part, counted from 1


def put_object(bucket: Bucket, key: str, path: str, sums: Sums, body: _Body, kind: str) -> None:
    """Store what `body` gives under `key`. Raises StoreFull, StoreReadOnly, StoreUnavailable, StoreError."""
    extra = dict(bucket.for_uploads)
    given = {"ContentType": kind, **extra, "Metadata": {**extra.get("Metadata", {}), **sums.kept}, "Key": key}
    what = f"storing {path!r}"
    if len(sums.parts) == 1:
        bucket.call("put_object", what, path, writes=True, Body=body(1), ContentLength=sums.size, **sums.checks, **given)
        return
    upload_id = bucket.call("create_multipart_upload", what, path, writes=True, **given)["UploadId"]
    try:
        etags = _send(bucket, key, upload_id, sums, body, what, path)
        parts = {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]}
        bucket.call("complete_multipart_upload", what, path, writes=True, Key=key, UploadId=upload_id, MultipartUpload=parts)
    except BaseException:
        with contextlib.suppress(DrupeError):
            bucket.call("abort_multipart_upload", what, path, writes=True, Key=key, UploadId=upload_id)
        raise


def _send(bucket: Bucket, key: str, upload_id: str, sums: Sums, body: _Body, what: str, path: str) -> list[str]:
    def send(number: int) -> str:
        given = {"Key": key, "UploadId": upload_id, "PartNumber": number, "Body": body(number), "ContentMD5": sums.md5(number)}
        return str(bucket.call("upload_part", what, path, writes=True, **given, **bucket.for_bytes)["ETag"])

    with ThreadPoolExecutor(min(bucket.settings.workers, len(sums.parts)), thread_name_prefix="drupe-s3") as pool:
        sent = [pool.submit(send, number) for number in range(1, len(sums.parts) + 1)]
        try:
            return [one.result() for one in sent]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class Section(io.RawIOBase):
    """The bytes `start` to `end` of an open file, as a file of their own; many are read at once."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor, self._start, self._size, self._at = descriptor, start, end - start, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is: a request that is made again begins anew."""
        return True

    def __len__(self) -> int:
        return self._size

    def tell(self) -> int:
        """From its own start."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Raises StoreError when the file has become shorter."""
        wanted = self._size - self._at if size is None or size < 0 else min(size, self._size - self._at)
        if wanted <= 0:
            return b""
        piece = os.pread(self._descriptor, wanted, self._start + self._at)
        if not piece:
            raise StoreError("the file has become shorter while it was sent")
        self._at += len(piece)
        return piece

    def readinto(self, buffer: Any) -> int:
        """As files do."""
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)
