"""The word of the process that started this one: it has checked a model's folder, and hands over the digest that the files had then.

A command that runs a model in an environment of its own asks stores, settings and the user in the process that knows them; the other one gets a
plain folder. What it is told is bound to that folder and that digest, and stands in the environment of the process, which no other user can
read or set. The gate there takes the digest of the files itself: other files are refused, whatever they are.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

__all__ = ["VARIABLE", "handed_over", "note_for_child"]

VARIABLE = "_DRUPE_CHECKED_MODEL"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def note_for_child(folder: Path, digest: str) -> dict[str, str]:
    """The environment variable that tells a process started from here what was checked."""
    return {VARIABLE: json.dumps([str(folder.absolute()), digest])}


def handed_over(folder: Path) -> str | None:
    """The digest that the files of this folder must have, where the process that started this one has checked it; else None."""
    try:
        checked, digest = json.loads(os.environ.get(VARIABLE, ""))
    except (ValueError, TypeError):
        return None
    is_told = isinstance(digest, str) and _DIGEST.fullmatch(digest) is not None and checked == str(folder.absolute())
    return digest if is_told else None
