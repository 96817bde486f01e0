"""What each route does: `HANDLERS` maps a route's name to the function that answers it.

A handler takes the opened services and a request, and returns a reply; it runs in a thread. Those of routes that write run inside the
group commit, all or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from drupe_server_rest.handlers import experiments, logged_models, metrics, own, registry, runs
from drupe_server_rest.services import Services

__all__ = ["HANDLERS", "Handler"]

Handler = Callable[[Services, Any], Any]

HANDLERS: Mapping[str, Any] = {
    **experiments.HANDLERS,
    **runs.HANDLERS,
    **metrics.HANDLERS,
    **registry.HANDLERS,
    **logged_models.HANDLERS,
    **own.HANDLERS,
}
