"""Where a server may send this client: onwards over HTTP, never from HTTPS to plain HTTP, never from elsewhere into a private network.

Who names an address himself may name a private one; a server on the web may not name it for him.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urljoin, urlsplit

__all__ = ["followed", "is_private", "resolve"]


def resolve(host: str) -> list[str]:
    """The addresses of a host name."""
    return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})


def followed(url: str, location: str, *, addresses: Callable[[str], list[str]] = resolve) -> str | None:
    """The address that a redirect from `url` leads to, or None where it may not be followed."""
    target = urljoin(url, location)
    here, there = urlsplit(url), urlsplit(target)
    if there.scheme not in ("http", "https") or not there.hostname or (here.scheme == "https" and there.scheme == "http"):
        return None
    if there.hostname == here.hostname:
        return target
    try:
        found = addresses(there.hostname)
    except OSError:
        return None
    return None if any(map(is_private, found)) else target


def is_private(address: str) -> bool:
    """True for what the internet does not route: private, loopback, link-local, shared, and IPv4 of these kinds written as IPv6."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return not inner.is_global
    return not found.is_global or found.is_multicast
