"""One client's connection: uvicorn's, with limits for what comes before a request can be looked at, and errors in the protocol's form.

Bodies that come slowly are `bodies`' matter, but for what is around them: chunk extensions and trailers. Answers that nobody reads are cut off
here.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["MOST_CONNECTIONS", "PATIENCE_S", "Connection"]

HEADER_BYTES = 64 << 10
PATIENCE_S = 30.0
LEAST_BYTES_READ_PER_S = 1000
MOST_CONNECTIONS = 10_000
LINGER_S, LINGER_BYTES = 2.0, 16 << 20


class Connection(HttpToolsProtocol):
    """A request's line and headers must come within `patience_s` and 64 kB, and an answer must be read, be it slowly."""

    def __init__(self, *given: Any, patience_s: float = PATIENCE_S, most_connections: int = MOST_CONNECTIONS, **options: Any) -> None:
        super().__init__(*given, **options)
        self._patience_s, self._most_connections = patience_s, most_connections
        self._header_bytes = self._around_body_bytes = 0
        self._has_body_come = self._is_refused = False
        self._left_bytes = LINGER_BYTES
        self._waiting: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client that says nothing is not waited for, and none waits for the second half of an answer."""
        super().connection_made(transport)
        if len(self.connections) > self._most_connections:
            self._refuse(b"503 Service Unavailable", "TEMPORARILY_UNAVAILABLE", "too many connections; come again", b"retry-after: 1\r\n")
            return
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._headers_are_here()
        self._is_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to headers, and what is around a body without being of it."""
        if self._is_refused:
            self._left_bytes -= len(data)
            if self._left_bytes < 0:
                self.transport.abort()
            return
        self._has_body_come = False
        if self.cycle is None or self.cycle.response_complete:  # between two requests, or within the headers of the next
            self._wait_for_headers()
            self._header_bytes += len(data)
        super().data_received(data)
        self._around_body_bytes = 0 if self._has_body_come else self._around_body_bytes + len(data)
        if max(self._header_bytes, self._around_body_bytes) > HEADER_BYTES and not (self._is_refused or self.transport.is_closing()):
            self.send_400_response(f"more than {HEADER_BYTES} bytes of headers")

    def on_headers_complete(self) -> None:
        """The request can be looked at."""
        self._headers_are_here()
        self._has_body_come = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Part of a body has come."""
        self._has_body_come = True
        super().on_body(body)

    def pause_writing(self) -> None:
        """The client does not keep up with its answer."""
        super().pause_writing()
        if self._unread is None:
            self._look_again()

    def resume_writing(self) -> None:
        """It has read on."""
        self._is_read()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Nothing has come for long; what was not read by now never will be."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, and close."""
        self._refuse(b"400 Bad Request", "BAD_REQUEST", msg)

    def _refuse(self, status: bytes, code: str, message: str, headers: bytes = b"") -> None:
        body = json.dumps({"error_code": code, "message": message}).encode()
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\n%bcontent-length: %d\r\n\r\n%b"
            % (status, headers, len(body), body)
        )
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # closed at once, with something unread, the client would see a broken connection instead of the answer
        self._headers_are_here()
        self._is_refused, self._waiting = True, self.loop.call_later(min(self._patience_s, LINGER_S), self.transport.abort)

    def _wait_for_headers(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self._patience_s, self._give_up)

    def _headers_are_here(self) -> None:
        self._header_bytes = 0
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if not (self._is_refused or self.transport.is_closing()):
            self.send_400_response(f"no request has come within {self._patience_s:g} s")

    def _look_again(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(self._patience_s, self._cut_off_unless_read, unread)

    def _cut_off_unless_read(self, before: int) -> None:
        if self.transport.get_write_buffer_size() > before - LEAST_BYTES_READ_PER_S * self._patience_s:
            self.transport.abort()
        else:
            self._look_again()

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
