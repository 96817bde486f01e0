"""Which format a model is kept in, and reading whichever a folder has. How one format is written and read is in the room named after it.

Without a wish the first that runs no pickle and can hold the model is taken: a TorchScript module stays one, a module with an input example
is exported, any other keeps its weights apart from its class. When none can, that is told with the ways out.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.models import inside
from drupe_flavor_pytorch import exported, pickled, scripted, weights
from drupe_flavor_pytorch.written import PICKLE, PT2, SAFETENSORS, STATE_DICT, TORCHSCRIPT, CannotHold, Written

__all__ = ["FORMATS", "PICKLE", "PT2", "SAFETENSORS", "STATE_DICT", "TORCHSCRIPT", "find", "read_model", "write_model"]

FORMATS = (PT2, TORCHSCRIPT, SAFETENSORS, STATE_DICT, PICKLE)
_WRITERS: dict[str, Callable[..., Written]] = {
    PT2: exported.write,
    TORCHSCRIPT: scripted.write,
    SAFETENSORS: weights.write,
    STATE_DICT: weights.write,
    PICKLE: pickled.write,
}


def write_model(model: Any, folder: Path, options: Mapping[str, Any]) -> Written:
    """Write the model below `folder/data`, in the format asked for or the first that can hold it. Raises InvalidValue."""
    wanted = _wanted(options)
    model = _unwrapped(model)
    if isinstance(model, torch.export.ExportedProgram):
        if wanted not in (None, PT2):
            raise InvalidValue(f"an exported program is kept as pt2; serialization_format={wanted!r} is for modules")
        return exported.write(model, folder, options)
    if not isinstance(model, torch.nn.Module):
        raise InvalidValue(f"pytorch models are torch.nn.Module or torch.export.ExportedProgram, not {type(model).__name__}")
    if isinstance(model, torch.jit.ScriptModule):
        if wanted not in (None, TORCHSCRIPT, PICKLE):  # "pickle" is what MLflow calls it
            raise InvalidValue(f"a TorchScript module is kept as torchscript; serialization_format={wanted!r} is for other modules")
        return scripted.write(model, folder, options)
    if wanted is not None:
        try:
            return _WRITERS[wanted](model, folder, options, wanted)
        except CannotHold as fault:
            raise InvalidValue(f"serialization_format={wanted!r} cannot hold this {type(model).__name__}: {fault}") from fault
    return _first_that_can(model, folder, options)


def _first_that_can(model: torch.nn.Module, folder: Path, options: Mapping[str, Any]) -> Written:
    tried: list[str] = []
    asks_for_class = any(options.get(name) is not None for name in ("model_class", "model_factory", "model_kwargs"))
    order = [SAFETENSORS, STATE_DICT] if asks_for_class else [PT2, SAFETENSORS, STATE_DICT]
    for chosen in order:
        if chosen == PT2 and options.get("input_example") is None:
            tried.append("it is not exported (pt2), which needs an input_example")
            continue
        try:
            written = _WRITERS[chosen](model, folder, options, chosen)
        except CannotHold as fault:
            if str(fault) not in tried:
                tried.append(str(fault))
            continue
        if chosen != PT2 and not asks_for_class and options.get("input_example") is not None:
            warnings.warn(
                f"the model is kept as weights and the name of its class, since {tried[0]}; whoever loads it needs the class", stacklevel=6
            )
        return written
    raise InvalidValue(
        f"this {type(model).__name__} cannot be kept without a pickle: {'; '.join(tried)}. What works: an input_example that the model can "
        "be exported with; its class in a module, with code_paths=[…]; model_factory='module:function'; torch.jit.script(model); or "
        "serialization_format='pickle', which runs code whenever it is loaded",
        reasons=tried,
    )


def find(folder: Path, config: Mapping[str, Any]) -> tuple[Path, str]:
    """The model's file in `folder`, and its format: by our keys, or by the names that MLflow gives its files. Raises InvalidModelFolder."""
    named = config.get("model_file")
    if named is not None:
        return inside(folder, named), str(config.get("serialization_format"))
    place = inside(folder, config.get("model_data"))
    if place.is_file():
        return place, PICKLE
    for name, chosen in (("model.pth", PICKLE), ("model.pt2", PT2)):
        if (place / name).is_symlink() or (place / name).exists():
            return inside(folder, f"{config['model_data']}/{name}"), chosen
    raise InvalidModelFolder(f"{folder} has no model.pth and no model.pt2 below {config['model_data']!r}", folder=str(folder))


def read_model(file: Path, chosen: str, folder: Path, config: Mapping[str, Any], device: torch.device, *, weights_only: bool | None) -> Any:
    """Read the model in eval mode onto `device`. Raises InvalidModelFolder, UntrustedModel, MissingRequirement."""
    if chosen not in FORMATS:
        raise InvalidModelFolder(f"the MLmodel file of {folder} names the format {chosen!r}; known are {', '.join(FORMATS)}")
    if chosen == PICKLE and scripted.is_scripted(file):
        chosen = TORCHSCRIPT  # what MLflow writes of a TorchScript module looks like a pickle by its name
    if chosen == PT2:
        return exported.read(file, device, weights_only=weights_only is not False)
    if chosen == TORCHSCRIPT:
        return scripted.read(file, device)
    if chosen == PICKLE:
        return pickled.read(file, config, device, weights_only=weights_only is True)
    return weights.read(file, chosen, config, device)


def _wanted(options: Mapping[str, Any]) -> str | None:
    wanted = options.get("serialization_format")
    if options.get("export_model"):  # MLflow's older spelling
        if wanted not in (None, PT2):
            raise InvalidValue(f"export_model=True means serialization_format='pt2'; {wanted!r} was given too")
        wanted = PT2
    if wanted not in (None, *FORMATS):
        raise InvalidValue(f"serialization_format is {wanted!r}; it must be one of {', '.join(FORMATS)}")
    if options.get("pickle_module") is not None and wanted != PICKLE:
        raise InvalidValue(
            "pickle_module is for serialization_format='pickle', which is not the default because it runs code whenever it is loaded; "
            "leave it out, or ask for both"
        )
    return None if wanted is None else str(wanted)


def _unwrapped(model: Any) -> Any:
    """The module behind torch.compile and data parallelism, whose wrappers are about this process."""
    for name in ("_orig_mod", "module"):
        inner = (
            getattr(model, name, None) if type(model).__name__ in ("OptimizedModule", "DistributedDataParallel", "DataParallel") else None
        )
        if isinstance(inner, torch.nn.Module):
            return _unwrapped(inner)
    return model
