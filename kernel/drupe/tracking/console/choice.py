"""Whether this process's output is captured: by default in scripts, not in notebooks, interactive shells and under pytest.

Setting `capture_console`: `auto`, or a plain yes or no for all of them.
"""

from __future__ import annotations

import os
import sys

from drupe.settings import settings
from drupe.tracking.context import run_context

__all__ = ["is_wanted"]


def is_wanted() -> bool:
    """True when runs of this process shall keep what it prints."""
    chosen = settings().get("capture_console")
    if not hasattr(os, "fork") or not _has_interpreter():
        return False
    return _is_script() if chosen == "auto" else bool(chosen)


def _is_script() -> bool:
    if hasattr(sys, "ps1") or sys.flags.interactive or "PYTEST_CURRENT_TEST" in os.environ or "pytest" in sys.modules:
        return False
    return not (run_context().is_notebook or "ipykernel" in sys.modules)


def _has_interpreter() -> bool:
    """True where `sys.executable` is a Python that the witness can be started with: in a frozen or embedding program it is that program."""
    name = os.path.basename(sys.executable or "").lower()
    return not hasattr(sys, "frozen") and ("python" in name or "pypy" in name)
