"""Who is answered: hosts, origins, content types, bodies; and that what is refused is refused in the protocol's form."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

from drupe_asgi.gate import bare_host, is_loopback
from plugins.server_rest.tests.served import Served, start

CREATE = "/api/2.0/mlflow/runs/create"
BODY = json.dumps({"experiment_id": "0"}).encode()


def test_a_foreign_host_is_refused_but_for_health_checks(server: Served) -> None:
    assert server.ask("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", Host="evil.example").error == "PERMISSION_DENIED"
    for host in ("localhost", "127.0.0.1:5000", "[::1]:80"):
        assert server.ask("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", Host=host).status == 200
    assert server.ask("GET", "/health", Host="10.0.0.7").body == b"OK"
    assert server.ask("GET", "/version", Host="10.0.0.7").status == 200


def test_a_foreign_page_cannot_write(server: Served) -> None:
    foreign = server.ask("POST", CREATE, BODY, Content_Type="application/json", Origin="https://evil.example")
    assert (foreign.status, foreign.error) == (403, "PERMISSION_DENIED")
    assert server.ask("PUT", "/api/2.0/mlflow-artifacts/artifacts/a.txt", b"x", Origin="null").status == 403
    assert server.ask("POST", CREATE, BODY, Content_Type="application/json", Origin=server.url).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
def test_a_body_that_a_page_could_send_unasked_is_not_taken_for_json(server: Served, kind: str) -> None:
    refused = server.ask("POST", CREATE, BODY, **({"Content_Type": kind} if kind else {}))
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")


def test_json_may_say_its_charset_come_packed_or_be_packed_into_a_text(server: Served) -> None:
    for body, headers in (
        (BODY, {"Content_Type": "application/json; charset=utf-8"}),
        (gzip.compress(BODY), {"Content_Type": "application/json", "Content_Encoding": "gzip"}),
        (zstandard.ZstdCompressor().compress(BODY), {"Content_Type": "application/json", "Content_Encoding": "zstd"}),
        (json.dumps(BODY.decode()).encode(), {"Content_Type": "application/json"}),
    ):
        assert server.ask("POST", CREATE, body, **headers).status == 200


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"7", b"\xff", b'{"experiment_id": "0"', b"[" * 100_000, b'{"a":' * 100_000, b'{"experiment_id": NaN}', b'"{"'],
)
def test_what_is_no_json_object_is_refused(server: Served, body: bytes) -> None:
    refused = server.ask("POST", CREATE, body, Content_Type="application/json")
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")


def test_a_body_that_is_too_large_or_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    served = start(tmp_path, "--max-body-mb", "1")
    large = json.dumps({"experiment_id": "0", "run_name": "x" * 2**21}).encode()
    assert served.ask("POST", CREATE, large, Content_Type="application/json").status == 413
    packed = served.ask("POST", CREATE, gzip.compress(large), Content_Type="application/json", Content_Encoding="gzip")
    assert (packed.status, packed.error) == (413, "INVALID_PARAMETER_VALUE")
    assert served.ask("POST", CREATE, gzip.compress(BODY)[:-4], Content_Type="application/json", Content_Encoding="gzip").status == 400
    assert served.ask("POST", CREATE, BODY, Content_Type="application/json", Content_Encoding="br").status == 400
    assert served.stop() == 0


def test_long_answers_are_packed_for_those_who_take_it(server: Served) -> None:
    for _ in range(30):
        server.new_run()
    plain = server.call("POST", "runs/search", {"experiment_ids": ["0"]})
    packed = server.call("POST", "runs/search", {"experiment_ids": ["0"]}, Accept_Encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    packed = server.call("POST", "runs/search", {"experiment_ids": ["0"]}, Accept_Encoding="gzip, zstd")
    assert packed.headers["content-encoding"] == "zstd"
    assert zstandard.ZstdDecompressor().decompress(packed.body) == plain.body


def test_every_answer_has_an_id_and_says_that_it_is_nothing_else(server: Served) -> None:
    for reply in (server.ask("GET", "/health"), server.ask("GET", "/nothing"), server.call("GET", "runs/get", {"run_id": "0" * 32})):
        assert len(reply.headers["x-request-id"]) == 16
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert server.ask("GET", "/nothing").error == "ENDPOINT_NOT_FOUND"


def test_headers_without_an_end_are_cut_off(server: Served) -> None:
    with socket.create_connection((server.address.hostname or "", server.address.port or 0), timeout=30) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\n" + b"x: y\r\n" * 50_000)
        answer = raw.recv(200)
    assert answer == b"" or b" 4" in answer.splitlines()[0]


def test_a_server_below_a_prefix_is_asked_with_and_without_it(tmp_path: Path) -> None:
    served = start(tmp_path, "--prefix", "/tracking", "--allowed-host", "tracking.example.org")
    assert served.url.endswith("/tracking")
    for path in ("/tracking/api/2.0/mlflow/experiments/get?experiment_id=0", "/api/2.0/mlflow/experiments/get?experiment_id=0"):
        assert served.ask("GET", path, Host="tracking.example.org").status == 200
    assert served.ask("GET", "/trackings/api/2.0/mlflow/experiments/get?experiment_id=0").status == 404
    assert served.stop() == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_other_machines_are_let_in_only_when_that_is_said(tmp_path: Path, host: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "drupe", "server", "--host", host, "--port", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert done.returncode == 1
    assert "--open-to-all" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_hosts_are_read_with_and_without_port_and_brackets() -> None:
    assert [bare_host(text) for text in ("a.b", "a.b:80", "[::1]:80", "[::1]", "::1")] == ["a.b", "a.b", "::1", "::1", "::1"]
    assert [is_loopback(text) for text in ("localhost", "127.3.2.1", "::1", "0.0.0.0", "example.org")] == [True, True, True, False, False]
