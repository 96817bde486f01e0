"""TorchScript: a module as a program of torch's own language. Loading runs that program's parts, though no Python."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from drupe.errors import InvalidModelFolder
from drupe_flavor_pytorch.written import TORCHSCRIPT, CannotHold, Written

__all__ = ["is_scripted", "read", "write"]

_FILE = "data/model.pth"  # MLflow's name for every model that is no exported program
_PICKLE_INFO = "data/pickle_module_info.txt"


def write(model: Any, folder: Path, options: Mapping[str, Any], chosen: str = TORCHSCRIPT) -> Written:
    """Write a TorchScript module, or script a module that is none yet. Raises CannotHold."""
    if not isinstance(model, torch.jit.ScriptModule):
        try:
            model = torch.jit.script(model)
        except Exception as fault:  # the compiler raises what it likes
            raise CannotHold(f"it cannot be scripted ({_first_line(fault)})") from fault
    model.save(str(folder / _FILE))
    (folder / _PICKLE_INFO).write_text("mlflow.pytorch.pickle_module")  # MLflow reads it before it looks at the model
    return Written(_FILE, TORCHSCRIPT, executes_code=True, pyfunc={"pickle_module_name": "mlflow.pytorch.pickle_module"})


def read(file: Path, device: torch.device) -> Any:
    """Read a TorchScript module in eval mode. Raises InvalidModelFolder."""
    try:
        return torch.jit.load(str(file), map_location=device).eval()
    except (RuntimeError, ValueError, EOFError, OSError) as fault:
        raise InvalidModelFolder(f"{file.name} cannot be read as TorchScript: {_first_line(fault)}", path=str(file)) from fault


def is_scripted(file: Path) -> bool:
    """True when the file is an archive with TorchScript in it; nothing of it is run."""
    try:
        with zipfile.ZipFile(file) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _first_line(fault: BaseException) -> str:
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return f"{type(fault).__name__}: {lines[0][:200] if lines else ''}"
