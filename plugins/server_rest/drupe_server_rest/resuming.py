"""Uploads that go on where their connection broke: what has come of a large file waits a while for the rest.

drupe's client names such an upload with a token of its own, `Drupe-Upload`, and says with `Content-Range` where its bytes belong. After a broken
connection it asks with HEAD how much is here, and is told in `Upload-Offset`. Another process of the server knows nothing of it and tells 0.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping

from attrs import define, field

from drupe.errors import InvalidValue
from drupe.extend import Incoming
from drupe.uris import ArtifactPath

__all__ = ["KeptUploads", "Stretch", "Upload", "stretch_of"]

KEPT_S = 600.0
MOST_KEPT = 64
_TOKEN = re.compile(rb"[0-9a-f]{32}")
_RANGE = re.compile(rb"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@define
class Upload:
    """A file on its way: `at` bytes of it are written. `total` is None where the end of the body is the end of the file.

    `rests` is set while no request brings more of it.
    """

    path: ArtifactPath
    incoming: Incoming
    total: int | None = None
    at: int = 0
    rests: asyncio.Event = field(factory=asyncio.Event)
    seen_s: float = field(factory=time.monotonic)


@define
class Stretch:
    """Which part of which upload a request brings."""

    token: bytes
    first: int
    total: int


def stretch_of(headers: Mapping[bytes, bytes]) -> Stretch | None:
    """What the headers of a request say; None for an upload in one piece. Raises InvalidValue."""
    token = headers.get(b"drupe-upload")
    if token is None:
        return None
    if not _TOKEN.fullmatch(token):
        raise InvalidValue("the header Drupe-Upload has 32 hexadecimal digits")
    told = _RANGE.fullmatch(headers.get(b"content-range", b""))
    if told is None:
        raise InvalidValue("an upload that is named needs a Content-Range such as: bytes 0-99/100")
    first, last, total = map(int, told.groups())
    if not first <= last < total or int(headers.get(b"content-length", b"0") or 0) != last - first + 1:
        raise InvalidValue(f"the Content-Range {told[0].decode()} does not fit itself or the Content-Length")
    return Stretch(token, first, total)


class KeptUploads:
    """The uploads that wait for more, by their tokens. For one event loop."""

    def __init__(self) -> None:
        self._kept: dict[bytes, Upload] = {}

    def find(self, token: bytes) -> Upload | None:
        """The upload of that name."""
        return self._kept.get(token)

    def keep(self, token: bytes, upload: Upload) -> list[Upload]:
        """Remember an upload; returns those that have waited too long, or are too many, and are forgotten: drop what has come of them."""
        self._kept[token] = upload
        oldest = sorted((one.seen_s, name) for name, one in self._kept.items() if one.rests.is_set() and name != token)
        late, too_many = time.monotonic() - KEPT_S, len(self._kept) - MOST_KEPT
        return [self._kept.pop(name) for place, (seen, name) in enumerate(oldest) if seen < late or place < too_many]

    def forget(self, token: bytes) -> None:
        """It is complete, or given up."""
        self._kept.pop(token, None)

    def all(self) -> list[Upload]:
        """Every one, to be dropped at the end."""
        return list(self._kept.values())
