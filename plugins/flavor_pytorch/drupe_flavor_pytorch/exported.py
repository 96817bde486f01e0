"""`torch.export`: the module's graph and weights as data, which runs no Python when it is loaded. MLflow's `model.pt2`."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch.export import Dim, ExportedProgram
from torch.export.passes import move_to_device_pass

from drupe.errors import InvalidModelFolder, InvalidValue, UntrustedModel
from drupe_flavor_pytorch import tensors
from drupe_flavor_pytorch.archive import reason_to_distrust
from drupe_flavor_pytorch.devices import device_of
from drupe_flavor_pytorch.written import PT2, CannotHold, Written

__all__ = ["export", "read", "write"]

_FILE = "data/model.pt2"
_lock = Lock()  # torch keeps what it is tracing, writing or reading in one place for the whole process


def write(model: Any, folder: Path, options: Mapping[str, Any], chosen: str = PT2) -> Written:
    """Export the module with its input example, or keep a program that was exported already. Raises CannotHold, InvalidValue."""
    program = model if isinstance(model, ExportedProgram) else export(model, options)
    for part in program.graph_module.modules():
        for node in getattr(getattr(part, "graph", None), "nodes", ()):
            node.meta.pop("stack_trace", None)  # where the source lay on this machine
    file = folder / _FILE
    try:
        with _lock:
            torch.export.save(program, file)
    except Exception as fault:  # parts of a graph that have no stored form
        file.unlink(missing_ok=True)
        raise CannotHold(f"its exported program cannot be written ({_first_line(fault)})") from fault
    reason = reason_to_distrust(file)
    if reason is not None:
        warnings.warn(f"loading this exported program may run code ({reason}), so it takes load_model(…, weights_only=False)", stacklevel=6)
    return Written(_FILE, PT2, executes_code=reason is not None)


def read(file: Path, device: torch.device, *, weights_only: bool) -> Any:
    """Read an exported program onto `device`, as a module that is called with what it was exported with.

    Raises InvalidModelFolder; UntrustedModel when it holds more than tensors and a graph, unless `weights_only` is False.
    """
    if weights_only:
        reason = reason_to_distrust(file)
        if reason == "it is no readable archive":
            raise InvalidModelFolder(f"{file.name} cannot be read as an exported program: {reason}", path=str(file))
        if reason is not None:
            raise UntrustedModel(
                f"loading {file.name} may run code: {reason}. If you trust whoever made it, drupe.pytorch.load_model(…, weights_only=False) does",
                path=str(file),
            )
    try:
        with _lock:
            program = torch.export.load(file)
            if any(tensor.device.type != device.type for tensor in program.state_dict.values()):
                program = move_to_device_pass(program, device)
            return program.module()
    except Exception as fault:  # the reader of a damaged or foreign archive raises what it likes
        raise InvalidModelFolder(f"{file.name} cannot be read as an exported program: {_first_line(fault)}", path=str(file)) from fault


def export(model: torch.nn.Module, options: Mapping[str, Any]) -> ExportedProgram:
    """Trace the module in eval mode with its `input_example`, for any number of rows. Raises CannotHold, InvalidValue."""
    example = options.get("input_example")
    if example is None:
        raise CannotHold("an export needs an input_example to trace the model with")
    if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], dict):
        raise CannotHold("an export fixes the params of its input_example, so that callers could not set them")
    device = device_of(model)
    args, kwargs = tensors.as_inputs(tensors.grown(example), tensors.dtype_of(model), torch.device("cpu"))
    shapes = options.get("dynamic_shapes")
    chosen = (
        shapes
        if shapes is not None
        else ([_any_length(one) for one in args] if args else {name: _any_length(one) for name, one in kwargs.items()})
    )
    traced = model if device.type == "cpu" else copy.deepcopy(model).cpu()
    was_training = {part for part in traced.modules() if part.training}
    try:
        traced.eval()
        with _lock:
            program = torch.export.export(traced, args, kwargs, dynamic_shapes=tuple(chosen) if isinstance(chosen, list) else chosen)
    except Exception as fault:  # the tracer and the model's own code raise what they like
        if shapes is not None:
            raise InvalidValue(f"the model cannot be exported with these dynamic_shapes: {_first_line(fault)}") from fault
        raise CannotHold(f"it cannot be exported with this input_example ({_first_line(fault)})") from fault
    finally:
        for part in traced.modules():
            part.training = part in was_training
    if shapes is None and not program.range_constraints:
        warnings.warn("the exported model takes inputs of the example's size only, since its code fixes the number of rows", stacklevel=8)
    return program


def _any_length(value: Any) -> dict[int, Any] | None:
    """The first dimension, the number of rows, may be any; the tracer says where others may be too."""
    return {0: Dim.AUTO} if isinstance(value, torch.Tensor) and value.dim() > 0 else None


def _first_line(fault: BaseException) -> str:
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    return f"{type(fault).__name__}: {lines[0][:200] if lines else ''}"
