"""From modules and names to requirement lines: which distributions bring them, pinned to what is installed here.

Nothing is imported. What no index has under its number is written so that it can be installed elsewhere, where there is such a way: a local
build's label is left off, and what came from an address or a repository names it.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from typing import NamedTuple

from drupe.uris import redact

__all__ = ["installed_release", "pinned_requirements", "pins_of_modules"]


def pinned_requirements(names: Iterable[str]) -> list[str]:
    """`name==version` for what is installed of these modules or distributions, sorted; what belongs to no distribution is left out."""
    return sorted({pin for name in names for pin in _pins(name)}, key=str.lower)


def pins_of_modules(modules: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """(pinned lines, modules that no distribution brings) for full names of modules and the files they were imported from.

    Parts of one namespace package belong to the distribution that has the file. Modules of Python itself count for nothing.
    """
    lines: set[str] = set()
    homeless: set[str] = set()
    for name, file in modules.items():
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top == "__main__":
            continue
        owners = list(dict.fromkeys(_owners().get(top, ())))
        if len(owners) > 1:
            owners = [owner for owner in owners if _has(owner, file)]
        lines.update(_pin(owner) for owner in owners)
        if not owners and top not in _owners() and not _is_bare_namespace(file):
            homeless.add(top)
    return sorted(lines, key=str.lower), sorted(homeless)


def installed_release(name: str) -> str | None:
    """The release of a distribution that is installed, without the label of a local build; None when there is none.

    Its metadata are read once and again when they have moved or changed, as they do when another release is installed.
    """
    if _searched != sys.path:
        _releases.clear()  # another folder may come first now
        _searched[:] = sys.path
    known = _releases.get(name)
    if known is not None and _stamp(known.place) == known.stamp:
        return known.release
    try:
        found = distribution(name)
        release = found.version.partition("+")[0]  # a local build's label cannot be installed from an index
    except (PackageNotFoundError, ValueError):
        return None
    place = getattr(found, "_path", None)  # a folder for what pip has installed; other finders may have none
    if isinstance(place, Path) and (stamp := _stamp(file := str(place / "METADATA"))) is not None:
        _releases[name] = _Release(release, file, stamp)
    return release


class _Release(NamedTuple):
    release: str
    place: str
    stamp: tuple[int, int]


_releases: dict[str, _Release] = {}
_searched: list[str] = []


def _stamp(place: str) -> tuple[int, int] | None:
    try:
        info = os.stat(place)
    except OSError:
        return None
    return info.st_ino, info.st_mtime_ns


@cache
def _pins(name: str) -> tuple[str, ...]:
    if installed_release(name):
        return (_pin(name),)
    owners = _owners().get(name.partition(".")[0], ())
    return tuple(_pin(owner) for owner in dict.fromkeys(owners) if installed_release(owner))


@cache
def _pin(name: str) -> str:
    address = _address(distribution(name), name)
    return f"{name} @ {address}" if address else f"{name}=={installed_release(name)}"


def _address(installed: Distribution, name: str) -> str | None:
    """Where it was installed from, when that was a repository or an archive elsewhere; warns of folders of this machine."""
    told = installed.read_text("direct_url.json")
    if not told:
        return None
    origin = json.loads(told)
    url = redact(str(origin.get("url", "")))
    if url.startswith("file:"):
        if not f"{name.lower().replace('_', '-')}-".startswith("drupe-") and "dir_info" in origin:
            warnings.warn(
                f"{name} is installed from a folder of this machine, so its release may be in no index: publish it, or give its modules to "
                "log_model with code_paths",
                stacklevel=2,
            )
        return None
    if "***" in url:
        return None  # a secret was in it
    if "vcs_info" in origin:
        return f"{origin['vcs_info'].get('vcs', 'git')}+{url}@{origin['vcs_info'].get('commit_id', '')}".rstrip("@")
    return url or None


def _has(owner: str, file: str | None) -> bool:
    if file is None:
        return False
    return any(Path(str(entry.locate())) == Path(file) for entry in distribution(owner).files or () if entry.name == Path(file).name)


def _is_bare_namespace(file: str | None) -> bool:
    return file is None


@cache
def _owners() -> Mapping[str, Sequence[str]]:
    return packages_distributions()  # reads the file list of every distribution: slow, so once, and only for names that need it
