"""A whole module as a pickle, MLflow's `model.pth`: made on request only, since loading it runs whatever it holds."""

from __future__ import annotations

import importlib
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cloudpickle
import torch

from drupe.errors import InvalidModelFolder, InvalidValue, UntrustedModel
from drupe.models import inside
from drupe_flavor_pytorch.written import PICKLE, CannotHold, Written, what_it_holds

__all__ = ["read", "write"]

_FILE = "data/model.pth"
_INFO = "data/pickle_module_info.txt"
_MLFLOWS = "mlflow.pytorch.pickle_module"
_STANDARD = (_MLFLOWS, "pickle", "cloudpickle", "cloudpickle.cloudpickle")
"""Modules whose pickles the standard library reads; the name in a folder is compared with these and never imported."""


def write(model: Any, folder: Path, options: Mapping[str, Any], chosen: str = PICKLE) -> Written:
    """Pickle the module with `pickle_module`, or with cloudpickle, which holds classes and functions of a script. Raises CannotHold."""
    given = options.get("pickle_module")
    name = _MLFLOWS if given is None else getattr(given, "__name__", None)
    if name not in (*_STANDARD, "dill"):
        raise InvalidValue(f"pickle_module is {name or given!r}; it must be one of the modules pickle, cloudpickle and dill")
    try:
        torch.save(model, folder / _FILE, pickle_module=given or cloudpickle)
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError, RuntimeError) as fault:
        (folder / _FILE).unlink(missing_ok=True)
        raise CannotHold(f"it cannot be pickled ({type(fault).__name__}: {fault})") from fault
    (folder / _INFO).write_text(name)
    top = type(model).__module__.partition(".")[0]
    return Written(_FILE, PICKLE, executes_code=True, pyfunc={"pickle_module_name": name}, modules=["cloudpickle", top])


def read(file: Path, config: Mapping[str, Any], device: torch.device, *, weights_only: bool) -> Any:
    """Unpickle the module, in eval mode. It runs what it holds: the folder has passed the gate before.

    Raises InvalidModelFolder; UntrustedModel when only weights were to be read and it holds more.
    """
    saved_with = str(config.get("pytorch_version") or torch.__version__).partition("+")[0]
    if saved_with.split(".")[:2] != torch.__version__.split(".")[:2]:
        warnings.warn(
            f"this model was pickled with torch {saved_with} and is loaded with {torch.__version__.partition('+')[0]}; a pickle holds torch's own "
            "classes, so it may not work as before",
            stacklevel=2,
        )
    try:
        model = torch.load(file, map_location=device, weights_only=weights_only, **_unpickler(file))
    except pickle.UnpicklingError as fault:
        if weights_only:
            raise UntrustedModel(f"{file.name} holds more than weights: {what_it_holds(fault)}", path=str(file)) from fault
        raise InvalidModelFolder(f"{file.name} cannot be unpickled: {fault}", path=str(file)) from fault
    except ModuleNotFoundError as fault:
        raise InvalidModelFolder(
            f"{file.name} needs the module {fault.name!r}, which is not installed here; the model's requirements.txt says what it was made "
            "with, and code_paths keeps modules of your own with the model",
            module=fault.name,
        ) from fault
    except (RuntimeError, EOFError, AttributeError, TypeError, ValueError, LookupError, OSError) as fault:
        raise InvalidModelFolder(f"{file.name} cannot be unpickled: {type(fault).__name__}: {fault}", path=str(file)) from fault
    if not isinstance(model, torch.nn.Module):
        raise InvalidModelFolder(f"{file.name} holds {type(model).__name__}, which is no torch.nn.Module", path=str(file))
    return model.eval()


def _unpickler(file: Path) -> dict[str, Any]:
    note = file.parent / "pickle_module_info.txt"
    if not note.is_file():
        return {}
    name = inside(file.parent, note.name).read_text(encoding="utf-8", errors="replace").strip()
    if name in _STANDARD:
        return {}
    if name != "dill":
        raise InvalidModelFolder(f"{file.name} was written with the pickle module {name[:80]!r}; known are {', '.join(_STANDARD)} and dill")
    try:
        return {"pickle_module": importlib.import_module("dill")}
    except ModuleNotFoundError as fault:
        raise InvalidModelFolder(f"{file.name} was written with dill, which is not installed: pip install dill", module="dill") from fault
