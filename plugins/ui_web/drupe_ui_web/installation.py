"""What is installed and how the server is doing, for the pages `plugins` and `system`. Nothing secret is told: addresses are redacted."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import asdict

from drupe.entities import ViewType
from drupe.errors import DrupeError
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.search import Kind, parse
from drupe.tracking.journal.places import journals_root
from drupe.tracking.sync import waiting_in
from drupe.uris import redact
from drupe.web import installed_plugins
from drupe_ui_web.extensions import extensions_left_out
from drupe_ui_web.replies import json_reply

__all__ = ["Installation"]

WAITING_MAX = 200


class Installation:
    """The routes about the installation. `started` is when this process began to serve."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store
        self._started_ms = time.time_ns() // 1_000_000
        self._started_s = time.monotonic()

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [WebRoute("GET", f"{root}/plugins", self.plugins), WebRoute("GET", f"{root}/system", self.system)]

    def plugins(self, request: WebRequest) -> WebReply:
        """Every installed plugin in every state, by name."""
        return json_reply({"plugins": [asdict(plugin) for plugin in installed_plugins()]})

    def system(self, request: WebRequest) -> WebReply:
        """The server, its store, what waits for the store, and what was left out."""
        unusable = [{"what": "routes", "key": path, "plugin": plugin, "reason": reason} for path, plugin, reason in self._store.left_out()]
        form = {
            "version": self._store.version,
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "platform": platform.platform(),
            "process": os.getpid(),
            "started": self._started_ms,
            "uptime_ms": round((time.monotonic() - self._started_s) * 1000),
            "memory_bytes": _memory_bytes(),
            "store": self._store_facts(),
            "disk": self._disk(),
            "waiting": self._waiting(),
            "left_out": unusable + extensions_left_out(),
        }
        return json_reply(form)

    def _store_facts(self) -> dict[str, Any]:
        tracking = self._store.tracking
        facts: dict[str, Any] = {
            "address": redact(self._store.address),
            "kind": type(tracking).__name__,
            "registry": type(self._store.registry).__name__,
            "features": {feature.name.lower(): support.name.lower().replace("_", " ") for feature, support in tracking.features.items()},
            "size_bytes": tracking.size_bytes(),
            "schema": tracking.schema_version(),
        }
        experiments = tracking.search_experiments(parse(Kind.EXPERIMENTS), view=ViewType.ACTIVE_ONLY, limit=50_000)
        facts["experiments"] = len(experiments)
        facts["runs"] = tracking.count_runs(parse(Kind.RUNS))
        facts["runs_running"] = tracking.count_runs(parse(Kind.RUNS, "status = 'RUNNING'"))
        facts["runs_deleted"] = tracking.count_runs(parse(Kind.RUNS), view=ViewType.DELETED_ONLY)
        return facts

    def _disk(self) -> dict[str, int] | None:
        """The file system that holds the artifacts, where that is one of this machine."""
        try:
            repo, _ = self._store.files("mlflow-artifacts:/")
            place = repo.local_path()
            while place is not None and not place.exists() and place != place.parent:
                place = place.parent  # the folder comes with the first file
            if place is None:
                return None
            usage = shutil.disk_usage(place)
        except (DrupeError, OSError):
            return None
        return {"total_bytes": usage.total, "free_bytes": usage.free}

    def _waiting(self) -> list[dict[str, Any]]:
        """What programs of this machine have logged that the store does not have yet."""
        try:
            found = waiting_in(journals_root(self._store.address))
        except (DrupeError, OSError):  # another user's folder, or an address that only people are told
            return []
        return [
            {
                "run_id": one.run_id,
                "bytes": one.bytes,
                "files": one.files,
                "is_alive": one.is_alive,
                "since": one.since_ms,
                "reason": None if one.reason is None else redact(one.reason),
            }
            for one in found[:WAITING_MAX]
        ]


def _memory_bytes() -> int | None:
    """What this process holds in memory; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
