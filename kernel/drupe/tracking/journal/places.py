"""Where journals lie: beside a store that is a file on this machine, else below a local folder for the state of programs.

<root>/<run id>/<writer>.<number>.journal    what one process has logged to one run
<root>/<run id>/artifacts/                   files of a run that was started without its store
"""

from __future__ import annotations

import hashlib
import os
import socket
from functools import lru_cache
from pathlib import Path
from typing import cast

from drupe import lazy
from drupe.errors import PluginError
from drupe.loading import catalog
from drupe.settings import settings
from drupe.uris import Uri, redact

__all__ = ["STAGED", "boot_id", "forget_roots", "host_name", "journals_root", "run_folder", "state_folder"]

STAGED = "artifacts"
_roots: dict[str, Path] = {}


def journals_root(tracking_uri: str) -> Path:
    """The folder of the journals of one store; it need not exist. The same for the whole life of the process, whatever it changes to.

    Setting `journal_folder` names another place, below which every store has a folder of its own.
    """
    found = _roots.get(tracking_uri)
    if found is None:
        found = _roots[tracking_uri] = _find(tracking_uri)
    return found


def run_folder(tracking_uri: str, run_id: str) -> Path:
    """The folder of one run's journals, and of what else is kept of it until the store has it."""
    return journals_root(tracking_uri) / run_id


def state_folder() -> Path:
    """Where programs of this user keep what is neither setting nor data, by the XDG convention."""
    return _state_folder(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"))


@lru_cache(maxsize=1)
def _state_folder(above: str) -> Path:
    return Path(above, "drupe")


def forget_roots() -> None:
    """Find the folders anew; for tests and notebooks that start over."""
    _roots.clear()


@lru_cache(maxsize=1)
def boot_id() -> str:
    """What tells one running kernel from every other, and from itself before a restart; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@lru_cache(maxsize=1)
def host_name() -> str:
    """The name of this machine or container."""
    return socket.gethostname()


def _find(tracking_uri: str) -> Path:
    uri = Uri.parse(tracking_uri, query=True, user_info=True)
    configured = settings().get("journal_folder")
    if not configured:
        beside = _beside(uri)
        if beside is not None:
            return beside
    above = Path(str(configured)).expanduser().absolute() if configured else state_folder() / "journals"
    return above / f"{uri.scheme}-{hashlib.sha256(redact(tracking_uri).encode()).hexdigest()[:16]}"


def _beside(uri: Uri) -> Path | None:
    """The folder that the store's plugin names; none when the plugin is not there or names none."""
    try:
        offer = catalog().find("drupe_tracking_stores", uri.scheme).offer
    except PluginError:  # told by whoever opens the store
        return None
    return None if offer.journals is None else cast("Path", lazy.load(offer.journals)(uri))
