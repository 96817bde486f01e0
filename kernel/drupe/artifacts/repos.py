"""Opening the artifact repository behind an address. Following `runs:/` and `models:/` is in `resolve`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from drupe.errors import InvalidUri
from drupe.extend import ArtifactRepo
from drupe.loading import catalog
from drupe.uris import Uri

__all__ = ["repo_for"]

_INDIRECT = ("runs", "models")


def repo_for(uri: str | Path | Uri) -> ArtifactRepo:
    """The repository rooted at `uri`, a local path or an address such as `s3://bucket/folder`; nothing is created yet.

    Options may follow as a query (`?durability=full`). Raises InvalidUri, NoProvider (with what to install), StoreUnavailable.
    """
    parsed = Uri.parse(uri, query=True)
    if parsed.scheme in _INDIRECT:
        raise InvalidUri(f"{parsed} names a run's or a model's artifacts, not a place of files; it has to be resolved first")
    return cast(ArtifactRepo, catalog().open("drupe_artifact_repos", parsed))
