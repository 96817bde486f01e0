"""The contract of server routes: what a plugin answers on the tracking server beside MLflow's protocol, such as pages or a hook for chat.

A plugin gives routes below one path. The server checks hosts, origins, content types, sizes and the caller's rights before it calls one, runs
it in a thread, and makes one clear JSON answer of each error. The conformance kit is `drupe.testing.server_routes`.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

from attrs import field, frozen

from drupe.entities import Access
from drupe.errors import InvalidValue
from drupe.extend.artifact_repo import ArtifactRepo
from drupe.extend.registry_store import RegistryStore
from drupe.extend.tracking_store import TrackingStore
from drupe.uris import ArtifactPath

__all__ = ["Access", "ServedStore", "ServerRoutes", "WebReply", "WebRequest", "WebRoute"]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PART = re.compile(r"\{(\w+)(\.\.\.)?\}|[A-Za-z0-9._~-]+")


@frozen
class WebRequest:
    """What is asked. Everything in it is from outside and has only been decoded.

    `fields` are the parts of the path that the route names; `query` has the last value of each parameter of the address; names of `headers`
    are lower case; `base` is the path under which a browser sees the server, from `/` to `/`, such as `/tracking/`.
    """

    method: str
    fields: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, str] = field(factory=dict)
    headers: Mapping[str, str] = field(factory=dict)
    body: bytes = b""
    base: str = "/"

    def form(self) -> dict[str, Any]:
        """The body as a JSON object. Raises InvalidValue."""
        try:
            found = json.loads(self.body or b"{}")
        except (ValueError, RecursionError) as fault:
            raise InvalidValue(f"the body is not JSON: {fault}") from fault
        if not isinstance(found, dict):
            raise InvalidValue(f"the body must be a JSON object, not {type(found).__name__}")
        return found


@frozen
class WebReply:
    """An answer. `kind` is its Content-Type. Long bodies are compressed by the server unless `headers` say a Content-Encoding.

    `parts` are sent in place of a body that is too long to be held, each asked for when the one before is on its way; only routes that read may
    have some. What one of them raises ends the connection with the answer unfinished.
    """

    body: bytes = b""
    kind: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    parts: Iterator[bytes] | None = None

    @classmethod
    def of_form(cls, form: Any, *, status: int = 200) -> WebReply:
        """JSON of objects, lists, texts, finite numbers, booleans and None."""
        return cls(json.dumps(form, separators=(",", ":"), allow_nan=False).encode(), status=status)


@frozen
class WebRoute:
    """One request that is answered. `path` is relative to the plugin's own, without a slash at its ends.

    `{name}` in it stands for one part of an address, and `{name...}`, which must come last, for the rest, even an empty one. A route that reads
    is called in a thread beside others; one that writes or deletes is called alone, in a transaction with other writes. `answer` may raise any
    DrupeError, which the client is told; anything else is told to the server's log only.
    """

    method: str
    path: str
    answer: Callable[[WebRequest], WebReply]
    access: Access = Access.READ

    def faults(self) -> list[str]:
        """Everything wrong with this route, in words."""
        parts = [_PART.fullmatch(part) for part in self.path.split("/")] if self.path else []
        names = [part[1] for part in parts if part is not None and part[1]]
        checks = {
            f"method must be one of {', '.join(METHODS)}, got {self.method!r}": self.method in METHODS,
            f"path {self.path!r} must be words, {{names}} and a last {{name...}}, with single slashes between": all(parts),
            f"path {self.path!r} may have {{name...}} only at its end": not any(part is not None and part[2] for part in parts[:-1]),
            f"path {self.path!r} names a field twice": len(set(names)) == len(names),
            f"access must be an Access, got {self.access!r}": isinstance(self.access, Access),
            f"a route that is asked with {self.method} may not write": self.method != "GET" or self.access is Access.READ,
            f"answer must be a function, got {self.answer!r:.100}": callable(self.answer),
        }
        return [fault for fault, holds in checks.items() if not holds]


@frozen(eq=False)
class ServedStore:
    """The store behind the server. `address` may be shown to people; `version` is drupe's.

    `files(artifact_uri)` gives the repository that holds what an address of a run, model or version means, and the path inside it; it raises
    InvalidUri for addresses elsewhere. `tell(kind, **ids)` says to all listeners that something has changed, such as `tell("run", run_id=…)`.
    `left_out` tells, once the server listens, which sets of routes it does without: of each the path, the plugin and the reason.
    """

    tracking: TrackingStore
    registry: RegistryStore
    files: Callable[[str], tuple[ArtifactRepo, ArtifactPath]]
    tell: Callable[..., None]
    address: str = ""
    version: str = ""
    left_out: Callable[[], Sequence[tuple[str, str, str]]] = tuple


class ServerRoutes(ABC):
    """Routes below one path of a server. One instance serves one server process; `answer` functions are called from several threads."""

    @classmethod
    @abstractmethod
    def open(cls, store: ServedStore, settings: Any = None) -> Self:
        """Get ready to answer; `settings` is an instance of the offer's settings class. The server has not begun to listen.

        Whatever it raises leaves the server without these routes, and its log with the reason.
        """

    @abstractmethod
    def routes(self) -> Sequence[WebRoute]:
        """All routes, in the order in which they are tried. Called once, after `open`."""

    def close(self) -> None:
        """Let go of what was opened. The server answers no more."""
        return
