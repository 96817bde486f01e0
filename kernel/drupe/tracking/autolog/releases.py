"""Whether the installed release of a library is one that its autologger was tested with."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version

__all__ = ["doubt"]


def doubt(distribution: str, tested: tuple[str, str]) -> str | None:
    """Why autologging may not work with what is installed, or None when it was tested with it.

    `tested` is the oldest and the newest release; the newest stands for all that begin with its numbers.
    """
    oldest, newest = tested
    try:
        installed = version(distribution)
    except PackageNotFoundError:
        return f"the release of {distribution} cannot be told; tested are {oldest} to {newest}"
    numbers, upper = _numbers(installed), _numbers(newest)
    if _numbers(oldest) <= numbers and numbers[: len(upper)] <= upper:
        return None
    return f"{distribution} {installed} is installed; tested are {oldest} to {newest}"


def _numbers(release: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", release)
    return tuple(map(int, found.group().split("."))) if found else ()
