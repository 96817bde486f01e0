"""One request and its answer, as all parts of the server see it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from drupe.errors import InvalidValue

__all__ = ["SAFE_METHODS", "Exchange", "Receive", "Scope", "Send"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_FIELDS = 5000
DRAIN_S, DRAIN_BYTES = 5.0, 256 << 20

_START = secrets.token_hex(4)  # tells this process's requests from those of others
_numbers = itertools.count()


class Exchange:
    """What is asked, and how far the answer is. `name` is that of the route, as soon as it is known.

    `twins` are all headers where one came twice; `headers` has the last of each.

    Kept a plain class with slots: one is made for every request.
    """

    __slots__ = (
        "_receive",
        "_send",
        "headers",
        "is_answering",
        "is_over",
        "method",
        "name",
        "path",
        "query",
        "request_id",
        "status",
        "twins",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, prefix: str) -> None:
        self._receive, self._send = receive, send
        self.method: str = scope["method"]
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        self.twins: Sequence[tuple[bytes, bytes]] = scope["headers"] if len(self.headers) < len(scope["headers"]) else ()
        self.query: bytes = scope["query_string"]
        self.request_id = f"{_START}{next(_numbers):08x}"
        self.name, self.status = "-", 0
        self.is_over = self.is_answering = False
        self.path: str = scope["path"]
        if prefix and (self.path == prefix or self.path.startswith(f"{prefix}/")):
            self.path = self.path[len(prefix) :] or "/"

    @property
    def is_read(self) -> bool:
        """True when nothing may change by this request."""
        return self.method in SAFE_METHODS

    def decode_path(self, raw_path: bytes, prefix: str) -> None:
        """Take the path from what was sent, decoded once and strictly. Raises InvalidValue."""
        try:
            path = unquote(raw_path.partition(b"?")[0].decode("ascii"), errors="strict")
        except ValueError as fault:
            raise InvalidValue("the path of the address is not percent-encoded UTF-8") from fault
        if "\x00" in path:
            raise InvalidValue("the path of the address holds a NUL character, which nothing here can have")
        self.path = path[len(prefix) :] or "/" if prefix and (path == prefix or path.startswith(f"{prefix}/")) else path

    def fields(self) -> list[tuple[str, str]]:
        """The parameters of the address. Raises InvalidValue."""
        try:
            found = parse_qsl(self.query.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
        except ValueError as fault:
            raise InvalidValue(f"the query of the address cannot be read: {fault}") from fault
        if b"%00" in self.query and any("\x00" in text for pair in found for text in pair):
            raise InvalidValue("the query of the address holds a NUL character, which nothing here can have")
        return found

    def field(self, *names: str) -> str | None:
        """The last parameter of the address under one of these names; None when there is none."""
        return next((value for name, value in reversed(self.fields()) if name in names), None)

    def needed_field(self, *names: str) -> str:
        """The same, where it must be given. Raises InvalidValue."""
        value = self.field(*names)
        if not value:
            raise InvalidValue(f"missing value for required parameter {names[0]!r}", fields=[names[0]])
        return value

    async def receive(self) -> MutableMapping[str, Any]:
        """The next message of the client."""
        message = await self._receive()
        self.is_over = message["type"] == "http.disconnect" or not message.get("more_body", False)
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send a message of the answer."""
        if message["type"] == "http.response.start":
            self.is_answering, self.status = True, message["status"]
        await self._send(message)

    async def drain(self) -> None:
        """Take the rest of a body that was refused, within reason: a client that is still sending would not hear why it was."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                left = DRAIN_BYTES
                while not self.is_over and left > 0:
                    left -= len((await self.receive()).get("body", b""))
