"""A web server on loopback that answers as each test has it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from drupe.testing.plugin import drupe_workspace

__all__ = ["WebServer", "drupe_workspace"]

Answer = Callable[[BaseHTTPRequestHandler], None]


class WebServer:
    """`files` are served with length and tag; `answers` decide for a path themselves. `seen` lists (method, path, headers)."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                web.seen.append((self.command, self.path, dict(self.headers)))
                path = self.path.partition("?")[0].lstrip("/")
                if path in web.answers:
                    web.answers[path](self)
                elif path in web.files:
                    content = web.files[path]
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(content)))
                    self.send_header("ETag", f'"{hash(content)}"')
                    self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
                    self.end_headers()
                    if self.command == "GET":
                        self.wfile.write(content)
                else:
                    self.send_error(404)

            do_HEAD = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()
