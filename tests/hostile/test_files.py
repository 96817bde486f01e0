"""The routes of files: no spelling of a path, and no link that lies inside, leads out of the root, and nothing is kept or removed elsewhere."""

from __future__ import annotations

import os
from urllib.parse import quote

import pytest

from tests.hostile.target import SECRET, Target, is_error

FILES = "/api/2.0/mlflow-artifacts/artifacts"
OUT = (
    "../secret.txt",
    "../../secret.txt",
    "../../../home/secret.txt",
    "..%2fsecret.txt",
    "..%2Fsecret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    "%252e%252e%252fsecret.txt",
    "%25252e%25252e%25252fsecret.txt",
    "..%252fsecret.txt",
    "%c0%ae%c0%ae/secret.txt",
    "%c0%ae%c0%ae%c0%afsecret.txt",
    "%e0%80%ae%e0%80%ae/secret.txt",
    "%uff0e%uff0e/secret.txt",
    "..%5csecret.txt",
    "..%5c..%5csecret.txt",
    "..%00/secret.txt",
    "..;/secret.txt",
    ".../secret.txt",
    "....//secret.txt",
    "./../secret.txt",
    "x/../../secret.txt",
    "x/%2e%2e/%2e%2e/secret.txt",
    "//etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "%2f%2fetc%2fpasswd",
    "file:///etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "C:/Windows/win.ini",
    "C:%5cWindows%5cwin.ini",
    "%5c%5cevil.example%5cshare",
    "http://169.254.169.254/latest",
    "~root/.ssh/id_rsa",
    "$HOME/x",
    "%24%7BHOME%7D",
    "a%0d%0aSet-Cookie:%20a=b",
    "a%00.txt",
    "%ed%a0%80",
    "%ff",
    "%20",
    "%2e",
    "%2e%2e",
    ".",
    "..",
    "%09",
    "a/%20/b",
    "a//b",
    "a/" * 3000,
    "y" * 300,
    "y" * 60_000,
    "%79" * 15_000,
)
"""Paths as they stand in an address."""
JSON = {"Content-Type": "application/json"}
LINKS = ("to-file", "to-folder/inner.txt", "up/home/secret.txt", "loop", "loop/x")


def judged(target: Target, method: str, address: str, body: bytes | None = None) -> str | None:
    reply = target.ask(method, address, body)
    if SECRET.encode() in reply.body or b"root:x:0" in reply.body:
        return "a byte from outside"
    return None if reply.status < 400 else is_error(reply)


def places(target: Target, path: str) -> list[str]:
    """Where a path may be told."""
    below = f"{FILES}/{target.root}"
    return [
        f"{FILES}/{path}",
        f"{below}/{path}",
        f"{FILES}?path={path}",
        f"/get-artifact?run_id={target.run}&path={path}",
        f"/api/2.0/mlflow/artifacts/list?run_id={target.run}&path={path}",
    ]


def test_signed_transfers_are_not_for_what_is_outside(target: Target) -> None:
    """A folder signs nothing, which is an answer of its own; never a fault."""
    wrong = {}
    bodies = (b'{"path": "x", "num_parts": 2}', b'{"path": "../x", "num_parts": -1}', b"[]")
    for at, path in enumerate(OUT):
        for method, route in (("GET", "presigned"), ("POST", "mpu/create"), ("POST", "mpu/complete"), ("POST", "mpu/abort")):
            for body in bodies if at == 0 else bodies[:1]:
                asked = target.ask(method, f"/api/2.0/mlflow-artifacts/{route}/{path}", None if method == "GET" else body, JSON)
                fault = "a byte from outside" if SECRET.encode() in asked.body else is_error(asked) if asked.status != 501 else None
                if fault is not None:
                    wrong[route, path[:40], body] = fault
    assert not wrong


@pytest.mark.parametrize("path", OUT, ids=lambda path: path[:30])
def test_no_spelling_of_a_path_reads_what_is_outside(target: Target, path: str) -> None:
    wrong = {address[:90]: fault for address in places(target, path) if (fault := judged(target, "GET", address))}
    assert not wrong


