"""Environments of the tools that drupe is measured next to: each in a folder of its own, installed from PyPI when first asked for, used again later.

A peer that cannot be installed is left out, by name and with the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[1] / ".bench" / "peers"
_COUNT = """
import re, sys
from importlib.metadata import PackageNotFoundError, requires
from packaging.requirements import Requirement
seen, todo = set(), [sys.argv[1]]
while todo:
    name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
    if name in seen:
        continue
    try:
        needs = requires(name) or []
    except PackageNotFoundError:
        continue
    seen.add(name)
    found = map(Requirement, needs)
    todo += [one.name for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]
print(len([name for name in seen if name != sys.argv[1] and not name.startswith("drupe")]))
"""


class Peer(NamedTuple):
    """A distribution in one version, what else it needs to run here, and the name of its folder."""

    distribution: str
    version: str
    also: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.distribution} {self.version}"


MLFLOW = Peer("mlflow", "3.17.2")
MLFLOW_2 = Peer("mlflow", "2.22.5", ("sqlalchemy<2.1",))
TRACKIO = Peer("trackio", "0.43.0")
WANDB = Peer("wandb", "0.31.0")
AIM = Peer("aim", "3.29.1")


def install(peers: Iterable[Peer], folder: Path = FOLDER) -> dict[Peer, Path]:
    """The Python of each peer that could be installed below `folder`; says which could not, and why."""
    found: dict[Peer, Path] = {}
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    environ = {"UV_SYSTEM_CERTS": "1", **os.environ}
    for peer in peers:
        home = folder / f"{peer.distribution}-{peer.version}"
        python, ready = home / "bin" / "python", home / "ready"
        wanted = [f"{peer.distribution}=={peer.version}", *peer.also]
        if not ready.exists() or ready.read_text().split() != wanted:
            print(f"installing {' '.join(wanted)}", file=sys.stderr)
            try:
                subprocess.run([str(uv), "venv", "-q", "--clear", "-p", sys.executable, str(home)], check=True, env=environ)
                subprocess.run([str(uv), "pip", "install", "-q", "--compile-bytecode", "-p", str(python), *wanted], check=True, env=environ)
            except (OSError, subprocess.CalledProcessError) as fault:
                print(f"{peer.name} is left out: {fault}", file=sys.stderr)
                continue
            ready.write_text(" ".join(wanted))
        found[peer] = python
    return found


def distributions(python: Path | str, root: str) -> int:
    """How many distributions `root` needs in that environment, itself and drupe's own not counted."""
    done = subprocess.run([str(python), "-c", _COUNT, root], check=True, capture_output=True, text=True)
    return int(done.stdout)
