"""Loads a model that drupe keeps as weights and the name of its class. A copy lies in the model's folder, so that MLflow can load it.

It stands alone: torch, numpy and the standard library, and safetensors where the file has that form.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

__all__ = ["fill", "weights_of"]


def weights_of(file: Path) -> Any:
    """The tensors of a file by name: safetensors, or a state dict, which is read as weights only."""
    if file.suffix != ".safetensors":
        return torch.load(file, map_location="cpu", weights_only=True)
    from safetensors import safe_open

    with safe_open(str(file), framework="pt") as opened:
        state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118  # it is no mapping
        notes = opened.metadata() or {}
    for note, other in notes.items():
        if note.startswith("twin:"):
            state[note.removeprefix("twin:")] = state[other]
    return state


def fill(model: Any, state: Mapping[str, Any]) -> None:
    """Put the tensors into the model, with the types that they were kept in. Raises RuntimeError when they do not fit."""
    for name, tensor in model.state_dict(keep_vars=True).items():
        kept = state.get(name)
        if isinstance(tensor, torch.Tensor) and isinstance(kept, torch.Tensor) and tensor.dtype != kept.dtype:
            tensor.data = tensor.data.to(kept.dtype)
    model.load_state_dict(state, strict=True)


class _Model:
    def __init__(self, model: Any, device: str) -> None:
        self.model, self.device = model, device

    def get_raw_model(self) -> Any:
        return self.model

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        is_table = hasattr(data, "columns")
        parts = data if isinstance(data, dict) else {"": data.to_numpy(dtype="float32") if is_table else data}
        weights = next((tensor.dtype for tensor in self.model.parameters() if tensor.dtype.is_floating_point), None)
        tensors = {name: torch.tensor(part) for name, part in parts.items()}
        tensors = {name: one.to(weights) if one.dtype.is_floating_point and weights else one for name, one in tensors.items()}
        tensors = {name: one.to(self.device) for name, one in tensors.items()}
        with torch.no_grad():
            found = self.model(**tensors, **(params or {})) if isinstance(data, dict) else self.model(tensors[""], **(params or {}))
        if not isinstance(found, torch.Tensor):
            raise TypeError(f"the model gives {type(found).__name__}; through MLflow it must give one tensor")
        found = found.cpu().numpy()
        return type(data)(found, index=data.index) if is_table else found


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> _Model:
    import yaml

    folder = Path(path).parent
    notes = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]["python_function"]["weights"]
    module, _, name = notes["model_class"].partition(":")
    maker: Any = importlib.import_module(module)
    for part in name.split("."):
        maker = getattr(maker, part)
    device = (model_config or {}).get("device") or os.environ.get("MLFLOW_DEFAULT_PREDICTION_DEVICE") or "cpu"
    model = maker(**notes["model_kwargs"])
    fill(model, weights_of(folder / notes["file"]))
    return _Model(model.to(device).eval(), device)
