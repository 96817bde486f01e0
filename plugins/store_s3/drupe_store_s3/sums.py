"""What is kept with every object, and what of it can be believed: the SHA-256 of its bytes, and the ETag that these bytes have here.

Objects that other tools have put have neither; where the storage keeps a SHA-256 of the whole object itself, that is taken.
"""

from __future__ import annotations

import binascii
import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from drupe.errors import ArtifactNotFound

__all__ = ["MOST_PARTS", "Found", "Sums", "found_in", "sums_of", "sums_of_bytes"]

MOST_PARTS = 10_000
DIGEST, ETAG = "drupe-sha256", "drupe-etag"
_PIECE_BYTES = 1 << 20
_BY_KEY_SERVICE = ("aws:kms", "aws:kms:dsse")


@frozen
class Sums:
    """Of a file that is to be sent: its size, SHA-256 (hex), the bytes of a part, and the MD5 of each part, by which the storage checks it."""

    size: int
    sha256: str
    part_bytes: int
    parts: tuple[bytes, ...]

    @property
    def etag(self) -> str:
        """The ETag that an object of these bytes, sent in these parts, gets where nothing encrypts it."""
        if len(self.parts) == 1:
            return self.parts[0].hex()
        return f"{hashlib.md5(b''.join(self.parts), usedforsecurity=False).hexdigest()}-{len(self.parts)}"

    @property
    def kept(self) -> dict[str, str]:
        """The metadata that goes with the object."""
        return {DIGEST: self.sha256, ETAG: self.etag}

    @property
    def checks(self) -> dict[str, str]:
        """By what the storage checks a file that is sent in one request."""
        return {"ContentMD5": self.md5(1), "ChecksumSHA256": b64encode(bytes.fromhex(self.sha256)).decode()}

    def md5(self, part: int) -> str:
        """Of the part with this number, counted from 1, as a header has it."""
        return b64encode(self.parts[part - 1]).decode()


@frozen
class Found:
    """An object as it is: its size and ETag, the SHA-256 that is kept of it, and whether the ETag speaks for these bytes."""

    size: int
    etag: str
    sha256: str | None
    is_as_put: bool


def sums_of(descriptor: int, part_bytes: int) -> Sums:
    """Read an open file once. Parts become larger where there would be too many."""
    part_bytes = max(part_bytes, -(-os.fstat(descriptor).st_size // MOST_PARTS))
    whole, at = hashlib.sha256(), 0
    parts: list[bytes] = []
    while True:
        part, ends = hashlib.md5(usedforsecurity=False), at + part_bytes
        while at < ends and (piece := os.pread(descriptor, min(_PIECE_BYTES, ends - at), at)):
            whole.update(piece)
            part.update(piece)
            at += len(piece)
        if at > ends - part_bytes or not parts:
            parts.append(part.digest())
        if at < ends:
            return Sums(at, whole.hexdigest(), part_bytes, tuple(parts))


def sums_of_bytes(content: bytes) -> Sums:
    """The same of what is in memory."""
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    return Sums(len(content), hashlib.sha256(content).hexdigest(), max(len(content), 1), (md5,))


def found_in(answer: Mapping[str, Any], path: str) -> Found:
    """The object that an answer to HEAD or GET speaks of. Raises ArtifactNotFound for the marker of a folder."""
    if path.endswith("/"):
        raise ArtifactNotFound(f"there is no artifact {path!r}", path=path)
    ranged = str(answer.get("ContentRange") or "").rpartition("/")[2]
    size = int(ranged) if ranged.isdecimal() else int(answer["ContentLength"])
    kept = {name.lower(): text for name, text in (answer.get("Metadata") or {}).items()}
    etag = str(answer["ETag"])
    digest, expected = kept.get(DIGEST), kept.get(ETAG)
    if digest is None:
        return Found(size, etag, _told_by_storage(answer), True)
    is_encrypted = answer.get("ServerSideEncryption") in _BY_KEY_SERVICE or "SSECustomerAlgorithm" in answer
    return Found(size, etag, digest, is_encrypted or expected is None or expected == etag.strip('"'))


def _told_by_storage(answer: Mapping[str, Any]) -> str | None:
    told = str(answer.get("ChecksumSHA256") or "")
    if not told or "-" in told or answer.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
        return None
    try:
        found = b64decode(told, validate=True)
    except binascii.Error:
        return None
    return found.hex() if len(found) == hashlib.sha256().digest_size else None
