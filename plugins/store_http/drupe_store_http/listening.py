"""Listening to what changes on drupe's server: its stream of changes, for as long as the connection stands."""

from __future__ import annotations

from collections.abc import Iterator

import requests

from drupe.errors import StoreUnavailable, UnsupportedFeature
from drupe.extend import Feature
from drupe.wire.changes import ADDRESS, changes_in
from drupe_store_http.link import FAULTS, Link

__all__ = ["changes_on"]

SILENCE_S = 40.0
"""A server that has said nothing for so long is gone; it says every 15 s that it is there."""


def changes_on(link: Link) -> Iterator[dict[str, str] | None]:
    """See `TrackingStore.changes`."""
    response, _ = link.exchange("GET", f"{link.base}/{ADDRESS}", headers={"Accept": "text/event-stream"}, stream=True, silence_s=SILENCE_S)
    if response.status_code != 200:
        with response:
            raise link.fault_of(response, "changes")
    is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
    if not is_stream or not getattr(response.raw, "chunked", False):  # else a piece comes only when its buffer is full
        response.close()
        raise UnsupportedFeature(f"{link.base} does not tell what changes, or a proxy keeps it back", feature=Feature.CHANGES.name)
    told = changes_in(_pieces(response, link))
    for _ in told:  # the first word of the server says that it has begun to listen
        return told
    raise StoreUnavailable(f"the server at {link.base} told nothing of changes", place=link.base)


def _pieces(response: requests.Response, link: Link) -> Iterator[bytes]:
    try:
        yield from response.iter_content(None)  # each as it comes
    except FAULTS as broken:
        raise StoreUnavailable(f"the server at {link.base} tells no more of changes", place=link.base) from broken
    finally:
        response.close()
