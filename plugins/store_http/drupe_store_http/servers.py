"""Which server is at the other end: drupe's own says so; others are not spoken to yet."""

from __future__ import annotations

import json
from contextlib import suppress

from drupe.errors import StoreError, UnsupportedFeature
from drupe_store_http.link import Link

__all__ = ["check_server"]


def check_server(link: Link) -> None:
    """Raises StoreUnavailable; StoreError when it wants a login or has a fault; UnsupportedFeature when it is not drupe's server."""
    response, _ = link.exchange("GET", f"{link.base}/api/3.0/mlflow/server-info")
    if response.status_code in (401, 403):
        raise link.fault_of(response, "server-info")
    if response.status_code >= 500:
        raise StoreError(f"{link.base} answers {response.status_code} when asked what it is", place=link.base)
    if response.status_code == 200:
        with suppress(ValueError, TypeError):
            if "drupe_version" in json.loads(response.content):
                return
    raise UnsupportedFeature(f"{link.base} is no drupe server; an MLflow server cannot be logged to yet. Start one with: drupe server")
