"""The protocol's routes as one ASGI application: find the route, read the request, have it answered, send the reply.

Written by hand rather than with a framework's routing: these few steps are run for every point that is logged.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from drupe.entities import Access
from drupe.errors import InvalidValue
from drupe.wire.routes import NOT_YET, PREFIXES, ROUTES, Route
from drupe.wire.series import PackedSeries
from drupe.wire.shapes import Form, plain, read, read_query
from drupe.wire.tracking import Nothing
from drupe_asgi.answers import Answer, json_answer, series_answer
from drupe_asgi.bodies import Limits, json_form, whole
from drupe_asgi.errors import MethodNotAllowed, NoSuchRoute
from drupe_asgi.exchange import Exchange
from drupe_asgi.gate import Policy, check_is_json
from drupe_server_rest.commits import CommitQueue
from drupe_server_rest.errors import NotYet
from drupe_server_rest.handlers import HANDLERS, Handler
from drupe_server_rest.services import Services

__all__ = ["Protocol"]

_FIELD = re.compile(r"\{(\w+)\}")
_TO_THE_END = "/{tag_key}"  # names of tags may hold slashes
_DONE = json_answer({})


class Protocol:
    """All routes of `drupe.wire`. Raises at the start where one has no handler."""

    def __init__(self, services: Services, commits: CommitQueue, readers: ThreadPoolExecutor, policy: Policy, limits: Limits) -> None:
        missing = [route.name for route in ROUTES if route.name not in HANDLERS]
        if missing:
            raise RuntimeError(f"routes without a handler: {', '.join(missing)}")
        self._services, self._commits, self._readers, self._policy, self._limits = services, commits, readers, policy, limits
        self._fixed: dict[str, dict[str, Route]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Route]]] = []
        for route in ROUTES:
            for path in route.paths:
                self._place(path, route)

    def find(self, method: str, path: str) -> tuple[Route, Form] | None:
        """The route, and the fields in its path; None when the path is none of the protocol's.

        Raises MethodNotAllowed, NotYet, NoSuchRoute.
        """
        found, fields = self._fixed.get(path), {}
        if found is None:
            for pattern, routes in self._patterns:
                match = pattern.fullmatch(path)
                if match:
                    found, fields = routes, match.groupdict()
                    break
        if found is None:
            return self._elsewhere(path)
        route = found.get(method)
        if route is None:
            raise MethodNotAllowed(f"{path} is asked with {' or '.join(sorted(found))}, not {method}", allowed=sorted(found))
        return route, fields

    async def answer(self, route: Route, fields: Form, exchange: Exchange) -> Answer:
        """The answer to one request. Raises DrupeError, ClientGone."""
        self._policy.check(route.name, route.access)
        asked = await self._asked(route, fields, exchange)
        handler = HANDLERS[route.name]
        if route.access is Access.READ:
            return await asyncio.get_running_loop().run_in_executor(self._readers, _answered, handler, self._services, asked)
        services = self._services
        reply = await self._commits.write(lambda: handler(services, asked))
        return _DONE if type(reply) is Nothing else json_answer(_form(reply))

    async def _asked(self, route: Route, fields: Form, exchange: Exchange) -> Any:
        headers = exchange.headers
        if route.has_body and not _is_bare_deletion(route, headers):
            check_is_json(headers, route.name)
        elif not route.has_body and (exchange.query or headers.get(b"content-length", b"0") in (b"0", b"")):
            return read_query(route.request, (*exchange.fields(), *fields.items()))
        form = json_form(await whole(exchange.receive, headers, self._limits), route.name)
        if fields:
            if not isinstance(form, dict):
                raise InvalidValue(f"{route.name}: the body is a JSON object")
            form = {**form, **fields}
        return read(route.request, form)

    def _place(self, path: str, route: Route) -> None:
        if "{" not in path:
            self._fixed.setdefault(path, {})[route.method] = route
            return
        start = path.removesuffix(_TO_THE_END)
        text = _FIELD.sub(r"(?P<\1>[^/]+)", start) + ("/(?P<tag_key>.+)" if start != path else "")
        for pattern, routes in self._patterns:
            if pattern.pattern == text:
                routes[route.method] = route
                return
        self._patterns.append((re.compile(text), {route.method: route}))

    @staticmethod
    def _elsewhere(path: str) -> None:
        for prefix in PREFIXES:
            below = path.removeprefix(f"{prefix}/")
            if below != path:
                if below.startswith(NOT_YET):
                    raise NotYet(f"{path}: this part of MLflow's protocol is not served here")
                if below.startswith(("2.0/mlflow/", "3.0/mlflow/")):
                    raise NoSuchRoute(f"nothing is served under {path[:200]}")


def _is_bare_deletion(route: Route, headers: Mapping[bytes, bytes]) -> bool:
    """A DELETE that names all it is about in its path comes without a body from MLflow's client. No page can send one to another site unasked."""
    has_none = headers.get(b"content-length", b"0") in (b"0", b"") and b"transfer-encoding" not in headers
    return route.method == "DELETE" and "{" in route.path and has_none


def _answered(handler: Handler, services: Services, asked: Any) -> Answer:
    """Reply and JSON in one go: both take a thread's time rather than the loop's."""
    reply = handler(services, asked)
    return series_answer(reply) if type(reply) is PackedSeries else json_answer(_form(reply))


def _form(reply: Any) -> Form:
    """The JSON form of a reply; a handler may give it itself, where that is much quicker."""
    return reply if type(reply) is dict else plain(reply)
