"""Bytes as an artifact: repositories take files, so bytes pass through a temporary one. Files and folders are for `trees`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from drupe.extend import ArtifactRepo
from drupe.uris import ArtifactPath

__all__ = ["put_bytes"]


def put_bytes(repo: ArtifactRepo, content: bytes, path: ArtifactPath) -> None:
    """Keep `content` as the file `path`. Raises what ArtifactRepo.put_file raises."""
    with tempfile.NamedTemporaryFile(
        prefix="drupe-"
    ) as source:  # no folder of its own: removing one takes 5 ms on a journaling file system
        source.write(content)
        source.flush()
        repo.put_file(Path(source.name), path)
