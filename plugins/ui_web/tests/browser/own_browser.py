"""Debian's Chromium, installed where it is missing and may be: never another browser, and never one that Playwright would fetch."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache

__all__ = ["ARGUMENTS", "NoBrowser", "chromium"]

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PACKAGES = ("chromium", "fonts-liberation")
PATIENCE = "DPkg::Lock::Timeout=200"  # another worker may be installing something else


class NoBrowser(Exception):
    """There is no browser here, and what would help."""


@lru_cache(maxsize=1)
def chromium() -> str:
    """The path of Chromium. Raises NoBrowser."""
    found = shutil.which("chromium")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", *PACKAGES]):
            subprocess.run(["apt-get", "-o", PATIENCE, *command], env=environ, capture_output=True, check=False, timeout=280)
        found = shutil.which("chromium")
    if found is None:
        raise NoBrowser(f"Chromium is not installed here, and could not be: apt-get install --no-install-recommends {' '.join(PACKAGES)}")
    return found