@pytest.mark.parametrize("path", OUT, ids=lambda path: path[:30])
def test_no_spelling_of_a_path_writes_or_removes_what_is_outside(target: Target, path: str) -> None:
    """`check_intact`, which runs after every test, compares all files; what is new must be below the root."""
    before = {place for place in target.folder.parent.rglob("*") if "drupe-artifacts" not in place.parts}
    wrong = {}
    for method, body in (("PUT", b"hostile"), ("DELETE", None)):
        for address in (f"{FILES}/{path}", f"{FILES}/{target.root}/x/{path}"):
            if fault := judged(target, method, address, body):
                wrong[method, address[:90]] = fault
    address = f"/ajax-api/2.0/mlflow/upload-artifact?run_id={target.run}&path={path}"
    if fault := judged(target, "POST", address, b"hostile"):
        wrong["POST", address[:90]] = fault
    assert not wrong
    now = {place for place in target.folder.parent.rglob("*") if "drupe-artifacts" not in place.parts}
    assert {place for place in now - before if not place.name.startswith("drupe.db")} == set()


@pytest.mark.parametrize("link", LINKS)
def test_no_link_is_followed_out_of_the_root(target: Target, link: str) -> None:
    for address in places(target, link)[1:]:
        assert (judged(target, "GET", address)) is None, address
    for method, body in (("GET", None), ("PUT", b"x"), ("DELETE", None)):
        reply = target.ask(method, f"{FILES}/{target.root}/{link}{'/new' if method == 'PUT' and 'folder' in link else ''}", body)
        assert SECRET.encode() not in reply.body
        assert reply.status < 500, reply
    assert (target.folder / "secret.txt").read_text() == SECRET
    assert sorted(path.name for path in (target.folder / "secrets").iterdir()) == ["inner.txt"]


def test_what_is_no_plain_file_is_not_waited_for(target: Target) -> None:
    place = next(path for path in target.folder.rglob("kept.txt")).parent
    os.mkfifo(place / "pipe")
    try:
        reply = target.ask("GET", f"{FILES}/{target.root}/pipe")
        assert is_error(reply) is None, reply
        assert is_error(target.ask("GET", f"/get-artifact?run_id={target.run}&path=pipe")) is None
    finally:
        (place / "pipe").unlink()


def test_the_root_cannot_be_removed(target: Target) -> None:
    for spelled in ("", "/", "/.", "/%2e", "/%20", "/%00", "//", "/./", "/x/.."):
        reply = target.ask("DELETE", FILES + spelled)
        assert is_error(reply) is None, (spelled, reply)


def test_ranges_and_conditions_that_are_none_do_no_harm(target: Target) -> None:
    address = f"{FILES}/{target.root}/kept.txt"
    for told in ("bytes=9-", "bytes=-0", "bytes=5-2", "bytes=9999999999999999999-"):
        reply = target.ask("GET", address, headers={"Range": told})
        assert is_error(reply) is None, (told[:40], reply)
    for told in (
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "lines=1-2",
        "bytes=0-1,2-3",
        "bytes=" + "0-0," * 5000,
        "bytes=--1",
        "bytes=99999999999999999999-",
        f"bytes={'9' * 5000}-",
    ):
        reply = target.ask("GET", address, headers={"Range": told})
        assert (reply.status, reply.body) == (200, b"kept"), told[:40]


def test_pages_of_others_cannot_write_files(target: Target) -> None:
    address = f"{FILES}/{target.root}/from-a-page.txt"
    for method, body in (("PUT", b"x"), ("DELETE", None)):
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}):
            assert target.ask(method, address, body, headers).status == 403
    assert target.ask("GET", address).status == 404


def test_what_a_browser_gets_is_no_page_of_ours(target: Target) -> None:
    name = 'evil"\r\n.html'
    stored = f"{FILES}/{target.root}/{quote('evil.html')}"
    assert target.ask("PUT", stored, b"<script>alert(1)</script>").status == 200
    reply = target.ask("GET", stored)
    assert reply.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert is_error(target.ask("PUT", f"{FILES}/{target.root}/{quote(name)}", b"x")) is None
    assert target.ask("DELETE", stored).status == 200
