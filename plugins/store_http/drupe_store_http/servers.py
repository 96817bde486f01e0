"""Which server is at the other end, and what it can do: drupe's own, or MLflow's of some release."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from attrs import frozen

from drupe.errors import StoreError, UnsupportedFeature
from drupe.wire.routes import named
from drupe_store_http.link import Link

__all__ = ["Server", "is_own", "server_at"]

_RELEASE = re.compile(r"(\d+)\.(\d+)")
_JSON = {"Content-Type": "application/json"}


@frozen
class Server:
    """What answers at an address. `release` is of MLflow, whatever is said after the second number; `has_logged_models` was tried."""

    is_own: bool = False
    release: tuple[int, int] = (2, 0)
    has_logged_models: bool = False

    @property
    def has_nullness(self) -> bool:
        """True when filters may say IS NULL; the same releases compare names with lists and experiments by id."""
        return self.release >= (3, 17)

    @property
    def has_history_pages(self) -> bool:
        """True when long series come page by page."""
        return self.release >= (3, 0)


def is_own(link: Link) -> bool:
    """Whether drupe answers. Raises as `server_at`."""
    return "drupe_version" in _info(link)


def server_at(link: Link) -> Server:
    """Ask who answers. Raises StoreUnavailable; StoreError when it wants a login or has a fault; UnsupportedFeature for no tracking server."""
    told = _info(link)
    if "drupe_version" in told:
        return Server(is_own=True, has_logged_models=True)
    if not _answers(link, "POST experiments/search", {"max_results": 1}):
        raise UnsupportedFeature(
            f"{link.base} is no tracking server: neither drupe's nor one that speaks MLflow's protocol. Start one with: drupe server"
        )
    has_models = _answers(link, "POST logged-models/search", {"experiment_ids": ["0"], "max_results": 1})
    return Server(release=_release(link) or ((3, 0) if has_models else (2, 0)), has_logged_models=has_models)


def _info(link: Link) -> dict[str, Any]:
    response, _ = link.exchange("GET", f"{link.base}/api/3.0/mlflow/server-info")
    if response.status_code in (401, 403):
        raise link.fault_of(response, "server-info")
    if response.status_code >= 500:
        raise StoreError(f"{link.base} answers {response.status_code} when asked what it is", place=link.base)
    form = None
    if response.status_code == 200:
        with suppress(ValueError):
            form = json.loads(response.content)
    return form if isinstance(form, dict) else {}


def _answers(link: Link, name: str, form: dict[str, Any]) -> bool:
    """Whether the server answers this search with a JSON object."""
    content = json.dumps(form).encode()
    response, _ = link.exchange("POST", f"{link.base}/api/{named(name).path}", headers=_JSON, body=lambda: content)
    if response.status_code in (401, 403):
        raise link.fault_of(response, name)
    with suppress(ValueError):
        return response.status_code == 200 and isinstance(json.loads(response.content), dict)
    return False


def _release(link: Link) -> tuple[int, int] | None:
    response, _ = link.exchange("GET", f"{link.base}/version")
    found = _RELEASE.match(response.text.strip()) if response.status_code == 200 else None
    return (int(found[1]), int(found[2])) if found else None
