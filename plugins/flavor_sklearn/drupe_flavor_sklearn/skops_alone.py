"""skops, imported without PyTorch, CuPy and Dask.

skops asks scikit-learn for all its estimators, and scikit-learn looks for them by importing all its packages, of which some only wrap the
arrays of another library. Where PyTorch is installed, that took as long as everything else that loading a model imports.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

__all__ = ["skops"]

_WRAPPERS = tuple(f"sklearn.externals.array_api_compat.{library}" for library in ("torch", "cupy", "dask"))


def _imported() -> Any:
    kept_out = [name for name in _WRAPPERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(kept_out))  # type: ignore[arg-type]  # None: importing it fails, which the search passes over
    try:
        import_module("skops.io.exceptions")
        return sys.modules["skops"]
    finally:
        for name in kept_out:
            sys.modules.pop(name, None)


skops = _imported()
