"""The one gate that every model folder passes before anything of it is acted on.

It checks the manifest, then reads MLmodel; nothing else of the folder has been opened when it returns. Whoever decides which folders
may run code decides it here.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from drupe.artifacts.manifest import Manifest, verify_manifest
from drupe.errors import InvalidModelFolder
from drupe.models.mlmodel import Model

__all__ = ["Admitted", "admit"]


@frozen
class Admitted:
    """A model folder whose files are what its manifest says (if it has one) and whose MLmodel is well formed."""

    folder: Path
    model: Model
    manifest: Manifest | None


def admit(folder: Path) -> Admitted:
    """Check a local model folder and read its MLmodel. Raises InvalidModelFolder, ArtifactCorrupt when a file was changed."""
    if not _is_folder(folder):
        raise InvalidModelFolder(
            f"{str(folder)[:300]} is not a folder, so it is no model; the address of a model is that of the folder with MLmodel in it"
        )
    manifest = verify_manifest(folder)
    return Admitted(folder, Model.load(folder), manifest)


def _is_folder(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:  # a name that no file system takes
        return False
