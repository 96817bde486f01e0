"""Every route of the protocol, under attack by every part of its request."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
import zstandard

from drupe.wire.routes import ROUTES, Access, Route
from plugins.server_rest.tests.served import Reply
from tests.hostile.requests_of_routes import Bait, lay_bait, request_of
from tests.hostile.target import MOST_BODY_MB, SECRET, Target, is_error
from tests.hostile.weapons import Raw, Shot, body_of, query_of, shots_at

EACH = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
GONE_AFTERWARDS = {"POST registered-models/rename", "POST experiments/restore"}
JSON = {"Content-Type": "application/json"}


def send(target: Target, route: Route, form: dict[str, Any]) -> Reply:
    """One request of this route."""
    path = route.paths[0]
    rest = dict(form)
    for name in form:
        if f"{{{name}}}" in path:
            value = rest.pop(name)
            path = path.replace(f"{{{name}}}", _in_path(value))
    if route.has_body:
        return target.ask(route.method, path, body_of(rest), JSON)
    return target.ask(route.method, f"{path}?{query_of(rest)}")


def changes(target: Target, route: Route, form: Any) -> bool:
    """True when sending this changes what is stored."""
    rows = target.all_rows()
    send(target, route, form)
    return target.all_rows() != rows


def _in_path(value: Any) -> str:
    if isinstance(value, Raw):
        return query_of({"x": value})[2:]
    return quote(value if isinstance(value, str) else json.dumps(value), safe="")


def judged(reply: Reply, must_fail: bool) -> str | None:
    """What is wrong with an answer."""
    if SECRET.encode() in reply.body or b"root:x:0" in reply.body:
        return "a byte from outside"
    if reply.status < 400:
        return f"taken with {reply.status}: {reply.body[:100]!r}" if must_fail else None
    return is_error(reply)


@EACH
def test_it_takes_the_request_that_attacks_are_made_from(target: Target, route: Route) -> None:
    reply = send(target, route, request_of(route, lay_bait(target.server, route)))
    assert reply.status == 200, reply


@EACH
def test_no_part_of_its_request_does_harm(target: Target, route: Route) -> None:
    bait: Bait = lay_bait(target.server, route)
    form = request_of(route, bait)
    wrong = []
    for shot in shots_at(form):
        before = target.version()
        reply = send(target, route, shot.at(form))
        fault = judged(reply, shot.must_fail and _is_told(route, shot))
        if fault is None and reply.status >= 400 and target.version() != before:  # maybe what was undone, or the reaper passing by
            fault = "refused, but something has changed" if all(changes(target, route, shot.at(form)) for _ in range(3)) else None
        if fault is not None:
            wrong.append(f"{shot}: {fault}")
        if reply.status < 400 and route.access is not Access.READ:
            if route.access is Access.DELETE or route.name in GONE_AFTERWARDS:
                bait = lay_bait(target.server, route)
            form = request_of(route, bait)
    assert not wrong, "\n".join(wrong[:40])


def _is_told(route: Route, shot: Shot) -> bool:
    """False where the type of a value is lost on the way: in addresses all are texts."""
    if route.has_body and f"{{{shot.place[0]}}}" not in route.path:
        return True
    return isinstance(shot.value, Raw) and shot.value.text.startswith('"') and "\x01" not in shot.value.text


@EACH
def test_no_way_of_asking_for_it_does_harm(target: Target, route: Route) -> None:
    form = request_of(route, lay_bait(target.server, route))
    path = route.paths[0]
    for name, value in form.items():
        path = path.replace(f"{{{name}}}", str(value))
    body = body_of(form)
    where = path if route.has_body else f"{path}?{query_of(form)}"
    before = target.version()
    wrong = {}

    def shoot(what: str, *asked: Any) -> None:
        reply = target.ask(*asked)
        fault = judged(reply, must_fail=True)
        if fault is not None:
            wrong[what] = fault

    for method in ("TRACE", "OPTIONS", "PROPFIND", "get", "PUT"):
        shoot(method, method, where, body, JSON)
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[::1]evil.example", "localhost:80@evil", ""):
        shoot(f"Host: {host}", route.method, where, body if route.has_body else None, {**JSON, "Host": host})
    if route.method != "GET":
        for origin in (
            "https://evil.example",
            "null",
            "http://localhost.evil.example",
            f"http://127.0.0.1:{target.address[1]}.evil.example",
        ):
            shoot(f"Origin: {origin}", route.method, where, body, {**JSON, "Origin": origin})
    if route.has_body:
        kinds = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "")
        for kind in kinds:
            shoot(f"Content-Type: {kind}", route.method, where, body, {"Content-Type": kind})
        shapes = (
            b"[]",
            b"7",
            b"null",
            b'"x"',
            b"{",
            b"\xff\xfe{\x00}\x00",
            b"{}{}",
            b"[" * 500_000,
            b'{"a":' * 100_000,
            b"\x00",
            b"<xml/>",
        )
        for shape in shapes:
            shoot(f"body {shape[:9]!r}", route.method, where, shape, JSON)
        large = b" " * ((MOST_BODY_MB << 20) + 1) + body
        shoot("a large body", route.method, where, large, JSON)
        packed = {**JSON, "Content-Encoding": "gzip"}
        shoot("a bomb", route.method, where, BOMB, packed)
        shoot("a bomb of zstd", route.method, where, ZSTD_BOMB, {**JSON, "Content-Encoding": "zstd"})
        shoot("two members", route.method, where, gzip.compress(b"{") + gzip.compress(b"}"), packed)
        shoot("no gzip", route.method, where, body, packed)
        shoot("another packing", route.method, where, body, {**JSON, "Content-Encoding": "br"})
        shoot("packed twice", route.method, where, gzip.compress(gzip.compress(body)), {**JSON, "Content-Encoding": "gzip, gzip"})
        if first := next((name for name in form if "_" in name and f"{{{name}}}" not in route.path), None):
            camel = first.split("_")[0] + "".join(part.title() for part in first.split("_")[1:])
            shoot("both spellings", route.method, where, body_of({**form, camel: form[first]}), JSON)
    else:
        shoot("6000 parameters", "GET", f"{path}?{'a=1&' * 6000}")
        shoot("no UTF-8", "GET", f"{path}?x=%ff%fe")
        shoot("NUL", "GET", f"{path}?x=%00")
        shoot("a long address", "GET", f"{path}?x={'y' * 70_000}")
    for spelled in (f"{path}/..%2f..%2fetc", f"{path}%00", f"{path}/", f"//{path}", path.replace("/2.0/", "/2.0/../2.0/"), f"{path}%ff"):
        shoot(spelled, route.method, spelled, body if route.has_body else None, JSON)
    assert not wrong, "\n".join(f"{what}: {fault}" for what, fault in wrong.items())
    assert target.version() == before


ZSTD_BOMB = zstandard.ZstdCompressor(level=1).compress(bytes(64 << 20))
BOMB = gzip.compress(b" " * (64 << 20), 1)
