"""Who may ask: hosts, origins, content types, and the one policy that every route passes.

A page in the user's own browser can reach a server on their machine, under a name that an attacker has led there. So the Host must be one of
ours, a write must not come from a foreign page, and it must have a content type that pages cannot send without being asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import ClassVar

from drupe.entities import Access
from drupe.errors import DrupeError, InvalidValue
from drupe_asgi.exchange import SAFE_METHODS

__all__ = ["Forbidden", "Gate", "Policy", "bare_host", "check_is_json", "check_told_once", "is_any", "is_loopback"]

OWN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:\[([0-9a-f:.%]+)\]|([^:\[\]]*))(?::[0-9]*)?")
UNGUARDED = frozenset({"/health", "/version"})  # for load balancers, which call a server by its address

TOLD_ONCE = frozenset({b"host", b"origin", b"content-type", b"content-length", b"content-encoding", b"range"})


class Forbidden(DrupeError):
    """The server does not answer this caller."""

    code: ClassVar[str] = "DRP-0700"
    error_code: ClassVar[str] = "PERMISSION_DENIED"
    http_status: ClassVar[int] = 403


class Policy:
    """Decides about every request on a route. Until there are accounts, everybody whom the gate lets in may do everything."""

    def check(self, route: str, access: Access) -> None:
        """Return if the caller may do this on the route of that name. Raises Forbidden."""


class Gate:
    """The checks before anything of a request is looked at."""

    def __init__(
        self,
        host: str,
        *,
        hosts: Iterable[str] = (),
        origins: Iterable[str] = (),
        command: str = "drupe server",
        unguarded: Iterable[str] = UNGUARDED,
    ) -> None:
        self._command, self._unguarded = command, frozenset(unguarded)
        self._hosts = {*OWN_HOSTS, *(name.lower() for name in hosts)} | ({host.lower()} if not is_any(host) else set())
        self._origins = {origin.lower().rstrip("/") for origin in origins}

    def check(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> None:
        """Raises Forbidden."""
        if path not in self._unguarded and "*" not in self._hosts:
            host = headers.get(b"host", b"").decode("latin-1").lower()
            if bare_host(host) not in self._hosts:
                raise Forbidden(
                    f"this server does not answer to the name {host[:100]!r}; allow it with: {self._command} --allowed-host {bare_host(host)[:100]}"
                )
        if method in SAFE_METHODS:
            return
        origin = headers.get(b"origin")
        if origin is not None and not self._is_ours(origin.decode("latin-1").lower(), headers.get(b"host", b"").decode("latin-1").lower()):
            raise Forbidden(
                f"pages of {origin.decode('latin-1')[:100]!r} may not write here; allow them with: {self._command} --allowed-origin"
            )

    def _is_ours(self, origin: str, host: str) -> bool:
        return origin in self._origins or "*" in self._origins or origin.partition("://")[2] == host


def check_told_once(headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Raises InvalidValue where a header that decides something is there twice: who stands in front may have looked at the other one."""
    told = [name for name, _ in headers if name in TOLD_ONCE]
    if len(set(told)) < len(told):
        raise InvalidValue(
            f"a header is there twice that may be there once: {', '.join(sorted({n.decode() for n in told if told.count(n) > 1}))}"
        )


def check_is_json(headers: Mapping[bytes, bytes], what: str) -> None:
    """Raises InvalidValue unless the body is said to be JSON."""
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise InvalidValue(f"{what}: the Content-Type must be application/json, not {kind.decode('latin-1')[:60]!r}")


def bare_host(host: str) -> str:
    """A host without its port, and without brackets; one that has anything else about it is left as it is."""
    found = _HOST.fullmatch(host)
    return host if found is None else found[1] or found[2]


def is_any(host: str) -> bool:
    """True for addresses that mean all of a machine's."""
    return host in ("", "0.0.0.0", "::")


def is_loopback(host: str) -> bool:
    """True when only this machine can reach that address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
