"""Retries, redirects and credentials, against a small real HTTP server that says what the test tells it to."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from drupe.errors import StoreError, StoreUnavailable
from drupe.uris import Uri
from drupe_store_http.link import Link
from drupe_store_http.login import Login, login_for, with_environment
from drupe_store_http.settings import HttpSettings

Answer = tuple[int, dict[str, str]]


class Told:
    """Answers in order, the last one again and again; `seen` are the requests."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [(200, {})]
        self.seen: list[dict[str, str]] = []
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.seen.append(dict(self.headers))
                status, headers = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
                self.send_response(status)
                for name, text in {**headers, "Content-Length": "0"}.items():
                    self.send_header(name, text)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture
def link(told: Told) -> Iterator[Link]:
    made = Link(told.url, Login(), HttpSettings(retry_s=2), sleep=lambda _: None)
    yield made
    made.close()


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_a_fault_that_passes_is_tried_again(told: Told, link: Link, status: int) -> None:
    told.answers = [(status, {}), (200, {})]
    assert link.exchange("GET", told.url)[0].status_code == 200
    assert len(told.seen) == 2


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_fault_that_stays_is_not_tried_again(told: Told, link: Link, status: int) -> None:
    told.answers = [(status, {})]
    assert link.exchange("GET", told.url)[0].status_code == status
    assert len(told.seen) == 1


def test_the_wait_that_the_server_asks_for_is_kept(told: Told) -> None:
    told.answers = [(503, {"Retry-After": "1"}), (200, {})]
    waits: list[float] = []
    Link(told.url, Login(), HttpSettings(), sleep=waits.append).exchange("GET", told.url)
    assert waits == [1.0]


def test_a_wait_beyond_the_limit_is_an_unavailable_store(told: Told, link: Link) -> None:
    told.answers = [(503, {"Retry-After": "3600"})]
    with pytest.raises(StoreUnavailable):
        link.exchange("GET", told.url)
    assert len(told.seen) == 1


def test_what_may_not_be_repeated_is_sent_once_when_its_outcome_is_unknown(told: Told, link: Link) -> None:
    told.answers = [(504, {}), (200, {})]
    with pytest.raises(StoreUnavailable, match="not known"):
        link.exchange("GET", told.url, is_repeatable=False)
    assert len(told.seen) == 1


def test_another_host_is_not_followed(told: Told, link: Link) -> None:
    told.answers = [(307, {"Location": "http://127.0.0.1:9/elsewhere"})]
    with pytest.raises(StoreError, match="not followed"):
        link.exchange("GET", told.url)


@pytest.mark.parametrize(
    ("address", "settings", "environ", "header"),
    [
        ("http://ada:p%40ss@host", HttpSettings(token="t"), {}, "Basic " + base64.b64encode(b"ada:p@ss").decode()),
        ("http://host", HttpSettings(token="t"), {"DRUPE_TRACKING_TOKEN": "e"}, "Bearer t"),
        ("http://host", HttpSettings(), {"MLFLOW_TRACKING_TOKEN": "e"}, "Bearer e"),
        (
            "http://host",
            HttpSettings(),
            {"MLFLOW_TRACKING_USERNAME": "bob", "DRUPE_TRACKING_PASSWORD": "x"},
            "Basic " + base64.b64encode(b"bob:x").decode(),
        ),
        ("http://host", HttpSettings(), {}, ""),
    ],
)
def test_credentials_come_from_the_address_the_settings_or_the_environment(
    address: str, settings: HttpSettings, environ: dict[str, str], header: str
) -> None:
    assert login_for(Uri.parse(address, user_info=True), settings, environ).header == header


def test_credentials_are_sent_and_shown_nowhere(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    login = login_for(Uri.parse("http://ada:secret@host", user_info=True), HttpSettings(), {})
    link = Link(told.url, login, HttpSettings(retry_s=0.01))
    told.answers = [(503, {})]
    with pytest.raises(StoreUnavailable) as raised:
        link.exchange("GET", told.url)
    assert told.seen[0]["Authorization"] == "Basic " + base64.b64encode(b"ada:secret").decode()
    link.close()
    assert "secret" not in f"{raised.value}{raised.value.details}{login}{caplog.text}"


def test_a_certificate_comes_from_the_environment() -> None:
    found = with_environment(HttpSettings(), {"MLFLOW_TRACKING_SERVER_CERT_PATH": "/ca.pem", "DRUPE_TRACKING_CLIENT_CERT_PATH": "/me.pem"})
    assert (found.insecure_tls, found.server_cert, found.client_cert) == (False, "/ca.pem", "/me.pem")
