"""What servers may do, and what this client then does: redirects, limits, broken answers, secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.errors import ArtifactCorrupt, InvalidUri, InvalidValue, StoreUnavailable
from drupe.extend import SourceStat
from drupe.uris import Uri
from drupe_source_http.redirects import followed, is_private
from drupe_source_http.settings import HttpSettings
from drupe_source_http.source import HttpFile

Answer = Callable[[BaseHTTPRequestHandler], None]


def source(web: Any, path: str, **options: Any) -> HttpFile:
    return HttpFile.open(Uri.parse(f"{web.address}/{path}", query=True), HttpSettings(**options))


def leads_to(location: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def sends(body: bytes, *, length: int | None = None, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if length is not None:
            handler.send_header("Content-Length", str(length))
        handler.send_header("Connection", "close")
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(body)
        handler.close_connection = True

    return answer


def test_what_is_told_of_a_file_is_what_the_server_says(web: Any) -> None:
    web.files["a.csv"] = b"12345"
    stat = source(web, "a.csv").stat()
    assert (stat.size_bytes, stat.modified_ms) == (5, 1_445_412_480_000)
    assert stat.version is not None


def test_a_server_without_head_is_asked_by_get(web: Any, tmp_path: Path) -> None:
    web.answers["a.csv"] = lambda handler: sends(b"x", length=1, status=405 if handler.command == "HEAD" else 200)(handler)
    assert source(web, "a.csv").stat() == SourceStat()
    source(web, "a.csv").download(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == b"x"


def test_a_redirect_on_the_same_host_is_followed(web: Any, tmp_path: Path) -> None:
    web.files["there.csv"] = b"x"
    web.answers["here.csv"] = leads_to("/there.csv")
    source(web, "here.csv").download(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_redirects_without_an_end_are_given_up(web: Any, tmp_path: Path) -> None:
    web.answers["here.csv"] = leads_to("/here.csv")
    with pytest.raises(StoreUnavailable, match="more than 3 times"):
        source(web, "here.csv", redirects=3).download(tmp_path / "a")
    assert len(web.seen) == 4


@pytest.mark.parametrize("location", ["http://localhost:1/x", "file:///etc/passwd", "http://[::1]/x", "ftp://example.org/x"])
def test_a_redirect_to_a_private_host_or_another_scheme_is_refused(web: Any, tmp_path: Path, location: str) -> None:
    web.answers["here.csv"] = leads_to(location)
    with pytest.raises(StoreUnavailable, match="not followed"):
        source(web, "here.csv").download(tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("url", "location", "resolved", "target"),
    [
        ("https://a.org/x", "/y", [], "https://a.org/y"),
        ("https://a.org/x", "http://a.org/y", [], None),
        ("http://a.org/x", "https://b.org/y", ["93.184.216.34"], "https://b.org/y"),
        ("http://a.org/x", "https://b.org/y", ["93.184.216.34", "10.0.0.1"], None),
        ("http://a.org/x", "https://b.org/y", ["::ffff:127.0.0.1"], None),
    ],
)
def test_where_a_redirect_may_lead(url: str, location: str, resolved: list[str], target: str | None) -> None:
    assert followed(url, location, addresses=lambda host: resolved) == target


@pytest.mark.parametrize(
    ("address", "answer"),
    [
        ("8.8.8.8", False),
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("192.168.1.1", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("2606:4700::1111", False),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("2002:7f00:1::", True),
    ],
)
def test_which_addresses_are_private(address: str, answer: bool) -> None:
    assert is_private(address) is answer


def test_an_answer_that_breaks_off_leaves_no_file(web: Any, tmp_path: Path) -> None:
    web.answers["a.csv"] = sends(b"half", length=8)
    with pytest.raises(StoreUnavailable, match=r"broke"):
        source(web, "a.csv").download(tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [10, None])
def test_a_file_above_the_limit_is_refused_with_the_setting_that_raises_it(web: Any, tmp_path: Path, length: int | None) -> None:
    web.answers["a.csv"] = sends(b"0123456789", length=length)
    with pytest.raises(InvalidValue, match="DRUPE_SOURCE_HTTP__MAX_BYTES"):
        source(web, "a.csv", max_bytes=9).download(tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_other_answers_are_told_with_their_number(web: Any, tmp_path: Path, status: int) -> None:
    web.answers["a.csv"] = sends(b"secret page", length=11, status=status)
    with pytest.raises(StoreUnavailable, match=str(status)) as raised:
        source(web, "a.csv").download(tmp_path / "a.csv")
    assert "secret page" not in str(raised.value)


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"http://127\.0\.0\.1:1/a\.csv cannot be reached"):
        HttpFile.open(Uri.parse("http://127.0.0.1:1/a.csv")).download(tmp_path / "a.csv")


def test_a_secret_in_the_address_is_sent_but_neither_recorded_nor_shown(web: Any, drupe_workspace: Path) -> None:
    web.files["a.csv"] = b"x\n1\n"
    loaded = drupe.data.load(f"{web.address}/a.csv?X-Amz-Signature=abc%2Fdef&part=1")
    assert web.seen[-1][1] == "/a.csv?X-Amz-Signature=abc/def&part=1"
    assert "abc" not in loaded.to_json()
    assert loaded.source.uri == f"{web.address}/a.csv?X-Amz-Signature=***&part=1"
    with pytest.raises(StoreUnavailable) as raised:
        drupe.data.load("http://127.0.0.1:1/a.csv?token=abc")
    assert "abc" not in str(raised.value)


def test_credentials_before_the_host_are_refused(drupe_workspace: Path) -> None:
    with pytest.raises(InvalidUri) as raised:
        drupe.data.load("http://me:hunter2@127.0.0.1/a.csv")
    assert "hunter2" not in str(raised.value)


def test_a_dataset_is_loaded_from_the_web_logged_and_found_again(web: Any, drupe_workspace: Path) -> None:
    web.files["train.csv"] = b"x,y\n1,0\n2,1\n"
    with drupe.start_run() as run:
        drupe.log_input(drupe.data.load(f"{web.address}/train.csv", targets="y"), context="training")
    (used,) = drupe.get_run(run.info.run_id).inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.source_type) == ("train", "http")
    assert json.loads(used.dataset.source)["url"] == f"{web.address}/train.csv"
    assert Path(drupe.data.get_source(used).load("again")).read_bytes() == web.files["train.csv"]
    web.files["train.csv"] = b"x,y\n1,0\n2,0\n"
    with pytest.raises(ArtifactCorrupt, match="has changed since"):
        drupe.data.get_source(used).load()
    assert Path(drupe.data.get_source(used).load(verify=False)).read_bytes() == web.files["train.csv"]


def test_an_address_that_would_be_changed_by_reading_it_is_refused(web: Any, drupe_workspace: Path) -> None:
    for path in ("a.csv?id=1&id=2", "a%2Fb.csv"):
        with pytest.raises(InvalidUri, match="repeats an option or holds an encoded slash"):
            drupe.data.load(f"{web.address}/{path}")
    assert web.seen == []
