"""The server as one ASGI application: the gate, then the protocol, files, health, figures and the stream of changes.

Everything passes here, and everything that is answered, errors too, is answered here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from drupe import __version__
from drupe.errors import DrupeError, InvalidValue
from drupe.extend import Feature
from drupe.uris import ArtifactPath
from drupe.wire.routes import Access
from drupe_asgi.answers import SAFE_HEADERS, Answer, fault_answer, json_answer, send_answer, text_answer
from drupe_asgi.bodies import ClientGone, Limits
from drupe_asgi.errors import MethodNotAllowed, NoSuchRoute
from drupe_asgi.exchange import Exchange, Receive, Scope, Send
from drupe_asgi.figures import Counted, Figures
from drupe_asgi.gate import Gate, Policy, check_told_once
from drupe_asgi.workers import Place
from drupe_server_rest.commits import CommitQueue
from drupe_server_rest.errors import OtherOffset
from drupe_server_rest.protocol import Protocol
from drupe_server_rest.proxy import FORM_UPLOAD_BYTES, ArtifactProxy
from drupe_server_rest.services import Services
from drupe_server_rest.signed import SIGNED_ACCESS, SignedTransfers

__all__ = ["SPOKEN", "Application"]

SPOKEN = "3.3.0"  # of MLflow's protocol; its clients send spans to servers from 3.4 on, which are not kept here
FILES = ("/api/2.0/mlflow-artifacts/artifacts", "/ajax-api/2.0/mlflow-artifacts/artifacts")
FORM_UPLOAD = "/ajax-api/2.0/mlflow/upload-artifact"
SERVER_INFO = ("/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info")
SIGNED = re.compile(r"/(?:ajax-)?api/2\.0/mlflow-artifacts/(mpu/create|mpu/complete|mpu/abort|presigned)/(.*)", re.DOTALL)
FILE_ACCESS = {"GET": Access.READ, "HEAD": Access.READ, "PUT": Access.WRITE, "DELETE": Access.DELETE}
CLIENT_GONE = 499
KEEP_ALIVE_S = 15.0
NUMBERS = (
    ("writes", "drupe_writes_total", "counter", "Writes that are kept."),
    ("commits", "drupe_commits_total", "counter", "Transactions that they were written in."),
    ("waiting", "drupe_writes_waiting", "gauge", "Writes that wait for their transaction."),
    ("listeners", "drupe_listeners", "gauge", "Streams of changes that are open."),
)

log = logging.getLogger("drupe.server")
access_log = logging.getLogger("drupe.server.access")


class Application:
    """One store, served."""

    def __init__(
        self,
        services: Services,
        commits: CommitQueue,
        gate: Gate,
        *,
        prefix: str = "",
        readers: int = 4,
        limits: Limits | None = None,
        signed_transfers: bool = False,
        place: Place | None = None,
    ) -> None:
        self._services, self._commits, self._gate, self._prefix = services, commits, gate, prefix.rstrip("/")
        can_sign = signed_transfers and bool(services.places.repo.features.get(Feature.SIGNED_TRANSFERS))
        self._told_of_transfers = dict.fromkeys(("multipart_uploads_enabled", "multipart_downloads_enabled"), True) if can_sign else {}
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="drupe-reader")
        self._file_threads = ThreadPoolExecutor(readers, thread_name_prefix="drupe-files")
        self._policy, limits = Policy(), limits or Limits()
        self._protocol = Protocol(services, commits, self._threads, self._policy, limits)
        self._proxy = ArtifactProxy(services, self._file_threads, limits)
        self._signed = SignedTransfers(services, self._file_threads, limits)
        self._figures, self._place = Figures(), place
        self._before: Counted = {}
        if place is not None and (before := place.kept()) is not None:
            self._figures.add(before)
            self._before = before["numbers"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        exchange = Exchange(scope, receive, send, self._prefix)
        try:
            if b"%" in scope["raw_path"]:
                exchange.decode_path(scope["raw_path"], self._prefix)
            answer = await self._answer(exchange)
            if answer is not None:
                await send_answer(exchange, answer)
        except ClientGone:
            exchange.status = CLIENT_GONE
        except RecursionError:  # whatever went down into it
            await self._refuse(exchange, InvalidValue("the request is nested too deeply to be read"))
        except Exception as fault:  # a DrupeError is an answer; anything else is a fault of ours, and is told to the log only
            await self._refuse(exchange, fault)
        took = time.perf_counter() - began
        self._figures.count(exchange.name, exchange.status, took)
        if access_log.isEnabledFor(logging.INFO):
            client = scope.get("client") or ("", 0)
            line = {"id": exchange.request_id, "client": client[0], "method": exchange.method, "path": scope["path"]}
            access_log.info(json.dumps({**line, "status": exchange.status, "ms": round(took * 1000, 2)}))

    def keep_counts(self) -> None:
        """Leave what was counted for the other workers."""
        if self._place is not None:
            self._place.keep(self._figures.counted(**self._numbers()))

    def close(self) -> None:
        """Let go of files that were not completed, and of threads."""
        self._proxy.close()
        self._threads.shutdown(wait=False)
        self._file_threads.shutdown(wait=False)

    async def _refuse(self, exchange: Exchange, fault: Exception) -> None:
        if not isinstance(fault, DrupeError):
            log.error("request %s, %s %s: a fault of the server", exchange.request_id, exchange.method, exchange.path[:200], exc_info=fault)
        if exchange.is_answering:  # the connection is closed with the answer unfinished, which is how the client learns of it
            return
        answer = fault_answer(fault, exchange.request_id)
        if isinstance(fault, OtherOffset):
            answer.headers = (*answer.headers, (b"upload-offset", b"%d" % fault.details["offset"]))
        if not exchange.is_over and not exchange.is_read:
            await exchange.drain()
            if not exchange.is_over:
                answer.headers = (*answer.headers, (b"connection", b"close"))
        await send_answer(exchange, answer)

    async def _answer(self, exchange: Exchange) -> Answer | None:
        """The answer; None when it has been sent already."""
        path = exchange.path
        if exchange.twins:
            check_told_once(exchange.twins)
        self._gate.check(exchange.method, path, exchange.headers)
        found = None if path == FORM_UPLOAD or path in SERVER_INFO else self._protocol.find(exchange.method, path)
        if found is not None:
            route, fields = found
            exchange.name = route.name
            return await self._protocol.answer(route, fields, exchange)
        signed = SIGNED.fullmatch(path)
        if signed is not None:
            return await self._answer_signed(signed[1], signed[2], exchange)
        for root in FILES:
            if path == root or path.startswith(f"{root}/"):
                return await self._answer_file(exchange, path[len(root) + 1 :])
        if path == FORM_UPLOAD and exchange.method == "POST":
            exchange.name = "POST file"
            self._policy.check(exchange.name, Access.WRITE)
            file = await self._file_of_run(exchange)
            return await self._proxy.put(file, exchange, most_bytes=FORM_UPLOAD_BYTES)
        if exchange.method in ("GET", "HEAD"):
            return await self._answer_other(exchange)
        raise NoSuchRoute(f"nothing is served under {path[:200]}")

    async def _answer_file(self, exchange: Exchange, rest: str) -> Answer | None:
        access = FILE_ACCESS.get(exchange.method)
        if access is None:
            raise MethodNotAllowed(
                f"files are read with GET, kept with PUT and removed with DELETE, not with {exchange.method}", allowed=sorted(FILE_ACCESS)
            )
        exchange.name = f"{exchange.method} file"
        self._policy.check(exchange.name, access)
        path = ArtifactPath.parse(rest)
        if access is Access.WRITE:
            return await self._proxy.put(path, exchange)
        if access is Access.DELETE:
            return await self._proxy.delete(path)
        if exchange.method == "HEAD" and b"drupe-upload" in exchange.headers:
            return await self._proxy.offset(exchange.headers[b"drupe-upload"])
        if path.is_root:
            return await self._proxy.list(ArtifactPath.parse(exchange.field("path")))
        await self._proxy.send(path, exchange)
        return None

    async def _answer_signed(self, what: str, rest: str, exchange: Exchange) -> Answer:
        method, access = SIGNED_ACCESS[what]
        if exchange.method != method:
            raise MethodNotAllowed(f"{exchange.path[:200]} is asked with {method}, not {exchange.method}", allowed=[method])
        exchange.name = f"{method} {what}"
        self._policy.check(exchange.name, access)
        return await self._signed.answer(what, ArtifactPath.parse(rest), exchange)

    async def _answer_other(self, exchange: Exchange) -> Answer | None:
        path = exchange.path
        exchange.name = path if path in ("/health", "/version", "/metrics") else "GET other"
        if path == "/health":
            return text_answer("OK")
        if path == "/version":
            return text_answer(SPOKEN)
        if path in SERVER_INFO:
            return json_answer({"store_type": "SqlStore", "drupe_version": __version__, **self._told_of_transfers})
        self._policy.check(exchange.name, Access.READ)
        if path == "/metrics":
            return self._figures_answer()
        if path == "/api/openapi.json":
            from drupe.wire.openapi import document  # most servers are never asked for it

            return json_answer(document())
        if path == "/get-artifact":
            await self._proxy.send(await self._file_of_run(exchange), exchange)
            return None
        if path == "/api/drupe/changes":
            await self._stream(exchange)
            return None
        if path == "/":
            return text_answer(
                f"drupe {__version__}: a tracking server. Point a client at this address; see /health, /metrics, /api/openapi.json.\n"
            )
        exchange.name = "-"
        raise NoSuchRoute(f"nothing is served under {path[:200]}")

    async def _file_of_run(self, exchange: Exchange) -> ArtifactPath:
        run_id, path = exchange.needed_field("run_id", "run_uuid"), exchange.needed_field("path")
        run = await asyncio.get_running_loop().run_in_executor(self._threads, self._services.tracking.get_run, run_id)
        return self._services.places.inside(run.info.artifact_uri) / path

    def _figures_answer(self) -> Answer:
        figures, numbers = self._figures, Counter(self._numbers())
        if self._place is not None:
            self.keep_counts()  # what was told once is not forgotten with this worker
            figures = Figures()
            figures.add(self._figures.counted())
            for other in self._place.others():
                figures.add(other)
                numbers.update(other["numbers"])
        text = figures.text([(name, kind, numbers[key], told) for key, name, kind, told in NUMBERS])
        return text_answer(text, kind="text/plain; version=0.0.4; charset=utf-8")

    def _numbers(self) -> dict[str, int]:
        commits = self._commits
        return {
            "writes": commits.writes + self._before.get("writes", 0),
            "commits": commits.commits + self._before.get("commits", 0),
            "waiting": commits.depth,
            "listeners": self._services.changes.listeners,
        }

    async def _stream(self, exchange: Exchange) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no"), *SAFE_HEADERS]
        await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_until_gone(exchange))
        try:
            async with self._services.changes.listening() as changes:
                await exchange.send({"type": "http.response.body", "body": b": listening\n\n", "more_body": True})
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
                    await exchange.send({"type": "http.response.body", "body": text, "more_body": True})
        finally:
            gone.cancel()
        await exchange.send({"type": "http.response.body", "body": b""})


async def _until_gone(exchange: Exchange) -> None:
    while (await exchange.receive())["type"] != "http.disconnect":
        pass
