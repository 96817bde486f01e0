"""What of drupe itself must be in an environment for a model to be used there: the kernel, the plugins of its flavors, and what else is asked for.

What was installed from an index is a pinned line. What was installed from a folder, as developers do, becomes a wheel, built once for
each state of the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from logging import getLogger
from pathlib import Path
from secrets import token_hex
from urllib.parse import unquote, urlparse

from attrs import frozen

from drupe.errors import EnvironmentUnusable, MissingRequirement, NoProvider
from drupe.loading import catalog
from drupe.loading.known import distribution_of
from drupe.models.mlmodel import Model

__all__ = ["Own", "own_distributions", "own_entries", "own_requirements"]

log = getLogger("drupe.models")

_KERNEL = "drupe-kernel"
_NOT_SOURCE = {"tests", "__pycache__", "node_modules", "dist", "build"}


@frozen
class Own:
    """One distribution: from the index (`source` None) or from a local folder or wheel, whose content has this `digest`."""

    name: str
    version: str
    source: Path | None = None
    digest: str | None = None

    @property
    def identity(self) -> str:
        """What tells this state of it from others."""
        return f"{self.name}=={self.version}" + (f"#{self.digest}" if self.digest else "")


def own_distributions(model: Model, also: Iterable[str] = ()) -> list[Own]:
    """The kernel, the plugins of the model's flavors that are installed here, the distributions named in `also`, and what these need of ours.

    Raises NoProvider when no plugin here can read the model, MissingRequirement when one of `also` is not installed.
    """
    flavors = {key: entry.plugin for entry in catalog().offers("drupe_model_flavors") for key in entry.offer.keys}
    plugins = sorted({flavors[name] for name in model.flavors if name in flavors})
    if not plugins:
        raise NoProvider(
            f"no plugin here reads the flavors of this model ({', '.join(model.flavors)}), so none can be put into its environment"
        )
    names = [_KERNEL, *(catalog().plugin(name).distribution or distribution_of(name) for name in plugins), *also]
    found: dict[str, Own] = {}
    for name in names:
        _take(name, found)
    return list(found.values())


def own_entries(own: Iterable[Own], wheels: Path, build: Callable[[Path, Path], Path]) -> list[str]:
    """What a manager installs: paths of wheels, and pinned lines. `build(source, target)` builds the wheels that `wheels` does not hold yet."""
    return [
        f"{one.name}=={one.version}" if one.source is None else str(one.source if one.source.is_file() else _wheel(one, wheels, build))
        for one in own
    ]


def own_requirements(own: Iterable[Own]) -> list[str]:
    """What a lock must hold so that ours can be installed beside it: pinned lines of what an index has, and what local ones depend on."""
    own = list(own)
    names = {one.name for one in own}
    lines: list[str] = []
    for one in own:
        lines += [f"{one.name}=={one.version}"] if one.source is None else [
            line for line in _needs(distribution(one.name)) if _normal(line) not in names
        ]  # fmt: skip
    return list(dict.fromkeys(lines))


def _take(name: str, found: dict[str, Own]) -> None:
    if name in found:
        return
    try:
        installed = distribution(name)
    except PackageNotFoundError as fault:
        raise MissingRequirement(f"{name} is needed in the model's environment and is not installed here: pip install {name}") from fault
    source = _source(installed, name)
    if source is None:
        found[name] = Own(name, installed.version)
        return
    found[name] = Own(name, installed.version, source, _digest(source))
    for line in _needs(installed):
        needed = _normal(line)
        if needed.startswith("drupe-"):
            _take(needed, found)


def _needs(installed: Distribution) -> list[str]:
    return [line for line in installed.requires or () if "extra ==" not in line]


def _normal(line: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", line)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""


def _source(installed: Distribution, name: str) -> Path | None:
    told = installed.read_text("direct_url.json")
    address = urlparse(str(json.loads(told).get("url", ""))) if told else None
    if address is None or address.scheme != "file":
        return None
    source = Path(unquote(address.path))
    if source.is_file():
        return source
    if not (source / "pyproject.toml").is_file():
        raise EnvironmentUnusable(
            f"{name} was installed from {source}, which is gone, so it cannot be put into the model's environment: install it again",
            distribution=name,
        )
    return source


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(source) if source.is_dir() else [source]:
        digest.update(f"{file.relative_to(source)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:20]


def _files(source: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in _NOT_SOURCE and not name.startswith("."))
        for file in (Path(folder, name) for name in sorted(files) if not name.startswith(".") and not name.endswith(".pyc")):
            if file.is_file():
                yield file
            else:  # a link whose target is gone, a pipe, which would be read for ever
                what = "a link to nothing" if file.is_symlink() else "no file"
                log.warning(
                    "%s is %s, so it is left out of what says whether this folder has changed; building a wheel of it may fail", file, what
                )


def _wheel(one: Own, wheels: Path, build: Callable[[Path, Path], Path]) -> Path:
    assert one.source is not None
    assert one.digest is not None
    kept = wheels / f"{one.name}-{one.digest}"
    if not kept.is_dir():
        draft = wheels / f".{one.name}-{token_hex(8)}"
        draft.mkdir(parents=True)
        try:
            build(one.source, draft)
            draft.rename(kept)
        except OSError:  # another process has built it meanwhile
            if not kept.is_dir():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    (wheel,) = kept.glob("*.whl")
    return wheel
