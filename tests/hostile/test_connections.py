"""What is said on a connection: no HTTP, half of it, too much of it, or nothing; nobody else waits for it, and the answer is an error in form."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.hostile.target import PATIENCE_S, Target

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
CREATE = b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
UPLOAD = b"PUT /api/2.0/mlflow-artifacts/artifacts/slow/%d.bin HTTP/1.1\r\nHost: localhost\r\n"
SOON_S = PATIENCE_S + 8


def everything(line: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    pieces = []
    with contextlib.suppress(ConnectionResetError):
        while piece := line.recv(1 << 16):
            pieces.append(piece)
    return b"".join(pieces)


def refused(answer: bytes) -> bool:
    """True for exactly one answer, of 400 to 499, with an error in the protocol's form."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    return 400 <= status < 500 and bool(json.loads(body)["error_code"])


@contextlib.contextmanager
def is_served_meanwhile(target: Target) -> Iterator[None]:
    """Others are answered quickly before, during and after."""
    for _ in range(2):
        asked = time.monotonic()
        other = HTTPConnection(*target.address, timeout=60)
        other.request("GET", f"/api/2.0/mlflow/runs/get?run_id={target.run}")
        assert other.getresponse().status == 200
        other.close()
        assert time.monotonic() - asked < 5
        if _ == 0:
            yield


@pytest.mark.parametrize(
    "said",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /hea lth HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: local\x00host\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\n Host: localhost\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example/api/2.0/mlflow/experiments/get?experiment_id=0 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        CREATE + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
        CREATE + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        CREATE + b"Content-Length: -1\r\n\r\n",
        CREATE + b"Content-Length: +2\r\n\r\n{}",
        CREATE + b"Content-Length: 0x2\r\n\r\n{}",
        CREATE + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
        CREATE + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HEALTH,
        CREATE + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HEALTH,
        CREATE + b"Transfer-Encoding: gzip, chunked, identity\r\n\r\n0\r\n\r\n",
        CREATE + b"Transfer-Encoding: xchunked\r\n\r\n{}",
        CREATE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        CREATE + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n",
        CREATE + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        CREATE + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
        CREATE + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"x" * 100_000,
        CREATE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"Trailer: x\r\n" * 20_000,
        b"GET /health HTTP/1.1\r\n" + b"x: y\r\n" * 50_000,
        b"GET /health HTTP/1.1\r\nx: " + b"y" * 100_000,
        b"GET /" + b"y" * 100_000,
        b"GET /api/2.0/mlflow/runs/get?" + b"a&" * 30_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\r\n" * 50_000,
    ],
    ids=lambda said: str(said[-60:] if said.startswith(CREATE) else said[:40])[2:-1],
)
def test_what_is_no_request_is_refused_in_form_and_the_line_is_closed(target: Target, said: bytes) -> None:
    before = target.version()
    with is_served_meanwhile(target), target.raw(said) as line:
        line.settimeout(SOON_S)
        answer = read_one(line)
        if answer:  # a foreign name was asked for, which is an answer like any other
            assert refused(answer), answer[:300]
    assert target.version() == before


