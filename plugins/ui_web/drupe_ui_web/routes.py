"""All routes of the web UI: its page and files, and what the page asks that MLflow's protocol has no words for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from attrs import evolve

from drupe.extend import ServedStore, ServerRoutes, WebReply, WebRequest, WebRoute
from drupe_asgi.errors import NoSuchRoute
from drupe_ui_web.building import BUILT
from drupe_ui_web.charting import Charting
from drupe_ui_web.comparing import Comparing
from drupe_ui_web.completing import Completing
from drupe_ui_web.differences import Differences
from drupe_ui_web.experiments import Experiments
from drupe_ui_web.exporting import Exporting
from drupe_ui_web.extensions import Extensions
from drupe_ui_web.files import FilePages
from drupe_ui_web.installation import Installation
from drupe_ui_web.lineage import LineagePage
from drupe_ui_web.model_page import ModelPage
from drupe_ui_web.needed import GROUPS
from drupe_ui_web.pages import Pages
from drupe_ui_web.picking import KeysOfRuns
from drupe_ui_web.preview import TablePreview
from drupe_ui_web.relations import Relations
from drupe_ui_web.run_log import RunLog
from drupe_ui_web.run_page import RunPage
from drupe_ui_web.storage import Storage
from drupe_ui_web.table import RunsTable

__all__ = ["UiRoutes"]

API = "api/drupe/ui"
PAGES = frozenset(GROUPS)
"""First parts of the addresses of pages."""

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""Stands in an address for what is no text."""

ROOMS = (
    Charting,
    Comparing,
    Experiments,
    Exporting,
    FilePages,
    TablePreview,
    RunPage,
    RunLog,
    ModelPage,
    LineagePage,
    Differences,
    Relations,
    Installation,
    Extensions,
)
"""What the page asks, by subject: each is made of the store and gives its routes below a path."""


class UiRoutes(ServerRoutes):
    """The web UI on one server."""

    def __init__(self, store: ServedStore) -> None:
        self._pages = Pages(BUILT)
        self._store = store
        self._storage = Storage(store)

    @classmethod
    def open(cls, store: ServedStore, settings: Any = None) -> Self:
        """See `ServerRoutes.open`."""
        return cls(store)

    def routes(self) -> Sequence[WebRoute]:
        """See `ServerRoutes.routes`."""
        keys = KeysOfRuns(self._store.tracking)
        return [
            WebRoute("GET", "assets/{name}", self._pages.file),
            *(route for room in ROOMS for route in room(self._store).routes(API)),
            *self._storage.routes(API),
            *RunsTable(self._store, keys).routes(API),
            *Completing(self._store, keys).routes(API),
            WebRoute("GET", "{page...}", self._page),
        ]

    def close(self) -> None:
        """See `ServerRoutes.close`."""
        self._storage.close()

    def _page(self, request: WebRequest) -> WebReply:
        """A page; for an address that is none, an error for programs, and a page that says so for people."""
        asked = request.fields["page"]
        if asked.partition("/")[0] in PAGES and not asked.startswith("/") and UNREADABLE not in asked:
            return self._pages.page(request)
        if "text/html" in request.headers.get("accept", ""):
            return evolve(self._pages.page(request), status=404)
        raise NoSuchRoute(f"nothing is served under /{asked[:200]}")
