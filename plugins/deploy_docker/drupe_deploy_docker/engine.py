"""Builds an image through the docker library, and tells what the engine says while it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException

from drupe.errors import EnvironmentUnusable

__all__ = ["build_image"]

_LAST_LINES = 12


def build_image(context: Path, tag: str, *, network: str | None = None, tell: Callable[[str], None]) -> str:
    """Build the image `tag` from the folder `context` and return its id; layers that did not change are taken from the engine's cache.

    `network` is the one that the build may use, such as `host`. Raises EnvironmentUnusable with the engine's last words.
    """
    try:
        client = docker.from_env(timeout=1800)
    except DockerException as fault:
        raise EnvironmentUnusable(
            f"no Docker engine can be reached: {fault}; start one, set DOCKER_HOST, or use drupe models generate-dockerfile and build elsewhere"
        ) from fault
    try:
        told = client.api.build(path=str(context), tag=tag, rm=True, forcerm=True, decode=True, network_mode=network)
        return _followed(told, tag, tell)
    except APIError as fault:
        raise EnvironmentUnusable(f"the Docker engine refuses to build {tag}: {fault.explanation or fault}") from fault
    finally:
        client.close()


def _followed(told: Any, tag: str, tell: Callable[[str], None]) -> str:
    last: list[str] = []
    image = ""
    for part in told:
        for line in str(part.get("stream") or "").splitlines():
            if line.strip():
                last = [*last[-_LAST_LINES:], line.strip()]
            if line.startswith("Step "):
                tell(line)
        image = (part.get("aux") or {}).get("ID", image)
        if "error" in part:
            raise EnvironmentUnusable(f"the image {tag} cannot be built: {part['error']}; the last it said: {' | '.join(last)}")
    return image
