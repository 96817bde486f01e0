"""Import on first use: "module:attr" strings to objects, with a hint when a library is missing.

One of the three lazy doors of the house (with the porch in `drupe/__init__.py` and the CLI's LazyGroup).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from drupe.errors import MissingRequirement

__all__ = ["load", "need"]


def load(target: str) -> Any:
    """Import `module:attr.attr` (or a bare `module`) and return it; ImportError passes through."""
    module_name, _, path = target.partition(":")
    with _no_collections():
        found: Any = import_module(module_name)
    for part in path.split(".") if path else ():
        found = getattr(found, part)
    return found


def need(module: str, *, to: str, install: str | None = None) -> Any:
    """Import a library that only this call needs.

    `to` completes the sentence "pandas is needed to …"; `install` is the distribution's name when it differs
    from the module's. Raises MissingRequirement that says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as fault:
        top = module.partition(".")[0]
        if fault.name is None or fault.name.partition(".")[0] != top:
            raise  # the library is there; something inside it is missing
        package = install or top
        raise MissingRequirement(f"{top} is needed to {to}, and it is not installed: pip install {package}", package=package) from fault


@contextmanager
def _no_collections() -> Iterator[None]:
    """No garbage collections: what a large import makes stays anyway, and looking through it again and again is a sixth of its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
