"""A server as one ASGI application: every request passes here, and everything that is answered, errors too, is answered here.

What a server answers is its own: see `drupe_server_rest.app` and `drupe_serving.app`. How it is run is `running`'s matter.
"""

from __future__ import annotations

import json
import logging
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple

from drupe.errors import DrupeError, InvalidValue
from drupe_asgi.answers import Answer, fault_answer, send_answer, text_answer
from drupe_asgi.bodies import ClientGone
from drupe_asgi.exchange import Exchange, Receive, Scope, Send
from drupe_asgi.figures import Counted, Figures
from drupe_asgi.workers import Place

__all__ = ["HttpApplication", "Measured"]

CLIENT_GONE = 499
_OWN_ID = re.compile(rb"[\w.:-]{1,128}")

access_log = logging.getLogger("drupe.server.access")


class Measured(NamedTuple):
    """A number that a server tells Prometheus: its key in `HttpApplication.numbers`, its name there, counter or gauge, and what it is."""

    key: str
    name: str
    kind: str
    told: str


class HttpApplication(ABC):
    """What all servers do with a request, around the answer that each has of its own.

    A worker at a `place` goes on from what the one before it has counted; what all of them have counted is told by whichever is asked.
    """

    log: ClassVar[logging.Logger]
    measured: ClassVar[Sequence[Measured]]
    takes_request_ids: ClassVar[bool] = False
    """True when a request keeps the X-Request-Id that it came with."""

    def __init__(self, *, prefix: str = "", place: Place | None = None) -> None:
        self.prefix, self._place = prefix.rstrip("/"), place
        self._figures = Figures()
        self._before: Mapping[str, float] = {}
        if place is not None and (before := place.kept()) is not None:
            self._figures.add(before)
            self._before = before["numbers"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        exchange = Exchange(scope, receive, send, self.prefix)
        try:
            if self.takes_request_ids and (own_id := exchange.headers.get(b"x-request-id")) is not None and _OWN_ID.fullmatch(own_id):
                exchange.request_id = own_id.decode()
            if b"%" in scope["raw_path"]:
                self.read_path(exchange, scope["raw_path"])
            answer = await self.answer(exchange)
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

    @abstractmethod
    async def answer(self, exchange: Exchange) -> Answer | None:
        """The answer; None when it has been sent already. Raises DrupeError for what is refused."""

    def read_path(self, exchange: Exchange, raw_path: bytes) -> None:
        """Take the path of a request from what was sent. Raises InvalidValue."""
        exchange.decode_path(raw_path, self.prefix)

    @abstractmethod
    def numbers(self) -> dict[str, int]:
        """What this process counts besides requests, by the keys of `measured`."""

    def add_to_refusal(self, answer: Answer, fault: Exception, exchange: Exchange) -> None:  # noqa: B027 (nothing, where a server adds nothing)
        """Called with the answer to a request that was refused, for what a protocol has in it besides."""

    def keep_counts(self) -> None:
        """Leave what was counted for the other workers."""
        if self._place is not None:
            self._place.keep(self._counted())

    def figures_answer(self) -> Answer:
        """What Prometheus is told: the counts of all workers."""
        counted = self._counted()
        figures, numbers = Figures(), dict(counted["numbers"])
        figures.add(counted)
        if self._place is not None:
            self._place.keep(counted)  # what was told once is not forgotten with this worker
            for other in self._place.others():
                figures.add(other)
                for key, value in other["numbers"].items():
                    numbers[key] = numbers.get(key, 0) + value
        text = figures.text((one.name, one.kind, numbers.get(one.key, 0), one.told) for one in self.measured)
        return text_answer(text, kind="text/plain; version=0.0.4; charset=utf-8")

    def _counted(self) -> Counted:
        numbers = self.numbers()
        for one in self.measured:
            if one.kind == "counter":
                numbers[one.key] += self._before.get(one.key, 0)  # type: ignore[assignment]
        return self._figures.counted(**numbers)

    async def _refuse(self, exchange: Exchange, fault: Exception) -> None:
        if not isinstance(fault, DrupeError):
            self.log.error(
                "request %s, %s %s: a fault of the server", exchange.request_id, exchange.method, exchange.path[:200], exc_info=fault
            )
        if exchange.is_answering:  # the connection is closed with the answer unfinished, which is how the client learns of it
            return
        answer = fault_answer(fault, exchange.request_id)
        self.add_to_refusal(answer, fault, exchange)
        if not exchange.is_over and not exchange.is_read:
            await exchange.drain()
            if not exchange.is_over:
                answer.headers = (*answer.headers, (b"connection", b"close"))
        await send_answer(exchange, answer)
