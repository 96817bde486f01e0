"""What version of the code is running: commit, branch and remote read from the repository's own files, and the uncommitted diff.

Reading files keeps starting a run cheap; only the diff starts `git`, off the caller's path (see `capture`).
"""

from __future__ import annotations

import subprocess
from configparser import ConfigParser, Error as ConfigFault
from pathlib import Path

from attrs import frozen

from drupe.uris import redact

__all__ = ["GitState", "git_state", "uncommitted_diff"]

DIFF_BYTES_MAX = 1_000_000


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


def uncommitted_diff(folder: Path, *, timeout_s: float = 10.0) -> str | None:
    """`git diff HEAD` of a work tree with credentials in addresses removed, cut at 1 MB; None when clean or git does not answer."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), "diff", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD"],
            capture_output=True,
            timeout=timeout_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0 or not answer.stdout:
        return None
    text = answer.stdout[:DIFF_BYTES_MAX].decode("utf-8", "replace")
    if len(answer.stdout) > DIFF_BYTES_MAX:
        text += f"\n[cut: the diff has {len(answer.stdout)} bytes]\n"
    return redact(text)


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
