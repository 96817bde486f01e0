"""Plugins: found, checked, isolated and indexed. `catalog()` is the process's own Catalog.

A plugin's author needs `drupe.extend` and nothing from here. What a plugin does wrong is a value in the catalog, see `Plugin.state`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from threading import RLock

from drupe.errors import PluginUnusable
from drupe.loading.calls import Call
from drupe.loading.entry import Entry
from drupe.loading.lookup import Catalog
from drupe.loading.plugin import Plugin, State
from drupe.settings import settings

__all__ = ["Catalog", "Entry", "Plugin", "State", "catalog", "reset"]

_current: Catalog | None = None
_is_building = False
_listener: Callable[[Call], None] | None = None
_lock = RLock()


def catalog() -> Catalog:
    """The catalog of this process, built at the first call.

    Raises InvalidSettings when drupe.toml cannot be read; PluginUnusable when settings are strict, or to a plugin that asks while it
    is being loaded itself.
    """
    global _current, _is_building
    if _current is not None:
        return _current
    with _lock:
        if _is_building:
            raise PluginUnusable("a front door may not use the catalog while it is being built; do that when the offer is loaded")
        if _current is None:
            _is_building = True
            try:
                _current = Catalog.build(settings(), listener=_listener)
            finally:
                _is_building = False
        return _current


def reset(listener: Callable[[Call], None] | None = None) -> None:
    """Forget the catalog, so that the next `catalog()` looks at what is installed again; for tests and for commands that change it.

    `listener` is told of every call to a plugin from then on.
    """
    global _current, _listener
    with _lock:
        _current, _listener = None, listener


def _in_child() -> None:
    global _lock, _is_building
    _lock, _is_building = RLock(), False  # the thread that held it does not exist in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
