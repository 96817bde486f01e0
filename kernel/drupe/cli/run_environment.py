"""What the card of a run says of its environment, out of the file that was kept with it: command, machine, Python, changed code.

The file may be missing, or have been written by anybody: what is not as expected is left out.
"""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drupe.cli import formats
from drupe.errors import DrupeError
from drupe.tracking.capture import ENVIRONMENT_FOLDER
from drupe.uris import ArtifactPath

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["environment_of", "environment_rows", "is_dirty"]

FILE = ArtifactPath((ENVIRONMENT_FOLDER, "environment.json"))
BYTES_MAX = 1_000_000


def environment_of(client: Client, run_id: str) -> Mapping[str, Any]:
    """The facts that were kept of a run's environment; empty when there are none, or the artifacts cannot be reached."""
    try:
        with tempfile.TemporaryDirectory(prefix="drupe-") as folder:
            target = Path(folder) / "environment.json"
            client.artifact_repo(run_id).get_file(FILE, target)
            if target.stat().st_size > BYTES_MAX:
                return {}
            found = json.loads(target.read_bytes())
    except (DrupeError, OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def environment_rows(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The lines of the card; empty ones are left out by it."""
    return [("command", _command(facts)), ("machine", _machine(facts)), ("python", _python(facts))]


def is_dirty(facts: Mapping[str, Any]) -> bool:
    """True when the code had changes that were not committed."""
    return _part(facts, "git").get("is_dirty") is True


def _command(facts: Mapping[str, Any]) -> str:
    arguments = facts.get("command")
    return shlex.join(map(str, arguments)) if isinstance(arguments, list) else ""


def _machine(facts: Mapping[str, Any]) -> str:
    platform, limits = _part(facts, "platform"), _part(facts, "container")
    cores = limits.get("cpu_limit") or platform.get("cpus_usable") or platform.get("cpu_count")
    memory = limits.get("memory_limit_bytes") or platform.get("memory_bytes")
    gpus = _part(facts, "gpu").get("names")
    parts = [
        platform.get("host"),
        platform.get("cpu"),
        f"{cores:g} core{'' if cores == 1 else 's'}" if isinstance(cores, int | float) else None,
        formats.size(memory) if isinstance(memory, int) else None,
        *(_counted([str(name) for name in gpus]) if isinstance(gpus, list) else ()),
        limits.get("kind"),
    ]
    return ", ".join(str(part) for part in parts if part)


def _counted(names: list[str]) -> list[str]:
    return [name if names.count(name) == 1 else f"{names.count(name)} × {name}" for name in dict.fromkeys(names)]


def _python(facts: Mapping[str, Any]) -> str:
    python, platform = _part(facts, "python"), _part(facts, "platform")
    where = python.get("conda") or python.get("environment")
    parts = [
        python.get("version"),
        f"in {where}" if where else None,
        f"on {platform['distribution']}" if platform.get("distribution") else None,
    ]
    return " ".join(str(part) for part in parts if part)


def _part(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = facts.get(name)
    return found if isinstance(found, Mapping) else {}
