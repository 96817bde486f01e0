"""The first rows of the data that a library's own data set was made of: it keeps them in a form from which no signature can be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from drupe.extend import Patches
from drupe_flavor_sklearn.autolog.arguments import first_rows, row_count

__all__ = ["FirstRows"]

ROWS = 100
"""Enough to see types, and most often whether values are missing, and little enough to keep beside every data set."""


class FirstRows:
    """A copy of the first rows for each data set that is made while autologging is on."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    def watch(self, patches: Patches, kind: type) -> None:
        """Take note of the first argument, `data`, of each data set of this class."""

        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def created(made: Any, *args: Any, **kwargs: Any) -> None:
                original(made, *args, **kwargs)
                data = args[0] if args else kwargs.get("data")
                patches.attempt("the first rows of a data set", lambda: self._keep(made, data))

            return created

        patches.replaces(kind, "__init__", make)

    def of(self, made: Any) -> Any:
        """The rows, or None when they are not known: the data set was made before, or of a file."""
        try:
            return self._kept.get(made)
        except TypeError:  # what was given is no data set of the library
            return None

    def _keep(self, made: Any, data: Any) -> None:
        if data is not None and row_count(data) is not None and (hasattr(data, "iloc") or hasattr(data, "ndim")):
            self._kept[made] = first_rows(data, ROWS)
