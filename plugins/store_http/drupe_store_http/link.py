"""The way to one server: connections that are kept, requests that are tried again, answers and errors as values.

A connection belongs to one thread of one process; a forked child makes its own. What a request means is in the rooms of the stores.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from weakref import WeakSet

import requests
import urllib3
from requests.exceptions import ChunkedEncodingError, ConnectTimeout, RequestException, SSLError
from urllib3.exceptions import InsecureRequestWarning, NameResolutionError, NewConnectionError

from drupe.errors import DrupeError, InvalidUri, InvalidValue, NotFound, StoreError, StoreUnavailable
from drupe.uris import Uri
from drupe.wire.faults import fault_from
from drupe.wire.routes import named
from drupe.wire.series import PackedSeries, unpack_series
from drupe.wire.shapes import Form, plain, read
from drupe_store_http.login import Login, login_for, with_environment
from drupe_store_http.settings import HttpSettings

__all__ = ["FAULTS", "Link", "known_link", "link_for"]

RETRIED = (408, 429, 502, 503, 504)
NOT_DONE = (429, 503)  # the server has not begun
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 5
PAUSE_S, PAUSE_MAX_S = 0.1, 5.0
FAULTS = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError)
"""What `requests` raises when a connection breaks."""

_IN_PATH = re.compile(r"\{(\w+)\}")

log = logging.getLogger("drupe.store.http")

_links: dict[tuple[str, str], Link] = {}
_lock = threading.Lock()


class Link:
    """One server. `base` is its address without credentials and without a slash at the end."""

    def __init__(self, base: str, login: Login, settings: HttpSettings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.base, self._login, self._settings, self._sleep = base, login, settings, sleep
        self._local = threading.local()
        self._sessions: WeakSet[requests.Session] = WeakSet()
        self._pid = os.getpid()
        if settings.insecure_tls:
            urllib3.disable_warnings(InsecureRequestWarning)
            log.warning("%s: the server's certificate is not checked (insecure_tls)", base)

    @property
    def host(self) -> str:
        """The server's host, with its port."""
        return urlsplit(self.base).netloc

    def close(self) -> None:
        """Let go of all connections; the next request makes new ones."""
        if self._pid == os.getpid():
            for session in list(self._sessions):
                session.close()

    def ask(
        self,
        name: str,
        request: Any,
        *,
        missing: type[NotFound] = NotFound,
        done: tuple[type[DrupeError], ...] = (),
        is_repeatable: bool = True,
        reply: type | None = None,
    ) -> Any:
        """Send the request of a route and read its reply.

        `missing` is raised where the server only says that something is not there. `done` are errors that, after a connection broke, say that an
        earlier try has done it already: None is returned then. What is not `is_repeatable` is sent once only. `reply` is what is read where a server
        answers otherwise than the route says. Raises DrupeError.
        """
        route = named(name)
        form = plain(request)
        headers: dict[str, str] = {}
        body = None
        path = _IN_PATH.sub(lambda field: quote(str(form[field[1]]), safe=""), route.path)
        url = f"{self.base}/api/{path}"
        if route.has_body:
            content = _json(form, name)
            body, headers = (lambda: content), {"Content-Type": "application/json"}
        elif form := {key: value for key, value in form.items() if f"{{{key}}}" not in route.path}:
            url = f"{url}?{_query(form)}"
        response, is_unsure = self.exchange(route.method, url, headers=headers, body=body, is_repeatable=is_repeatable)
        try:
            if route.reply is PackedSeries and response.status_code == 200:
                return unpack_series(response.content)
            return read(reply or route.reply, self._form_of(response, name))
        except done:
            if not is_unsure:
                raise
            return None
        except NotFound as fault:
            if type(fault) is not NotFound:
                raise
            raise missing(fault.message, **fault.details) from fault

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Callable[[], Any] | None = None,
        stream: bool = False,
        is_repeatable: bool = True,
        silence_s: float | None = None,
    ) -> tuple[requests.Response, bool]:
        """The answer, and whether an earlier try may have reached the server. Raises StoreError.

        `body` gives the content anew for each try; `silence_s` is how long the server may be silent where that is longer than usual.
        """
        began, is_unsure, pause = time.monotonic(), False, PAUSE_S
        while True:
            response = None
            try:
                response = self._once(method, url, dict(headers or {}), body, stream, is_repeatable, silence_s or 0)
                if response.status_code not in RETRIED:
                    return response, is_unsure
                is_begun = response.status_code not in NOT_DONE
                fault: StoreError = self._refusal(response, method, url)
                wait = _retry_after(response)
            except SSLError as broken:
                raise StoreUnavailable(f"{self.base}: no trusted connection: {_reason(broken)}", place=self.base) from broken
            except FAULTS as broken:
                is_begun = not _was_never_sent(broken)
                fault = StoreUnavailable(f"the server at {self.base} cannot be reached: {_reason(broken)}", place=self.base)
                wait = None
            except RequestException as broken:
                raise StoreError(f"{self.base} cannot be asked: {_reason(broken)}", place=self.base) from broken
            is_unsure = is_unsure or is_begun
            if is_begun and not is_repeatable:
                raise StoreUnavailable(
                    f"{fault.message}. Whether {urlsplit(url).path} was done is not known; look before asking again", place=self.base
                )
            wait = random.uniform(pause / 2, pause) if wait is None else wait
            if time.monotonic() - began + wait > self._settings.retry_s:
                raise fault
            self._sleep(wait)
            pause = min(2 * pause, PAUSE_MAX_S)

    def fault_of(self, response: requests.Response, what: str) -> DrupeError:
        """The error that an answer tells."""
        if response.status_code == 401:
            return StoreError(
                f"{what}: {self.base} wants to know who asks. Set DRUPE_TRACKING_USERNAME and DRUPE_TRACKING_PASSWORD, or "
                "DRUPE_TRACKING_TOKEN; those that are set are not accepted",
                status=401,
            )
        form = None
        with suppress(ValueError, RequestException):
            form = json.loads(response.content)
        return fault_from(response.status_code, form, what)

    # --- how

    def _form_of(self, response: requests.Response, name: str) -> Form:
        if response.status_code != 200:
            raise self.fault_of(response, name)
        try:
            form = json.loads(response.content or b"{}")
        except ValueError as fault:
            raise StoreError(f"{name}: {self.base} does not answer in JSON; is it a tracking server?", place=self.base) from fault
        if not isinstance(form, dict):
            raise StoreError(f"{name}: {self.base} answers with something that is no JSON object", place=self.base)
        return form

    def _refusal(self, response: requests.Response, method: str, url: str) -> StoreError:
        what = f"{method} {urlsplit(url).path}"
        told = self.fault_of(response, what)
        if isinstance(told, StoreError) and response.status_code not in (408, 429):
            return told
        return StoreUnavailable(f"{what}: the server at {self.base} answers {response.status_code}", place=self.base)

    def _once(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: Callable[[], Any] | None,
        stream: bool,
        is_repeatable: bool,
        silence_s: float,
    ) -> requests.Response:
        session = self._session() if is_repeatable else self._new_session()  # a kept connection may be dead without our knowing
        for _ in range(MOST_REDIRECTS):
            content = None if body is None else body()
            try:
                response = session.request(
                    method,
                    url,
                    data=content,
                    headers=headers,
                    stream=stream,
                    allow_redirects=False,
                    verify=session.verify,  # else REQUESTS_CA_BUNDLE would go before the settings
                    timeout=(self._settings.connect_timeout_s, max(self._settings.timeout_s, silence_s)),
                )
            finally:
                if content is not None and hasattr(content, "close"):
                    content.close()
            if response.status_code not in REDIRECTS or "location" not in response.headers:
                return response
            url = self._followed(url, response.headers["location"])
        raise StoreError(f"{self.base} sends clients around in circles", place=self.base)

    def _followed(self, url: str, location: str) -> str:
        target = urlsplit(urljoin(url, location))
        is_same = target.netloc == self.host and target.scheme == urlsplit(self.base).scheme
        is_safer = target.hostname == urlsplit(self.base).hostname and target.scheme == "https"
        is_allowed = target.netloc in self._settings.allowed_hosts and target.scheme in ("http", "https")
        if "@" in target.netloc or not (is_same or is_safer or is_allowed):
            raise StoreError(
                f"{self.base} sends us on to {target.scheme}://{target.netloc.rpartition('@')[2]}, which is not followed, since credentials would go "
                "there too. If it is meant, add it to allowed_hosts in [plugins.store-http]",
                place=self.base,
            )
        return target.geturl()

    def _session(self) -> requests.Session:
        pid, session = getattr(self._local, "kept", (0, None))
        if session is None or pid != os.getpid():
            session = self._new_session()
            self._local.kept = (os.getpid(), session)
            if self._pid != os.getpid():
                self._pid, self._sessions = os.getpid(), WeakSet()
            self._sessions.add(session)
        return session

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.auth = self._login
        session.verify = False if self._settings.insecure_tls else (self._settings.server_cert or True)
        session.cert = self._settings.client_cert
        session.headers["User-Agent"] = "drupe"
        session.headers["Accept-Encoding"] = "gzip, identity"
        return session


