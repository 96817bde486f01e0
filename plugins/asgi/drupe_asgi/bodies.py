"""Reading the bodies of requests: whole ones up to a limit, streamed ones for files; unpacked when they come packed; never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, MutableMapping
from typing import Any

import orjson
from attrs import frozen

from drupe.errors import InvalidValue
from drupe_asgi.errors import TooLarge, TooSlow
from drupe_asgi.exchange import Receive
from drupe_asgi.packing import unpacked

__all__ = ["ClientGone", "Limits", "chunks", "json_form", "whole"]

LEAST_BYTES_PER_S = 1000
NUL_ESCAPED = b"\\u0000"


@frozen
class Limits:
    """The most bytes of a JSON body, and how long nothing need come of any body."""

    most_bytes: int = 64 << 20
    patience_s: float = 30.0


class ClientGone(Exception):
    """The client has closed the connection before its request was complete."""


async def chunks(receive: Receive, limits: Limits = Limits()) -> AsyncIterator[bytes]:
    """The pieces of a body as they come. Raises TooSlow when nothing comes for a while, or little for long, ClientGone."""
    loop = asyncio.get_running_loop()
    began, size = loop.time(), 0
    while True:
        message = await _next(receive, limits.patience_s)
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        if piece:
            size += len(piece)
            yield piece
        if loop.time() - began > limits.patience_s + size / LEAST_BYTES_PER_S:
            raise TooSlow(f"a body that comes more slowly than {LEAST_BYTES_PER_S} bytes a second")
        if not message.get("more_body", False):
            return


async def whole(receive: Receive, headers: Mapping[bytes, bytes], limits: Limits) -> bytes:
    """A body, unpacked. Raises TooLarge, TooSlow, InvalidValue, ClientGone."""
    most_bytes = limits.most_bytes
    if int(headers.get(b"content-length", b"0") or 0) > most_bytes:
        raise TooLarge(f"a body of {int(headers[b'content-length'])} bytes; this server takes at most {most_bytes}")
    message = await _next(receive, limits.patience_s)
    if message["type"] == "http.request" and not message.get("more_body", False):  # as most come
        body: bytes = message.get("body", b"")
    else:
        first, pieces, size = [message], [], 0

        async def again() -> MutableMapping[str, Any]:
            return first.pop() if first else await receive()

        async for piece in chunks(again, limits):
            pieces.append(piece)
            size += len(piece)
            if size > most_bytes:
                raise TooLarge(f"a body of more than {most_bytes} bytes, which is the most that this server takes")
        body = b"".join(pieces)
    packing = headers.get(b"content-encoding", b"identity").lower()
    return body if packing == b"identity" else unpacked(body, packing, most_bytes)


async def _next(receive: Receive, patience_s: float) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(patience_s):
            return await receive()
    except TimeoutError as fault:
        raise TooSlow(f"nothing of the body has come for {patience_s:g} s") from fault


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
    if NUL_ESCAPED in body and _holds_nul(form):
        raise InvalidValue(f"{what}: the body holds a NUL character, which nothing here can have")
    return form


def _holds_nul(form: Any) -> bool:
    """Looked for where the bytes say that there may be one; `\\\\u0000` is a text of six letters."""
    left = [form]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if "\x00" in one:
                return True
        elif isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            left += one
    return False
