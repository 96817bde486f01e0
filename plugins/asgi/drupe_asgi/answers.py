"""Answers as ASGI messages: JSON, texts, errors; compressed where the client takes it and it pays."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson

from drupe.errors import DrupeError
from drupe.wire.faults import fault_form
from drupe.wire.series import MEDIA_TYPE, PackedSeries
from drupe_asgi.errors import MethodNotAllowed, Unexpected
from drupe_asgi.exchange import Exchange
from drupe_asgi.packing import packed

__all__ = ["JSON", "SAFE_HEADERS", "Answer", "Header", "fault_answer", "json_answer", "send_answer", "series_answer", "text_answer"]

Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
SAFE_HEADERS: Sequence[Header] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
WORTH_COMPRESSING = 4096
LONG = 64 << 10  # from here on others are served while a thread packs it
MESSAGE_MAX = 4000
RETRY_AFTER_S = {503: b"1", 507: b"30", 429: b"1"}


class Answer:
    """Status, headers and body; `safe` are the headers that every answer has. Kept a plain class: one is made for every request."""

    __slots__ = ("body", "headers", "safe", "status")

    def __init__(self, status: int, body: bytes, headers: Sequence[Header] = (JSON,)) -> None:
        self.status, self.body, self.headers = status, body, headers
        self.safe = SAFE_HEADERS


def json_answer(form: Any, status: int = 200) -> Answer:
    """An object as JSON."""
    return Answer(status, orjson.dumps(form))


def series_answer(body: PackedSeries) -> Answer:
    """Series in columns, which are left as they are: packing them would take longer than sending them."""
    return Answer(200, body, ((b"content-type", MEDIA_TYPE.encode()),))


def text_answer(text: str, status: int = 200, kind: str = "text/plain; charset=utf-8") -> Answer:
    """A text."""
    return Answer(status, text.encode(), ((b"content-type", kind.encode()),))


def fault_answer(fault: BaseException, request_id: str) -> Answer:
    """An error; one that nobody expected says nothing but the request's id."""
    known = fault if isinstance(fault, DrupeError) else Unexpected(f"the server has met a fault of its own; its log has it as {request_id}")
    form = fault_form(known)
    if len(known.message) > MESSAGE_MAX:  # which repeats what was sent
        form["message"] = f"{known.message[:MESSAGE_MAX]}…"
    if not isinstance(fault, DrupeError):
        form["request_id"] = request_id
    answer = json_answer(form, known.http_status)
    if isinstance(fault, MethodNotAllowed):
        answer.headers = (*answer.headers, (b"allow", ", ".join(fault.details["allowed"]).encode()))
    wait = RETRY_AFTER_S.get(known.http_status)
    if wait is not None:
        answer.headers = (*answer.headers, (b"retry-after", wait))
    return answer


async def send_answer(exchange: Exchange, answer: Answer) -> None:
    """Send it, compressed if it is long and the client takes that."""
    body = answer.body
    headers = [*answer.headers, *answer.safe, (b"x-request-id", exchange.request_id.encode())]
    if len(body) >= WORTH_COMPRESSING and type(body) is not PackedSeries and not _is_packed(answer.headers):
        accepted = exchange.headers.get(b"accept-encoding", b"")
        smaller = packed(body, accepted) if len(body) < LONG else await asyncio.to_thread(packed, body, accepted)
        if smaller is not None:
            body, packing = smaller
            headers += [(b"content-encoding", packing), (b"vary", b"accept-encoding")]
    headers.append((b"content-length", str(len(body)).encode()))
    await exchange.send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})


def _is_packed(headers: Sequence[Header]) -> bool:
    return any(name == b"content-encoding" for name, _ in headers)
