"""Doing something as soon as a module is imported, by whoever imports it and whenever; nothing is imported for it.

A finder at the head of `sys.meta_path` stands there only while something is waited for. It lets the other finders find the module and has the
loader that they found tell when the module has been executed.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["cancel", "when_imported"]

Then = Callable[[ModuleType], None]

_waiting: dict[str, list[Then]] = {}
_own = threading.local()  # names that this thread is looking for through the other finders


def when_imported(name: str, then: Then) -> None:
    """Call `then` with the module of that name: now if it is imported, else when it has been. `then` must not raise."""
    module = sys.modules.get(name)
    if module is not None:
        then(module)
        return
    _waiting.setdefault(name, []).append(then)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def cancel(name: str, then: Then) -> None:
    """Wait no longer."""
    left = [other for other in _waiting.get(name, ()) if other != then]
    if left:
        _waiting[name] = left
    else:
        _waiting.pop(name, None)
    _leave_when_idle()


class _Finder:
    """Finds nothing itself: it looks through the other finders and has their loader call back."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that the other finders have for a module that is waited for; None for all others."""
        looking: set[str] = _own.__dict__.setdefault("looking", set())
        if name not in _waiting or name in looking:
            return None
        looking.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            looking.discard(name)
        if spec is not None and spec.loader is not None:
            _call_back(spec.loader, name)
        return spec


_finder: Any = _Finder()


def _call_back(loader: Any, name: str) -> None:
    execute = getattr(loader, "exec_module", None)
    if execute is None or isinstance(loader, type):  # a loader shared by all modules (built-in ones), or of a kind without this step
        return

    def exec_module(module: ModuleType) -> None:
        vars(loader).pop("exec_module", None)
        execute(module)
        for then in _waiting.pop(name, ()):
            then(module)
        _leave_when_idle()

    try:
        loader.exec_module = exec_module
    except AttributeError:  # a loader with slots: it cannot tell
        return


def _leave_when_idle() -> None:
    if not _waiting and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
