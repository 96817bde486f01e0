"""Bodies packed with gzip or zstd: unpacked up to a limit, however small they came, and packed where the client takes it."""

from __future__ import annotations

import gzip
import re
import zlib

import zstandard

from drupe.errors import InvalidValue
from drupe_asgi.errors import TooLarge

__all__ = ["packed", "unpacked"]

GZIP_WINDOW = 31
GZIP_LEVEL, ZSTD_LEVEL = 1, 1
ZSTD_WINDOW_MAX = 8 << 20  # what RFC 9659 lets senders use: a frame could ask for gigabytes
PIECE_BYTES = 1 << 18
_TAKEN = re.compile(rb"\b(zstd|gzip)\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


def unpacked(body: bytes, packing: bytes, most_bytes: int) -> bytes:
    """The plain body. Raises TooLarge; InvalidValue for what is not whole, or another packing."""
    if packing == b"gzip":
        return _of_gzip(body, most_bytes)
    if packing == b"zstd":
        return _of_zstd(body, most_bytes)
    raise InvalidValue(f"the Content-Encoding {packing.decode('latin-1')[:40]!r} is not taken; send gzip or zstd, or the plain body")


def packed(body: bytes, accepted: bytes) -> tuple[bytes, bytes] | None:
    """The body in the better of the packings that an Accept-Encoding takes, and its name; None where it takes none."""
    taken = _TAKEN.findall(accepted)
    if b"zstd" in taken:
        return zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(body), b"zstd"
    return (gzip.compress(body, GZIP_LEVEL), b"gzip") if b"gzip" in taken else None


def _of_gzip(body: bytes, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    try:
        plain = unpacker.decompress(body, most_bytes + 1)
    except zlib.error as fault:
        raise InvalidValue(f"the body is no gzip: {fault}") from fault
    if len(plain) > most_bytes:
        raise _too_large(most_bytes)
    if not unpacker.eof:
        raise InvalidValue("the gzip of the body is cut short")
    return plain


def _of_zstd(body: bytes, most_bytes: int) -> bytes:
    """Counted first and unpacked then, since the library's only bounded way does not tell a body that is cut short."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX)
    try:
        size = 0
        with unpacker.stream_reader(body) as pieces:
            while piece := pieces.read(PIECE_BYTES):
                size += len(piece)
                if size > most_bytes:
                    raise _too_large(most_bytes)
        whole = unpacker.decompressobj()
        plain = whole.decompress(body)
    except zstandard.ZstdError as fault:
        raise InvalidValue(f"the body is no zstd: {fault}") from fault
    if not whole.eof or whole.unused_data:
        raise InvalidValue("the zstd of the body is cut short, or more than one frame")
    return plain


def _too_large(most_bytes: int) -> TooLarge:
    return TooLarge(f"a body of more than {most_bytes} bytes when unpacked, which is the most that this server takes")
