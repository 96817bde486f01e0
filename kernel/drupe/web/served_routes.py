"""Routes that plugins offer, opened one by one, so that a broken plugin is a line in a report and never a server that does not start."""

from __future__ import annotations

from attrs import frozen

from drupe.errors import PluginUnusable
from drupe.extend import ServedStore, ServerRoutes
from drupe.loading import Entry, catalog
from drupe.settings import settings
from drupe.web.unusable import Unusable, in_words

__all__ = ["Added", "server_routes"]

HOOK = "drupe_server_routes"


@frozen(eq=False)
class Added:
    """The routes that a plugin adds below `path`."""

    path: str
    plugin: str
    routes: ServerRoutes


def server_routes(store: ServedStore) -> tuple[list[Added], list[Unusable]]:
    """All sets of routes that are installed, opened on a store, those with the longest path first; and those that cannot be."""
    found: list[Added] = []
    unusable: list[Unusable] = []
    for entry in catalog().offers(HOOK):
        for path in entry.offer.keys:
            try:
                found.append(Added(path, entry.plugin, _opened(entry, path, store)))
            except Exception as fault:  # the plugin's own code is run to open it
                unusable.append(Unusable(path, entry.plugin, in_words(fault)))
    return sorted(found, key=lambda added: -len(added.path)), unusable


def _opened(entry: Entry, path: str, store: ServedStore) -> ServerRoutes:
    if not path.startswith("/") or (path != "/" and path.endswith("/")) or "//" in path:
        raise PluginUnusable(
            f"the path {path!r} must begin with a slash, end without one and have single ones between", plugin=entry.plugin
        )
    catalog().find(HOOK, path)  # raises where two plugins offer it
    implementation: type[ServerRoutes] = entry.load()
    return implementation.open(store, entry.options(settings(), query={}, given={}))
