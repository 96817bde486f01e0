"""What `drupe.pytorch` has beside the functions of every flavor: MLflow's state dicts. Checkpoints and loops have rooms of their own."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from drupe.artifacts import download_artifacts
from drupe.errors import ArtifactNotFound, InvalidValue, UntrustedModel
from drupe.tracking.fluent_logging import log_artifacts
from drupe_flavor_pytorch.written import what_it_holds

__all__ = ["load_state_dict", "log_state_dict", "save_state_dict"]

_FILE = "state_dict.pth"


def log_state_dict(state_dict: Mapping[str, Any], artifact_path: str, **kwargs: Any) -> None:
    """Keep a state dict among the artifacts of the active run; a checkpoint (`log_checkpoint`) knows its step and metrics too."""
    with tempfile.TemporaryDirectory(prefix="drupe-state-") as place:
        save_state_dict(state_dict, place, **kwargs)
        log_artifacts(place, artifact_path)


def save_state_dict(state_dict: Mapping[str, Any], path: str | Path, **kwargs: Any) -> None:
    """Write a state dict into the folder `path`; other arguments are those of `torch.save`."""
    if not isinstance(state_dict, Mapping):
        raise InvalidValue(f"a state dict is a dict, such as model.state_dict() gives, not {type(state_dict).__name__}")
    Path(path).mkdir(parents=True, exist_ok=True)
    draft = Path(path) / f".{_FILE}.part"
    torch.save(state_dict, draft, **kwargs)
    draft.replace(Path(path) / _FILE)


def load_state_dict(state_dict_uri: str | Path, **kwargs: Any) -> Any:
    """Read a state dict back, by the address of its folder; other arguments are those of `torch.load`.

    It is read as weights only unless you say `weights_only=False`. Raises ArtifactNotFound, UntrustedModel.
    """
    folder = Path(state_dict_uri) if ":/" not in str(state_dict_uri) else Path(download_artifacts(artifact_uri=str(state_dict_uri)))
    file = folder / _FILE if folder.is_dir() else folder
    if not file.is_file():
        raise ArtifactNotFound(f"{str(state_dict_uri)!r} has no {_FILE}")
    try:
        return torch.load(file, **{"weights_only": True, **kwargs})
    except pickle.UnpicklingError as fault:
        raise UntrustedModel(
            f"{file.name} holds more than weights ({what_it_holds(fault)}); if you trust whoever made it, weights_only=False loads it"
        ) from fault
