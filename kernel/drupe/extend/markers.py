"""The pluggy markers of the one project name, `drupe`."""

from __future__ import annotations

from pluggy import HookimplMarker, HookspecMarker

__all__ = ["PROJECT", "hookimpl", "hookspec"]

PROJECT = "drupe"
hookimpl = HookimplMarker(PROJECT)
hookspec = HookspecMarker(PROJECT)
