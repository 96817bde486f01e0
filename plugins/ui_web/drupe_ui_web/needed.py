"""Which of the built files an address needs, told in the page itself: the browser then loads them together, not one step after the other.

Only a hint: a page without it, or with a wrong one, loads what it needs by itself.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["GROUPS", "Needed"]

GROUPS = {
    "": "experiments",
    "experiments": "runs",
    "runs": "run",
    "compare": "compare",
    "models": "models",
    "logged-models": "models",
    "plugins": "about",
    "system": "about",
}
"""The groups of files, as `frontend/vite.config.ts` names them, of the first parts of addresses, as `frontend/src/app/pages.ts` has them."""

CHARTS = ("charts", "plot")
ENTRY = "index"


class Needed:
    """What the manifest of a build says of its groups."""

    def __init__(self, manifest: Path) -> None:
        told: Mapping[str, dict[str, Any]] = json.loads(manifest.read_text(encoding="utf-8"))
        self._chunks = told
        self._keys = {chunk["name"]: key for key, chunk in told.items() if "name" in chunk}

    def links(self, path: str, tab: str = "") -> str:
        """Links for the head of the page at this path below the UI's; `tab` is the one that the address names."""
        first, _, rest = path.partition("/")
        group = GROUPS.get("" if first == "experiments" and not rest else first)
        if group is None:
            return ""
        names = (group, *CHARTS) if tab == CHARTS[0] else (group,)
        files = dict.fromkeys(file for name in names if name in self._keys for file in self._files(self._keys[name], set()))
        return "".join(_link(file) for file in files)

    def _files(self, key: str, seen: set[str]) -> Iterator[str]:
        chunk = self._chunks[key]
        if key in seen or chunk.get("name") == ENTRY:  # the page names that one already
            return
        seen.add(key)
        yield chunk["file"]
        yield from chunk.get("css", ())
        for other in chunk.get("imports", ()):
            yield from self._files(other, seen)


def _link(file: str) -> str:
    kind = "stylesheet" if file.endswith(".css") else "modulepreload"
    return f'<link rel="{kind}" crossorigin href="./{html.escape(file)}">'
