"""The server as one ASGI application: the gate, then the protocol, files, health, figures and the stream of changes.

Everything passes here, and everything that is answered, errors too, is answered here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs
from uuid import uuid4

from drupe import __version__
from drupe.errors import DrupeError, InvalidValue
from drupe.uris import ArtifactPath
from drupe_server_rest.answers import SAFE_HEADERS, Answer, Receive, Scope, Send, fault_answer, json_answer, send_answer, text_answer
from drupe_server_rest.bodies import ClientGone, Incoming
from drupe_server_rest.commits import CommitQueue
from drupe_server_rest.errors import MethodNotAllowed, NoSuchRoute
from drupe_server_rest.figures import Figures
from drupe_server_rest.gate import SAFE_METHODS, Gate, Policy
from drupe_server_rest.protocol import Protocol, decoded
from drupe_server_rest.proxy import FORM_UPLOAD_BYTES, ArtifactProxy
from drupe_server_rest.services import Services

__all__ = ["Application", "SPOKEN"]

SPOKEN = "3.3.0"  # of MLflow's protocol; its clients send spans to servers from 3.4 on, which are not kept here
FILES = ("/api/2.0/mlflow-artifacts/artifacts", "/ajax-api/2.0/mlflow-artifacts/artifacts")
FORM_UPLOAD = "/ajax-api/2.0/mlflow/upload-artifact"
KEEP_ALIVE_S = 15.0

log = logging.getLogger("drupe.server")
access_log = logging.getLogger("drupe.server.access")


class Application:
    """One store, served. Use it between `start` and `stop`."""

    def __init__(
        self, services: Services, commits: CommitQueue, gate: Gate, *, prefix: str = "", readers: int = 4, most_bytes: int = 64 << 20
    ) -> None:
        self._services, self._commits, self._gate, self._prefix = services, commits, gate, prefix.rstrip("/")
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="drupe-reader")
        self._file_threads = ThreadPoolExecutor(readers, thread_name_prefix="drupe-files")
        self._policy = Policy()
        self._protocol = Protocol(services, commits, self._threads, self._policy, most_bytes=most_bytes)
        self._proxy = ArtifactProxy(services, self._file_threads)
        self.figures = Figures()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        headers = dict(scope["headers"])
        request_id = uuid4().hex[:16]
        name, status = "-", 500
        incoming = Incoming(receive)
        try:
            name, status = await self._serve(scope, incoming, send, headers, request_id)
        except ClientGone:
            status = 499
        except Exception as fault:  # DrupeError is an answer; anything else is a fault of ours, and is told to the log only
            if not isinstance(fault, DrupeError):
                log.exception("request %s, %s %s: a fault of the server", request_id, scope["method"], scope["path"][:200])
            answer = fault_answer(fault, request_id)
            status = answer.status
            if not incoming.is_over and scope["method"] not in SAFE_METHODS:
                await incoming.drain()
                if not incoming.is_over:
                    answer.headers = (*answer.headers, (b"connection", b"close"))
            await send_answer(send, answer, headers, request_id)
        took = time.perf_counter() - began
        self.figures.count(name, status, took)
        if access_log.isEnabledFor(logging.INFO):
            client = scope.get("client") or ("", 0)
            access_log.info(
                json.dumps(
                    {
                        "id": request_id,
                        "client": client[0],
                        "method": scope["method"],
                        "path": scope["path"],
                        "status": status,
                        "ms": round(took * 1000, 2),
                    }
                )
            )

    def close(self) -> None:
        """Let go of threads."""
        self._threads.shutdown(wait=False)
        self._file_threads.shutdown(wait=False)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, headers: Mapping[bytes, bytes], request_id: str) -> tuple[str, int]:
        method: str = scope["method"]
        path = decoded(scope["raw_path"].partition(b"?")[0]) if scope.get("raw_path") else scope["path"]
        if self._prefix and (path == self._prefix or path.startswith(f"{self._prefix}/")):
            path = path[len(self._prefix) :] or "/"
        self._gate.check(method, path, headers)
        found = None if path == FORM_UPLOAD else self._protocol.find(method, path)
        if found is not None:
            route, fields = found
            answer = await self._protocol.answer(route, fields, scope, receive, headers)
            await send_answer(send, answer, headers, request_id)
            return route.name, answer.status
        for root in FILES:
            if path == root or path.startswith(f"{root}/"):
                return await self._serve_file(method, path[len(root) + 1 :], scope, receive, send, headers, request_id)
        name, answer_or_status = await self._serve_other(method, path, scope, receive, send, headers, request_id)
        if isinstance(answer_or_status, int):
            return name, answer_or_status
        await send_answer(send, answer_or_status, headers, request_id, with_body=method != "HEAD")
        return name, answer_or_status.status

    async def _serve_file(
        self, method: str, rest: str, scope: Scope, receive: Receive, send: Send, headers: Mapping[bytes, bytes], request_id: str
    ) -> tuple[str, int]:
        path = ArtifactPath.parse(rest)
        if method in ("GET", "HEAD") and path.is_root:
            answer = await self._proxy.list(ArtifactPath.parse(_one(scope, "path")))
        elif method in ("GET", "HEAD"):
            return "GET file", await self._proxy.send(path, send, headers, request_id, with_body=method == "GET")
        elif method == "PUT":
            answer = await self._proxy.put(path, receive, headers)
        elif method == "DELETE":
            answer = await self._proxy.delete(path)
        else:
            raise MethodNotAllowed(f"files are read with GET, kept with PUT and removed with DELETE, not with {method}")
        await send_answer(send, answer, headers, request_id, with_body=method != "HEAD")
        return f"{method} file", answer.status

    async def _serve_other(
        self, method: str, path: str, scope: Scope, receive: Receive, send: Send, headers: Mapping[bytes, bytes], request_id: str
    ) -> tuple[str, Answer | int]:
        if method in ("GET", "HEAD"):
            if path == "/health":
                return "health", text_answer("OK")
            if path == "/version":
                return "version", text_answer(SPOKEN)
            if path == "/metrics":
                return "metrics", self._figures()
            if path in ("/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info"):
                return "server-info", json_answer({"store_type": "SqlStore", "drupe_version": __version__})
            if path == "/get-artifact":
                run = await asyncio.to_thread(self._services.tracking.get_run, _needed(scope, "run_id", "run_uuid"))
                file = self._services.places.inside(run.info.artifact_uri) / _needed(scope, "path")
                return "get-artifact", await self._proxy.send(file, send, headers, request_id, with_body=method == "GET")
            if path == "/api/drupe/changes":
                return "changes", await self._stream(receive, send)
            if path == "/":
                return "start", text_answer(
                    f"drupe {__version__}: a tracking server. Point a client at this address; see /health and /metrics.\n"
                )
        elif method == "POST" and path == FORM_UPLOAD:
            run = await asyncio.to_thread(self._services.tracking.get_run, _needed(scope, "run_uuid", "run_id"))
            file = self._services.places.inside(run.info.artifact_uri) / _needed(scope, "path")
            return "upload-artifact", await self._proxy.put(file, receive, headers, most_bytes=FORM_UPLOAD_BYTES)
        raise NoSuchRoute(f"nothing is served under {path[:200]}")

    def _figures(self) -> Answer:
        text = self.figures.text(
            writes=self._commits.writes,
            commits=self._commits.commits,
            waiting=self._commits.depth,
            listeners=self._services.changes.listeners,
        )
        return text_answer(text, kind="text/plain; version=0.0.4; charset=utf-8")

    async def _stream(self, receive: Receive, send: Send) -> int:
        headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no"), *SAFE_HEADERS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            async with self._services.changes.listening() as changes:
                await send({"type": "http.response.body", "body": b": listening\n\n", "more_body": True})
                while not gone.done():
                    coming = asyncio.ensure_future(changes.get())
                    await asyncio.wait({coming, gone}, timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
                    if not coming.done():
                        coming.cancel()
                        text = b": still here\n\n"
                    else:
                        change = coming.result()
                        if change is None:
                            break
                        text = b"data: " + json.dumps(change).encode() + b"\n\n"
                    await send({"type": "http.response.body", "body": text, "more_body": True})
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})
        return 200


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _one(scope: Scope, name: str) -> str | None:
    try:
        values = parse_qs(scope["query_string"].decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100).get(name)
    except ValueError as fault:
        raise InvalidValue(f"the query of the address cannot be read: {fault}") from fault
    return values[-1] if values else None


def _needed(scope: Scope, *names: str) -> str:
    for name in names:
        value = _one(scope, name)
        if value:
            return value
    raise InvalidValue(f"missing value for required parameter {names[0]!r}", fields=list(names[:1]))