def read_one(line: socket.socket) -> bytes:
    """One answer; what follows it would be the answer to something smuggled."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = line.recv(1 << 16)
        if not piece:
            return answer
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    size = next(int(one.split(b":")[1]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length"))
    while len(body) < size:
        body += line.recv(1 << 16)
    assert len(body) == size, body
    line.settimeout(0.2)
    with contextlib.suppress(TimeoutError, ConnectionError):
        assert line.recv(1 << 16) == b""
    return head + b"\r\n\r\n" + body


def test_headers_that_decide_something_come_once(target: Target) -> None:
    for twins in (b"Host: localhost\r\nHost: evil.example\r\n", b"Host: evil.example\r\nHost: localhost\r\n"):
        with target.raw(b"GET /api/2.0/mlflow/experiments/get?experiment_id=0 HTTP/1.1\r\n" + twins + b"\r\n") as line:
            assert refused(read_one(line))
    with target.raw(CREATE + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}") as line:
        assert refused(read_one(line))


def test_slow_clients_are_refused_in_time_and_nobody_waits_for_them(target: Target) -> None:
    """Slow headers, slow bodies, slow chunks, slow uploads: forty of each at once."""
    starts = {
        "headers": b"GET /health HTTP/1.1\r\nHost: local",
        "nothing": b"",
        "body": CREATE + b"Content-Length: 500\r\n\r\n{",
        "chunks": CREATE + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        "upload": UPLOAD % 1 + b"Content-Length: 500000\r\n\r\nx",
        "gzip": CREATE + b"Content-Encoding: gzip\r\nContent-Length: 500\r\n\r\n\x1f\x8b",
    }
    with contextlib.ExitStack() as kept, is_served_meanwhile(target):
        lines = [(what, kept.enter_context(target.raw(said))) for what, said in starts.items() for _ in range(40)]
        began = time.monotonic()
        for what, line in lines:
            line.settimeout(SOON_S)
            answer = everything(line)
            assert refused(answer), (what, answer[:200])
        assert time.monotonic() - began < 2 * SOON_S


def test_a_body_that_trickles_is_cut_off(target: Target) -> None:
    """A byte now and then never lets the clock of silence run out; the rate counts."""
    with target.raw(UPLOAD % 2 + b"Content-Length: 500000\r\n\r\n") as line:
        line.settimeout(PATIENCE_S / 8)
        answer, began = b"", time.monotonic()
        while not answer and time.monotonic() - began < 3 * SOON_S:
            with contextlib.suppress(TimeoutError):
                answer = line.recv(1 << 16)
                line.settimeout(SOON_S)
                answer += everything(line)  # its head and its body may come apart
                break
            with contextlib.suppress(ConnectionError):
                line.sendall(b"x")
        assert refused(answer), answer
    assert target.ask("GET", "/api/2.0/mlflow-artifacts/artifacts/slow/2.bin").status == 404


def test_who_never_reads_is_cut_off(target: Target) -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/{target.root}/large.bin"
    assert target.ask("PUT", path, b"x" * (32 << 20)).status == 200
    asked = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with contextlib.ExitStack() as kept, is_served_meanwhile(target):
        lines = []
        for _ in range(20):
            line = kept.enter_context(socket.socket())
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(target.address)
            line.sendall(asked)
            lines.append(line)
        began = time.monotonic()
        while open_to(target, {line.getsockname()[1] for line in lines}):
            assert time.monotonic() - began < 3 * SOON_S
            time.sleep(0.1)  # the other side's table of connections has no event to wait for
    assert target.ask("DELETE", path).status == 200


def open_to(target: Target, ports: set[int]) -> int:
    """How many of these connections the server still has open."""
    pid = target.server.process.pid
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    ours = f"{target.address[1]:04X}"
    return sum(row[1].endswith(f":{ours}") and int(row[2].rpartition(":")[2], 16) in ports and row[3] == "01" for row in rows)


def test_who_reads_slowly_but_reads_gets_everything(target: Target) -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/{target.root}/read.bin"
    size = 8 << 20
    assert target.ask("PUT", path, b"x" * size).status == 200
    with target.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()) as line:
        got, began = 0, time.monotonic()
        while piece := line.recv(1 << 18):
            got += len(piece)
            if time.monotonic() - began < 2 * PATIENCE_S:
                time.sleep(0.15)  # slow on purpose
        assert got > size
    assert target.ask("DELETE", path).status == 200


def test_a_thousand_idle_connections_keep_nobody_out(target: Target) -> None:
    with contextlib.ExitStack() as kept, is_served_meanwhile(target):
        for at in range(1000):
            kept.enter_context(target.raw(HEALTH if at % 2 else b""))


def test_a_half_closed_connection_is_let_go(target: Target) -> None:
    for said in (b"", b"GET /health HTTP", HEALTH, CREATE + b"Content-Length: 9\r\n\r\n{", UPLOAD % 3 + b"Content-Length: 9\r\n\r\nx"):
        with target.raw(said) as line:
            line.shutdown(socket.SHUT_WR)
            line.settimeout(SOON_S)
            everything(line)
    assert target.ask("GET", "/api/2.0/mlflow-artifacts/artifacts/slow/3.bin").status == 404


def test_requests_in_one_breath_are_answered_in_order(target: Target) -> None:
    many = b"".join(b"GET /api/2.0/mlflow/runs/get?run_id=r%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % at for at in range(200))
    with target.raw(many + HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as line:
        answers = everything(line).split(b"HTTP/1.1 ")[1:]
    assert len(answers) == 201
    assert [b"r%d" % at in answer for at, answer in enumerate(answers[:200])] == [True] * 200
    assert answers[200].startswith(b"200")


def test_what_follows_a_body_is_not_taken_for_part_of_it(target: Target) -> None:
    body = b'{"run_id": "nobody", "key": "k", "value": "v"}'
    said = CREATE.replace(b"runs/create", b"runs/set-tag") + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with target.raw(said + HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) as line:
        answer = everything(line)
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"404", b"200"]


def test_an_upgrade_is_not_made(target: Target) -> None:
    said = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with target.raw(said) as line:
        line.settimeout(SOON_S)
        answer = HTTPResponse(line)
        answer.begin()
        assert answer.status in (200, 400)
