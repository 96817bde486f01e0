"""Whether the environment that runs is the one that a model asks for: a look at releases, quick enough for every load. Nothing is imported."""

from __future__ import annotations

import re
from logging import getLogger
from pathlib import Path

from drupe.models.environment import REQUIREMENTS_FILE
from drupe.models.pinning import installed_release

__all__ = ["environment_differences", "tell_of_differences"]

log = getLogger("drupe.models")

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*(?:==\s*([^\s;,*]+))?\s*(?=$|;|[<>!~=,@\[])")
_READERS = {"mlflow", "mlflow-skinny"}  # of the folder; drupe reads it itself
_MOST_BYTES = 100_000
_SHOWN = 4


def environment_differences(folder: Path) -> list[str]:
    """What of a model's requirements is missing here or of another release, in words; empty where there is no requirements.txt.

    Only exact pins are compared, and lines with a marker are left out.
    """
    file = folder / REQUIREMENTS_FILE
    try:
        if file.stat().st_size > _MOST_BYTES:
            return []
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found = []
    for line in lines:
        match = _PIN.match(line)
        if match is None or ";" in line or re.sub(r"[-_.]+", "-", match[1]).lower() in _READERS:
            continue
        here = installed_release(match[1])
        if here is None:
            found.append(f"{match[1]} is not installed" + (f" (the model has {match[2]})" if match[2] else ""))
        elif match[2] and here != match[2].partition("+")[0]:
            found.append(f"{match[1]} is {here} (the model has {match[2]})")
    return found


def tell_of_differences(folder: Path) -> None:
    """Warn in one line of the log when the environment that runs is another than the model's, with what to do."""
    found = environment_differences(folder)
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        log.warning(
            "this environment is not the model's: %s%s; pip install -r %s makes it so, --env-manager uv predicts and serves in the model's own",
            ", ".join(found[:_SHOWN]),
            more,
            folder / REQUIREMENTS_FILE,
        )
