"""The server as one ASGI application: the gate, then the protocol, files, health, figures and the stream of changes.

What is done with every request and every error is in `drupe_asgi.application`; here is what this server answers.
"""

from __future__ import annotations

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor

from drupe import __version__
from drupe.entities import Access
from drupe.errors import InvalidValue
from drupe.extend import Feature, ServedStore
from drupe.uris import ArtifactPath
from drupe.wire.changes import ADDRESS, LISTENING, STILL_HERE, event_of
from drupe_asgi.answers import SAFE_HEADERS, Answer, json_answer, text_answer
from drupe_asgi.application import HttpApplication, Measured
from drupe_asgi.bodies import Limits
from drupe_asgi.errors import MethodNotAllowed, NoSuchRoute
from drupe_asgi.exchange import Exchange
from drupe_asgi.gate import Gate, Policy, check_told_once
from drupe_asgi.workers import Place
from drupe_server_rest.commits import CommitQueue
from drupe_server_rest.errors import OtherOffset
from drupe_server_rest.mounts import REPLACEMENT, Mounts, is_for_people
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
KEEP_ALIVE_S = 15.0

log = logging.getLogger("drupe.server")


class Application(HttpApplication):
    """One store, served."""

    log = log
    measured = (
        Measured("writes", "drupe_writes_total", "counter", "Writes that are kept."),
        Measured("commits", "drupe_commits_total", "counter", "Transactions that they were written in."),
        Measured("waiting", "drupe_writes_waiting", "gauge", "Writes that wait for their transaction."),
        Measured("listeners", "drupe_listeners", "gauge", "Streams of changes that are open."),
    )

    def __init__(
        self,
        services: Services,
        commits: CommitQueue,
        gate: Gate,
        *,
        prefix: str = "",
        readers: int = 4,
        limits: Limits | None = None,
        address: str = "",
        signed_transfers: bool = False,
        place: Place | None = None,
    ) -> None:
        super().__init__(prefix=prefix, place=place)
        self._services, self._commits, self._gate = services, commits, gate
        can_sign = signed_transfers and bool(services.places.repo.features.get(Feature.SIGNED_TRANSFERS))
        self._told_of_transfers = dict.fromkeys(("multipart_uploads_enabled", "multipart_downloads_enabled"), True) if can_sign else {}
        self._threads = ThreadPoolExecutor(readers, thread_name_prefix="drupe-reader")
        self._file_threads = ThreadPoolExecutor(readers, thread_name_prefix="drupe-files")
        self._policy, limits = Policy(), limits or Limits()
        self._protocol = Protocol(services, commits, self._threads, self._policy, limits)
        self._proxy = ArtifactProxy(services, self._file_threads, limits)
        self._signed = SignedTransfers(services, self._file_threads, limits)
        served = ServedStore(
            services.tracking,
            services.registry,
            services.places.opened,
            services.changes.tell,
            address,
            __version__,
            lambda: self._mounts.left_out,
        )
        self._mounts = Mounts(served, commits, self._threads, self._policy, limits)

    def close(self) -> None:
        """Let go of files that were not completed, and of threads."""
        self._mounts.close()
        self._proxy.close()
        self._threads.shutdown(wait=False)
        self._file_threads.shutdown(wait=False)

    def add_to_refusal(self, answer: Answer, fault: Exception, exchange: Exchange) -> None:
        """How far an upload is, where a request goes on from elsewhere."""
        if isinstance(fault, OtherOffset):
            answer.headers = (*answer.headers, (b"upload-offset", b"%d" % fault.details["offset"]))

    def read_path(self, exchange: Exchange, raw_path: bytes) -> None:
        """As all servers do; but what a person asks a page for under a broken address is left to the plugin that shows pages."""
        try:
            super().read_path(exchange, raw_path)
        except InvalidValue:
            if not is_for_people(exchange):
                raise
            exchange.path = exchange.path.replace("\x00", REPLACEMENT)  # as it was decoded with marks for what could not be

    async def answer(self, exchange: Exchange) -> Answer | None:
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
        is_read = exchange.method in ("GET", "HEAD")
        answer = await self._answer_own(exchange) if is_read else None
        if answer is not None or exchange.is_answering:
            return answer
        answer = await self._mounts.answer(exchange, self.prefix)
        if answer is not None or exchange.is_answering:
            return answer
        if is_read and path == "/":
            return text_answer(
                f"drupe {__version__}: a tracking server. Point a client at this address; see /health, /metrics, /api/openapi.json.\n"
            )
        exchange.name = "-"
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

    async def _answer_own(self, exchange: Exchange) -> Answer | None:
        """The answer to what every server tells of itself; None when it has been sent already, or when nothing of that is asked."""
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
            return self.figures_answer()
        if path == "/api/openapi.json":
            from drupe.wire.openapi import document  # most servers are never asked for it

            return json_answer(document())
        if path == "/get-artifact":
            await self._proxy.send(await self._file_of_run(exchange), exchange)
            return None
        if path == f"/{ADDRESS}":
            await self._stream(exchange)
            return None
        return None

    async def _file_of_run(self, exchange: Exchange) -> ArtifactPath:
        run_id, path = exchange.needed_field("run_id", "run_uuid"), exchange.needed_field("path")
        run = await asyncio.get_running_loop().run_in_executor(self._threads, self._services.tracking.get_run, run_id)
        return self._services.places.inside(run.info.artifact_uri) / path

    def numbers(self) -> dict[str, int]:
        """Writes, transactions and listeners."""
        commits = self._commits
        return {
            "writes": commits.writes,
            "commits": commits.commits,
            "waiting": commits.depth,
            "listeners": self._services.changes.listeners,
        }

    async def _stream(self, exchange: Exchange) -> None:
        headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no"), *SAFE_HEADERS]
        await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_until_gone(exchange))
        try:
            async with self._services.changes.listening() as changes:
                await exchange.send({"type": "http.response.body", "body": LISTENING, "more_body": True})
                while not gone.done():
                    coming = asyncio.ensure_future(changes.get())
                    await asyncio.wait({coming, gone}, timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED)
                    if not coming.done():
                        coming.cancel()
                        text = STILL_HERE
                    else:
                        change = coming.result()
                        if change is None:
                            break
                        text = event_of(change)
                    await exchange.send({"type": "http.response.body", "body": text, "more_body": True})
        finally:
            gone.cancel()
        await exchange.send({"type": "http.response.body", "body": b""})


async def _until_gone(exchange: Exchange) -> None:
    while (await exchange.receive())["type"] != "http.disconnect":
        pass
