"""What version of the code is running: commit, branch and remote read from the repository's own files, and what is not committed.

Reading files keeps starting a run cheap; only diff and untracked files start `git`, off the caller's path (see `capture`).
"""

from __future__ import annotations

import subprocess
from configparser import ConfigParser, Error as ConfigFault
from pathlib import Path

from attrs import frozen

from drupe.tracking.command import without_secrets
from drupe.uris import redact

__all__ = ["GitState", "git_state", "uncommitted_diff", "untracked_files"]

DIFF_BYTES_MAX = 1_000_000
TIMEOUT_S = 10.0
_SECRET_FILES = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "id_rsa*",
    "id_ed25519*",
    ".netrc",
    ".pypirc",
    "credentials*",
    "secrets*",
)
"""Files whose changes are not kept; that they were changed still is, by name."""


@frozen
class GitState:
    """`folder` is the work tree; `branch` is None on a detached head; `remote_url` carries no credentials."""

    folder: Path
    commit: str
    branch: str | None = None
    remote_url: str | None = None


def git_state(start: Path) -> GitState | None:
    """The state of the repository that holds `start`; None outside of one, or before its first commit."""
    for folder in (start, *start.parents):
        marker = folder / ".git"
        if marker.exists():
            try:
                return _read(folder, _git_folder(marker))
            except (OSError, UnicodeDecodeError, ConfigFault):
                return None  # a repository that cannot be read is no reason to fail a run
    return None


def uncommitted_diff(folder: Path) -> str | None:
    """`git diff HEAD` of a work tree, cut at 1 MB, without secrets and files that hold them; "" when clean, None when git does not answer."""
    hidden = [f":(exclude,glob)**/{name}" for name in _SECRET_FILES]
    answer = _ask(folder, "diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD", "--", ".", *hidden)
    if answer is None:
        return None
    text = answer[:DIFF_BYTES_MAX].decode("utf-8", "replace")
    if len(answer) > DIFF_BYTES_MAX:
        text += f"\n[cut: the diff has {len(answer)} bytes]\n"
    changed = _names(_ask(folder, "diff", "--name-only", "-z", "HEAD", "--", *(f":(glob)**/{name}" for name in _SECRET_FILES)))
    return without_secrets(text) + "".join(f"[changed, but not kept: {name}]\n" for name in changed)


def untracked_files(folder: Path) -> list[str] | None:
    """Files of a work tree that are neither committed nor ignored, sorted; None when git does not answer."""
    answer = _ask(folder, "ls-files", "--others", "--exclude-standard", "-z")
    return None if answer is None else sorted(_names(answer))


def _names(answer: bytes | None) -> list[str]:
    return [name.decode("utf-8", "replace") for name in (answer or b"").split(b"\0") if name]


def _ask(folder: Path, *arguments: str) -> bytes | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout if answer.returncode == 0 else None


def _git_folder(marker: Path) -> Path:
    if marker.is_dir():
        return marker
    target = marker.read_text().partition("gitdir:")[2].strip()  # a work tree or submodule
    return (marker.parent / target).resolve()


def _read(folder: Path, git: Path) -> GitState | None:
    common = git / "commondir"
    shared = (git / common.read_text().strip()).resolve() if common.exists() else git
    head = (git / "HEAD").read_text().strip()
    ref = head.removeprefix("ref:").strip() if head.startswith("ref:") else None
    commit = head if ref is None else _commit_of(ref, git, shared)
    if not commit:
        return None
    branch = ref.removeprefix("refs/heads/") if ref else None
    return GitState(folder, commit, branch, _remote(shared / "config"))


def _commit_of(ref: str, git: Path, shared: Path) -> str | None:
    for place in (git, shared):
        loose = place / ref
        if loose.is_file():
            return loose.read_text().strip()
    packed = shared / "packed-refs"
    if packed.is_file():
        for line in packed.read_text().splitlines():
            commit, _, name = line.partition(" ")
            if name == ref:
                return commit
    return None


def _remote(config: Path) -> str | None:
    if not config.is_file():
        return None
    parser = ConfigParser(strict=False, interpolation=None)
    parser.read_string("\n".join(line.strip() for line in config.read_text().splitlines()))
    url = parser.get('remote "origin"', "url", fallback=None)
    return redact(url) if url else None
