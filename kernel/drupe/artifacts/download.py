"""Artifacts by address, under MLflow's names: fetch, list, and read small ones straight into a value.

A run's own methods are in `drupe.tracking`; copying trees between a repository and a folder is in `trees`.
"""

from __future__ import annotations

import io
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drupe import lazy
from drupe.artifacts.resolve import locate, path_in_model
from drupe.artifacts.trees import get_tree, list_tree
from drupe.entities import FileInfo
from drupe.errors import ArtifactNotFound, InvalidValue
from drupe.uris import ArtifactPath

if TYPE_CHECKING:
    from drupe.extend import ArtifactRepo

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | Path | None = None,
    tracking_uri: str | None = None,
    registry_uri: str | None = None,
) -> str:
    """Make a file or folder available on this machine and return its path.

    Give either `artifact_uri` (`runs:/<id>/<path>`, `models:/<name>/<version>`, a path, or any artifact address) or `run_id` with
    `artifact_path`. With `dst_path` it is copied there, under its own name; what is there already and the same is not copied again.
    Without, artifacts on this machine are checked against their digests and used where they lie (do not change them), others are
    copied to a new temporary folder. Raises ArtifactNotFound, ArtifactCorrupt, RunNotFound, InvalidUri.
    """
    repo, path, base = _find(artifact_uri, run_id, artifact_path, tracking_uri, registry_uri)
    if dst_path is None:
        in_place = repo.local_path(path)
        if in_place is not None:
            _check_in_place(repo, path, in_place)
            return str(in_place)
    target = Path(tempfile.mkdtemp(prefix="drupe-")) if dst_path is None else Path(dst_path)
    if base == path and not path.is_root and repo.is_file(path):
        base = path.parent
    return str(get_tree(repo, path, target, relative_to=base))


def list_artifacts(
    artifact_uri: str | None = None, run_id: str | None = None, artifact_path: str | None = None, tracking_uri: str | None = None
) -> list[FileInfo]:
    """The files and folders directly in a folder of artifacts; a file or nothing there gives [].

    Of a run, paths are relative to its root; of an address, to the folder that holds what it names.
    """
    repo, path, base = _find(artifact_uri, run_id, artifact_path, tracking_uri, None)
    if run_id is not None:
        base = ArtifactPath()
    skipped = len(base.segments)
    return [FileInfo("/".join(info.path.split("/")[skipped:]), info.is_dir, info.file_size) for info in repo.list(path)]


def load_text(artifact_uri: str) -> str:
    """The content of a UTF-8 text file. Raises InvalidValue when it is not UTF-8."""
    content = _content(artifact_uri)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise InvalidValue(f"{artifact_uri!r} is not UTF-8 text ({fault}); read it with download_artifacts") from fault


def load_dict(artifact_uri: str) -> Any:
    """The value of a JSON file. Raises InvalidValue when it is not JSON."""
    try:
        return json.loads(load_text(artifact_uri))
    except json.JSONDecodeError as fault:
        raise InvalidValue(f"{artifact_uri!r} is not JSON: {fault}") from fault


def load_image(artifact_uri: str) -> Any:
    """The image in a file, as `PIL.Image.Image`. Raises InvalidValue when it is no image; MissingRequirement without Pillow."""
    images = lazy.need("PIL.Image", to="load an image", install="pillow")
    try:
        image = images.open(io.BytesIO(_content(artifact_uri)))
        image.load()
    except OSError as fault:  # Pillow's own errors are of this kind
        raise InvalidValue(f"{artifact_uri!r} is not an image that Pillow can read: {fault}") from fault
    return image


def _find(
    artifact_uri: str | None, run_id: str | None, artifact_path: str | None, tracking_uri: str | None, registry_uri: str | None
) -> tuple[ArtifactRepo, ArtifactPath, ArtifactPath]:
    """Repository, path, and the part of the path that is left out of the name at the destination."""
    if (artifact_uri is None) == (run_id is None):
        raise InvalidValue("give either artifact_uri or run_id, and not both")
    if artifact_uri is not None and artifact_path is not None:
        raise InvalidValue("artifact_path goes with run_id; an artifact_uri holds its path itself")
    uri = artifact_uri if artifact_uri is not None else f"runs:/{run_id}"
    repo, path = locate(
        uri,
        tracking=lambda: lazy.load("drupe.tracking.address:tracking_store")(tracking_uri),
        registry=lambda: lazy.load("drupe.tracking.address:registry_store")(registry_uri or tracking_uri),
    )
    if run_id is not None:
        path = ArtifactPath.parse(artifact_path)
    if str(uri).partition(":")[0].lower() != "models":
        return repo, path, path.parent
    return repo, path, ArtifactPath(path.segments[: len(path.segments) - len(path_in_model(uri).segments)])


def _check_in_place(repo: ArtifactRepo, path: ArtifactPath, place: Path) -> None:
    if not place.exists() and not path.is_root:
        raise ArtifactNotFound(f"no artifact at {place}", path=str(path))
    with ThreadPoolExecutor() as pool:
        list(pool.map(repo.digest, [ArtifactPath.parse(info.path) for info in list_tree(repo, path)]))  # raises for a damaged file


def _content(artifact_uri: str) -> bytes:
    repo, path, _ = _find(artifact_uri, None, None, None, None)
    with tempfile.TemporaryDirectory(prefix="drupe-") as folder:
        target = Path(folder) / "content"
        repo.get_file(path, target)
        return target.read_bytes()