def link_for(uri: Uri, settings: HttpSettings | None) -> Link:
    """The link to the server at an address; shared by all that name the same one with the same credentials. Raises InvalidUri."""
    if uri.scheme not in ("http", "https") or not uri.host:
        raise InvalidUri(f"{uri.scheme}://{uri.host} names no server; the form is http://host:port")
    base = f"{uri.scheme}://{uri.host}{quote(uri.path.rstrip('/'))}"
    chosen = with_environment(settings or HttpSettings())
    login = login_for(uri, chosen)
    with _lock:
        link = _links.pop((base, login.header), None)
        if link is None or link._settings != chosen:
            link = Link(base, login, chosen)
        _links[base, login.header] = link  # the one used last is the last
        return link


def known_link(host: str | None = None) -> Link | None:
    """The link that was asked for last, to that host if one is given."""
    with _lock:
        return next((link for link in reversed(_links.values()) if host in (None, link.host)), None)


def _json(form: Form, name: str) -> bytes:
    try:
        return json.dumps(form, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as fault:
        raise InvalidValue(f"{name}: a value is not of its kind: {fault}") from fault


def _query(form: Form) -> str:
    pairs = [(name, one) for name, value in form.items() for one in (value if isinstance(value, list) else [value])]
    return "&".join(f"{quote(name, safe='')}={quote(_text(value), safe='')}" for name, value in pairs)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def _was_never_sent(fault: BaseException) -> bool:
    inner = getattr(fault.args[0], "reason", None) if fault.args else None
    return isinstance(fault, ConnectTimeout) or isinstance(inner, NewConnectionError | NameResolutionError)


def _reason(fault: BaseException) -> str:
    """Why, in a few words: what `requests` says holds addresses of objects and the whole request."""
    inner: Any = fault
    while True:
        deeper = getattr(inner, "reason", None) or inner.__cause__ or (inner.args[0] if inner.args else None)
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    said = str(inner.args[-1] if inner.args else inner).rpartition(": ")[2]
    return said[:200] or type(inner).__name__


def _in_child() -> None:
    global _lock
    _lock = threading.Lock()  # a thread that held it does not exist in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
