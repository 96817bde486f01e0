"""Reading the bodies of requests: whole ones up to a limit, streamed ones for files; unpacked when they come packed; never for ever."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping, MutableMapping
from typing import Any

import orjson

from drupe.errors import InvalidValue
from drupe_server_rest.errors import TooLarge, TooSlow
from drupe_server_rest.exchange import Receive

__all__ = ["ClientGone", "chunks", "json_form", "whole"]

PATIENCE_S = 30.0
LEAST_BYTES_PER_S = 1000
GZIP_WINDOW = 31


class ClientGone(Exception):
    """The client has closed the connection before its request was complete."""


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The pieces of a body as they come. Raises TooSlow when nothing comes for a while, ClientGone."""
    while True:
        message = await _next(receive)
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        if piece:
            yield piece
        if not message.get("more_body", False):
            return


async def whole(receive: Receive, headers: Mapping[bytes, bytes], most_bytes: int) -> bytes:
    """A body, unpacked. Raises TooLarge, TooSlow, InvalidValue, ClientGone."""
    if int(headers.get(b"content-length", b"0") or 0) > most_bytes:
        raise TooLarge(f"a body of {int(headers[b'content-length'])} bytes; this server takes at most {most_bytes}")
    message = await _next(receive)
    if message["type"] == "http.request" and not message.get("more_body", False):  # as most come
        body: bytes = message.get("body", b"")
    else:
        began, pieces, size = asyncio.get_running_loop().time(), [], 0

        first = [message]

        async def again() -> MutableMapping[str, Any]:
            return first.pop() if first else await receive()

        async for piece in chunks(again):
            pieces.append(piece)
            size += len(piece)
            if size > most_bytes:
                raise TooLarge(f"a body of more than {most_bytes} bytes, which is the most that this server takes")
            if asyncio.get_running_loop().time() - began > PATIENCE_S + size / LEAST_BYTES_PER_S:
                raise TooSlow(f"a body that comes more slowly than {LEAST_BYTES_PER_S} bytes a second")
        body = b"".join(pieces)
    packing = headers.get(b"content-encoding", b"identity").lower()
    return body if packing == b"identity" else _unpacked(body, packing, most_bytes)


async def _next(receive: Receive) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await receive()
    except TimeoutError as fault:
        raise TooSlow(f"nothing of the body has come for {PATIENCE_S:g} s") from fault


def json_form(body: bytes, what: str) -> Any:
    """The object in a JSON body; an empty body has none. An object within a JSON text, as very old clients send it, is taken too."""
    if not body.strip():
        return {}
    try:
        form = orjson.loads(body)
        if isinstance(form, str):
            form = orjson.loads(form)
    except (orjson.JSONDecodeError, RecursionError) as fault:
        raise InvalidValue(f"{what}: the body is no JSON: {fault}") from fault
    return form


def _unpacked(body: bytes, packing: bytes, most_bytes: int) -> bytes:
    if packing != b"gzip":
        raise InvalidValue(f"the Content-Encoding {packing.decode('latin-1')[:40]!r} is not taken; send gzip, or the plain body")
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    try:
        plain = unpacker.decompress(body, most_bytes + 1)
    except zlib.error as fault:
        raise InvalidValue(f"the body is no gzip: {fault}") from fault
    if len(plain) > most_bytes:
        raise TooLarge(f"a body of more than {most_bytes} bytes when unpacked, which is the most that this server takes")
    if not unpacker.eof:
        raise InvalidValue("the gzip of the body is cut short")
    return plain
