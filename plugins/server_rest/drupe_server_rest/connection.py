"""One client's connection: uvicorn's, with limits for what comes before a request can be looked at, and errors in the protocol's form."""

from __future__ import annotations

import asyncio
import json
import socket

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["Connection"]

HEADER_BYTES = 64 << 10
HEADERS_WITHIN_S = 20.0


class Connection(HttpToolsProtocol):
    """A request's line and headers must come within 20 s and 64 kB."""

    _header_bytes = 0
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client that says nothing is not waited for, and none waits for the second half of an answer."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._headers_are_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to headers."""
        if self.cycle is None or self.cycle.response_complete:  # between two requests, or within the headers of the next
            self._wait_for_headers()
            self._header_bytes += len(data)
        super().data_received(data)
        if self._header_bytes > HEADER_BYTES and not self.transport.is_closing():
            self.send_400_response(f"more than {HEADER_BYTES} bytes of headers")

    def on_headers_complete(self) -> None:
        """The request can be looked at."""
        self._headers_are_here()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, and close."""
        body = json.dumps({"error_code": "BAD_REQUEST", "message": msg}).encode()
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        self.transport.close()

    def _wait_for_headers(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(HEADERS_WITHIN_S, self._give_up)

    def _headers_are_here(self) -> None:
        self._header_bytes = 0
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self.send_400_response(f"no request has come within {HEADERS_WITHIN_S:g} s")
