"""The routes that plugins add: found by their path, called in a thread or, when they write, with the other writes of one transaction."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from drupe.entities import Access
from drupe.errors import InvalidValue
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.web import Added, server_routes
from drupe_asgi.answers import SAFE_HEADERS, Answer
from drupe_asgi.bodies import Limits, whole
from drupe_asgi.errors import MethodNotAllowed
from drupe_asgi.exchange import Exchange
from drupe_asgi.gate import Policy, check_is_json
from drupe_server_rest.commits import CommitQueue

__all__ = ["REPLACEMENT", "Mounts", "is_for_people"]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
FOR_PROGRAMS = ("/api/", "/ajax-api/", "/get-artifact")
_FIELD = re.compile(r"\\\{(\w+)(\\\.\\\.\\\.)?\\\}")
log = logging.getLogger("drupe.server")


class Mounts:
    """All sets of routes of plugins. A set that cannot be opened, or has a route that breaks the rules, is left out and told to the log."""

    def __init__(self, store: ServedStore, commits: CommitQueue, threads: ThreadPoolExecutor, policy: Policy, limits: Limits) -> None:
        self._commits, self._threads, self._policy, self._limits = commits, threads, policy, limits
        self._opened: list[Added] = []
        self.left_out: list[tuple[str, str, str]] = []
        self._patterns: list[tuple[re.Pattern[str], str, WebRoute]] = []
        found, unusable = server_routes(store)
        for refused in unusable:
            self._leave_out(refused.key, refused.plugin, refused.reason)
        for added in found:
            self._place(added)

    async def answer(self, exchange: Exchange, prefix: str) -> Answer | None:
        """The answer of the route that is asked; None when no plugin has one for it, or when it has been sent already. Raises DrupeError, ClientGone."""
        allowed: set[str] = set()
        asked = "GET" if exchange.method == "HEAD" else exchange.method
        for pattern, name, route in self._patterns:
            match = pattern.fullmatch(exchange.path)
            if match is None:
                continue
            if route.method != asked:
                if not route.path.endswith("...}"):  # one that takes any address says nothing of this one
                    allowed.add(route.method)
                continue
            exchange.name = name
            self._policy.check(name, route.access)
            return await self._called(route, match.groupdict(), exchange, prefix)
        if allowed:
            raise MethodNotAllowed(
                f"{exchange.path[:200]} is asked with {' or '.join(sorted(allowed))}, not {exchange.method}", allowed=sorted(allowed)
            )
        return None

    def close(self) -> None:
        """Close every set of routes."""
        for added in self._opened:
            try:
                added.routes.close()
            except Exception:  # the plugin's own code
                log.exception("the routes of %s could not be closed", added.plugin)

    def _place(self, added: Added) -> None:
        try:
            routes = list(added.routes.routes())
            faults = [fault for route in routes for fault in route.faults()]
        except Exception as fault:  # the plugin's own code
            faults = [f"{type(fault).__name__}: {fault}"]
        if faults:
            self._leave_out(added.path, added.plugin, "; ".join(faults))
            added.routes.close()
            return
        self._opened.append(added)
        root = added.path.rstrip("/")
        for route in routes:
            path = f"{root}/{route.path}" if route.path else root or "/"
            self._patterns.append((re.compile(_pattern(path), re.DOTALL), f"{route.method} {path}", route))

    def _leave_out(self, path: str, plugin: str, reason: str) -> None:
        self.left_out.append((path, plugin, reason))
        log.error("the routes of %s below %s are left out: %s", plugin, path, reason)

    async def _called(self, route: WebRoute, fields: Mapping[str, str], exchange: Exchange, prefix: str) -> Answer | None:
        body = b""
        if route.method != "GET":
            if route.access is not Access.READ:
                check_is_json(exchange.headers, exchange.name)
            body = await whole(exchange.receive, exchange.headers, self._limits)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in exchange.headers.items()}
        request = WebRequest(exchange.method, fields, _query_of(exchange), headers, body, f"{prefix}/")
        if route.access is Access.READ:
            reply = await asyncio.get_running_loop().run_in_executor(self._threads, route.answer, request)
        else:
            reply = await self._commits.write(lambda: route.answer(request))
        answer = _answer_of(reply, exchange.name)
        if reply.parts is None:
            return answer
        await self._send(answer, reply.parts, exchange)
        return None

    async def _send(self, answer: Answer, parts: Iterator[bytes], exchange: Exchange) -> None:
        headers = [*answer.headers, *answer.safe, (b"x-request-id", exchange.request_id.encode())]
        loop = asyncio.get_running_loop()
        part = await loop.run_in_executor(self._threads, next, parts, None)  # so that what it raises at once is still an answer
        await exchange.send({"type": "http.response.start", "status": answer.status, "headers": headers})
        gone = asyncio.ensure_future(_until_gone(exchange))
        try:
            while part is not None and exchange.method != "HEAD" and not gone.done():
                await exchange.send({"type": "http.response.body", "body": part, "more_body": True})
                part = await loop.run_in_executor(self._threads, next, parts, None)
        finally:
            gone.cancel()
        await exchange.send({"type": "http.response.body", "body": b""})


async def _until_gone(exchange: Exchange) -> None:
    while (await exchange.receive())["type"] != "http.disconnect":
        pass


def is_for_people(exchange: Exchange) -> bool:
    """True when a browser wants to show the answer, and not to give it to a script: an error is then read better on a page than in JSON."""
    return exchange.is_read and b"text/html" in exchange.headers.get(b"accept", b"") and not exchange.path.startswith(FOR_PROGRAMS)


def _query_of(exchange: Exchange) -> dict[str, str]:
    try:
        return dict(exchange.fields())
    except InvalidValue:
        if not is_for_people(exchange):
            raise
        return {}


def _pattern(path: str) -> str:
    return _FIELD.sub(lambda part: f"(?P<{part[1]}>.*)" if part[2] else f"(?P<{part[1]}>[^/]+)", re.escape(path))


def _answer_of(reply: WebReply, name: str) -> Answer:
    if not isinstance(reply, WebReply):
        raise TypeError(f"{name} answered with {type(reply).__name__} in place of a WebReply")
    headers = [(b"content-type", reply.kind.encode("latin-1"))]
    headers += [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in reply.headers.items()]
    answer = Answer(reply.status, reply.body, headers)
    own = {key for key, _ in headers}
    answer.safe = [header for header in SAFE_HEADERS if header[0] not in own]
    return answer
