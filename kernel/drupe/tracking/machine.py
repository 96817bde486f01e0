"""What machine a program runs on: system, processor, memory, GPUs, and the limits of its container. Read from files; nothing is started.

All answers are for Linux first; elsewhere what is not known is left out.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["container_facts", "gpu_facts", "machine_facts"]

_ROOT = Path(os.sep)


def machine_facts(root: Path = _ROOT) -> dict[str, Any]:
    """System, host, processor and memory; `root` is where `/proc` and `/etc` are looked for."""
    facts = {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "distribution": _distribution(root),
        "host": platform.node(),
        "cpu": _cpu_model(root) or platform.processor() or None,
        "cpu_count": os.cpu_count(),
        "cpus_usable": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "memory_bytes": _memory_bytes(),
    }
    return {name: value for name, value in facts.items() if value is not None}


def gpu_facts(root: Path = _ROOT) -> dict[str, Any]:
    """The NVIDIA GPUs as the driver lists them, and its version; empty where there is none."""
    folder = root / "proc/driver/nvidia"
    names = []
    try:
        places = sorted((folder / "gpus").iterdir())
    except OSError:
        return {}
    for place in places:
        model = re.search(r"^Model:\s*(.+)$", _text(place / "information"), re.MULTILINE)
        names.append(model[1].strip() if model else "unknown")
    version = re.search(r"Kernel Module\s+(?:for \S+\s+)?([\d.]+)", _text(folder / "version"))
    return {"names": names, **({"driver": version[1]} if version else {})} if names else {}


def container_facts(root: Path = _ROOT, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What contains the program (docker, podman, kubernetes), and how much memory and processor it may use, if that is limited."""
    kind = (
        "kubernetes"
        if environ.get("KUBERNETES_SERVICE_HOST")
        else "docker"
        if (root / ".dockerenv").exists()
        else "podman"
        if (root / "run/.containerenv").exists()
        else None
    )
    facts = {"kind": kind, "memory_limit_bytes": _memory_limit(root), "cpu_limit": _cpu_limit(root)}
    return {name: value for name, value in facts.items() if value is not None}


def _distribution(root: Path) -> str | None:
    found = re.search(r'^PRETTY_NAME="?([^"\n]+)', _text(root / "etc/os-release"), re.MULTILINE)
    return found[1] if found else None


def _cpu_model(root: Path) -> str | None:
    found = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", _text(root / "proc/cpuinfo", 4096), re.MULTILINE)
    return found[1].strip() if found else None


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _groups(root: Path) -> list[Path]:
    """The control groups (version 2) that the process is in, its own first; inside a container its own is the root."""
    found = re.search(r"^0::/?(.*)$", _text(root / "proc/self/cgroup"), re.MULTILINE)
    top = root / "sys/fs/cgroup"
    own = top / found[1] if found else top
    return [own, *(place for place in own.parents if place == top or top in place.parents)] if own != top else [top]


def _memory_limit(root: Path) -> int | None:
    texts = [_text(group / "memory.max") for group in _groups(root)] + [_text(root / "sys/fs/cgroup/memory/memory.limit_in_bytes")]
    limits = [int(text) for text in texts if text.strip().isdecimal()]
    found = min(limits, default=None)
    total = _memory_bytes()
    return found if found is not None and (total is None or found < total) else None  # version 1 says a huge number for no limit


def _cpu_limit(root: Path) -> float | None:
    limits = []
    for group in _groups(root):
        quota, _, period = _text(group / "cpu.max").strip().partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):
            limits.append(int(quota) / int(period))
    old = root / "sys/fs/cgroup/cpu"
    quota, period = _text(old / "cpu.cfs_quota_us").strip(), _text(old / "cpu.cfs_period_us").strip()
    if quota.isdecimal() and period.isdecimal() and int(period):
        limits.append(int(quota) / int(period))
    return min(limits, default=None)


def _text(path: Path, most: int = 65_536) -> str:
    try:
        with path.open("rb") as opened:
            return opened.read(most).decode("utf-8", "replace")
    except OSError:
        return ""
