"""The n-th call into the system that writes, syncs or takes space fails: `faults.c`, preloaded into the interpreter."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["arm", "be_preloaded", "is_preloaded", "seen"]

SOURCE = Path(__file__).with_name("faults.c")
CODES = (errno.ENOSPC, errno.EIO)
MARK = "DRUPE_TORTURE_PRELOADED"


def be_preloaded() -> None:
    """Start this program over with the faults preloaded; where there is no C compiler, go on without."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if MARK in os.environ or compiler is None or not sys.platform.startswith("linux"):
        return
    library = Path(tempfile.mkdtemp(prefix="drupe-torture-faults-")) / "faults.so"
    built = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], capture_output=True, text=True, check=False
    )
    if built.returncode:
        print(f"the faults cannot be built: {built.stderr}")
        return
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, MARK: str(library), "LD_PRELOAD": str(library)})


def is_preloaded() -> bool:
    """True when calls can be made to fail."""
    return MARK in os.environ


def arm(at: int, code: int = errno.ENOSPC, *, is_sticky: bool = False) -> None:
    """Let the `at`-th call from now on fail with this code, with `is_sticky` all after it too; 0 for none."""
    _function("torture_arm", None, ctypes.c_long, ctypes.c_int, ctypes.c_int)(at, code, is_sticky)


def seen() -> int:
    """How many calls there were since the last `arm`."""
    return int(_function("torture_seen", ctypes.c_long)())


def _function(name: str, result: type | None, *arguments: type) -> Callable[..., int]:
    found = getattr(ctypes.CDLL(None), name)
    found.restype, found.argtypes = result, list(arguments)
    return found  # type: ignore[no-any-return]
