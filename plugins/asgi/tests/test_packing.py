"""Packed bodies: what is packed here is unpacked there, and nothing unpacks to more than was allowed."""

from __future__ import annotations

import gzip

import pytest
import zstandard

from drupe.errors import InvalidValue
from drupe_asgi.errors import TooLarge
from drupe_asgi.packing import packed, unpacked

BODY = b'{"experiment_id": "0"}' * 100
LIMIT = 1 << 20
PACK = {b"gzip": gzip.compress, b"zstd": zstandard.ZstdCompressor().compress}


def streamed(body: bytes) -> bytes:
    """A frame that does not say how large it is."""
    packer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize("packing", PACK)
def test_what_was_packed_is_unpacked(packing: bytes) -> None:
    assert unpacked(PACK[packing](BODY), packing, LIMIT) == BODY
    assert unpacked(PACK[packing](b""), packing, LIMIT) == b""
    assert unpacked(streamed(BODY), b"zstd", LIMIT) == BODY


@pytest.mark.parametrize("packing", PACK)
def test_a_bomb_is_refused_without_being_unpacked(packing: bytes) -> None:
    with pytest.raises(TooLarge):
        unpacked(PACK[packing](bytes(64 << 20)), packing, LIMIT)
    assert len(unpacked(PACK[packing](bytes(LIMIT)), packing, LIMIT)) == LIMIT


def test_a_frame_that_lies_about_its_size_or_asks_for_a_giant_window_is_refused() -> None:
    with pytest.raises(TooLarge):
        unpacked(streamed(bytes(64 << 20)), b"zstd", LIMIT)
    giant = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=27)).compressobj()
    with pytest.raises(InvalidValue):
        unpacked(giant.compress(b"x" * 100) + giant.flush(), b"zstd", LIMIT)


@pytest.mark.parametrize("packing", PACK)
def test_what_is_cut_short_changed_or_followed_by_more_is_refused(packing: bytes) -> None:
    whole = PACK[packing](BODY)
    for broken in (whole[:-5], b"", b"x" + whole, BODY):
        with pytest.raises(InvalidValue):
            unpacked(broken, packing, LIMIT)
    with pytest.raises(InvalidValue):
        unpacked(PACK[b"zstd"](b"a") * 2, b"zstd", LIMIT)
    with pytest.raises(InvalidValue, match="gzip or zstd"):
        unpacked(whole, b"br", LIMIT)


@pytest.mark.parametrize(
    ("accepted", "wanted"),
    [
        (b"gzip, deflate, br, zstd", b"zstd"),
        (b"gzip", b"gzip"),
        (b"zstd;q=0, gzip", b"gzip"),
        (b"gzip;q=0.0", None),
        (b"zstd;q=0.5", b"zstd"),
        (b"identity", None),
        (b"", None),
    ],
)
def test_the_client_says_which_packing_it_takes(accepted: bytes, wanted: bytes | None) -> None:
    found = packed(BODY, accepted)
    assert (found and found[1]) == wanted
    if found:
        assert unpacked(found[0], found[1], LIMIT) == BODY
