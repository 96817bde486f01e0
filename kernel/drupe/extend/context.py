"""What is known about the program that starts a run, for the hooks that name experiments and add tags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

__all__ = ["RunContext"]


@frozen
class RunContext:
    """`entry_point` is the script, module or notebook that runs (None in a shell); `folder` its folder or the working folder."""

    entry_point: str | None
    folder: Path
    user: str
    environ: Mapping[str, str]
    is_notebook: bool = False
