"""What goes into a model and comes out: tables, arrays and tensors, by place or by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from drupe.errors import InvalidValue, SignatureMismatch
from drupe_flavor_pytorch.devices import device_of

__all__ = ["as_inputs", "as_outputs", "dtype_of", "grown", "kept_example", "predict"]


def predict(model: Any, inputs: Any, params: Mapping[str, Any]) -> Any:
    """Call the model in eval mode without gradients. Raises SignatureMismatch, InvalidValue."""
    if "device" in params:
        raise InvalidValue("the device is chosen when a model is loaded: load_model(uri, model_config={'device': 'cuda'})")
    args, kwargs = as_inputs(inputs, dtype_of(model), device_of(model))
    training = [part for part in model.modules() if part.training] if _has_modes(model) else []
    try:
        for part in training:
            part.training = False
        with torch.inference_mode():
            outputs = model(*args, **kwargs, **params)
    except AssertionError as fault:
        if not str(fault).startswith("Guard failed"):
            raise
        raise SignatureMismatch(
            f"this exported model was traced for other sizes: it holds that {str(fault).partition(':')[2].strip()}; "
            "log it with dynamic_shapes if its code takes any"
        ) from fault
    finally:
        for part in training:
            part.training = True
    return as_outputs(outputs, inputs)


def as_inputs(given: Any, dtype: torch.dtype | None, device: torch.device) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call, as tensors of their own on `device`; floats get `dtype`, that of the model's weights.

    A dict becomes arguments by name, a tuple arguments by place, anything else one argument. A table of columns is one tensor of floats.
    Raises SignatureMismatch for what is no number.
    """
    if isinstance(given, Mapping):
        return (), {str(name): _tensor(value, dtype, device, f"input {name!r}") for name, value in given.items()}
    if isinstance(given, tuple):
        return tuple(_tensor(value, dtype, device, f"input {place}") for place, value in enumerate(given)), {}
    return (_tensor(given, dtype, device, "the input"),), {}


def as_outputs(outputs: Any, inputs: Any) -> Any:
    """Arrays in place of tensors, wherever they are; a table with the rows' labels for a table, where the output has rows and columns."""
    if isinstance(outputs, torch.Tensor):
        array = _array(outputs)
        if hasattr(inputs, "columns") and array.ndim in (1, 2) and len(array) == len(inputs):
            return type(inputs)(array, index=inputs.index)
        return array
    if isinstance(outputs, Mapping):
        return {name: as_outputs(value, None) for name, value in outputs.items()}
    if isinstance(outputs, tuple | list):
        values = [as_outputs(value, None) for value in outputs]
        return values if isinstance(outputs, list) else tuple(values)
    return outputs


def dtype_of(model: Any) -> torch.dtype | None:
    """The floating type of the model's weights; None when it has none."""
    return next((one.dtype for one in (*model.parameters(), *model.buffers()) if one.dtype.is_floating_point), None)


def grown(example: Any) -> Any:
    """The example with at least two rows: a tracer takes a length of one for a fixed number."""
    if isinstance(example, Mapping):
        return {name: grown(value) for name, value in example.items()}
    if isinstance(example, tuple):
        return tuple(grown(value) for value in example)
    if hasattr(example, "columns"):
        return example.iloc[[0, 0]] if len(example) == 1 else example
    if isinstance(example, torch.Tensor):
        return torch.cat([example, example]) if example.dim() and len(example) == 1 else example
    array = np.asarray(example)
    return np.concatenate([array, array]) if array.ndim and len(array) == 1 else example


def kept_example(model: Any, given: Any) -> Any:
    """The example as arrays; several arguments as a dict, by the names that the model's `forward` has for them."""
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
        return kept_example(model, given[0]), given[1]
    if isinstance(given, torch.Tensor):
        return _array(given)
    if isinstance(given, Mapping) and any(isinstance(value, torch.Tensor) for value in given.values()):
        return {name: _array(value) if isinstance(value, torch.Tensor) else value for name, value in given.items()}
    if isinstance(given, tuple | list) and given and all(isinstance(value, torch.Tensor | np.ndarray) for value in given):
        arrays = [_array(value) if isinstance(value, torch.Tensor) else value for value in given]
        if len(arrays) == 1:
            return arrays[0]
        names = list(inspect.signature(model.forward).parameters) if hasattr(model, "forward") else []
        if len(names) < len(arrays):
            raise InvalidValue(f"the input_example has {len(arrays)} inputs, and the model takes {len(names)}")
        return dict(zip(names, arrays, strict=False))
    return given


def _tensor(value: Any, dtype: torch.dtype | None, device: torch.device, what: str) -> Any:
    if isinstance(value, torch.Tensor):
        tensor = value.detach()
    elif value is None or isinstance(value, bool | str):
        return value  # a switch of the model, not an input
    else:
        array = _numbers(value, what)
        # floats of a table are single, as MLflow has it, unless the weights are of another kind
        tensor = torch.tensor(array, dtype=torch.float32 if hasattr(value, "columns") else None)
    if tensor.dtype.is_floating_point and dtype is not None:
        tensor = tensor.to(dtype)
    return tensor.to(device)


def _numbers(value: Any, what: str) -> Any:
    if hasattr(value, "toarray"):
        value = value.toarray()
    if hasattr(value, "columns"):
        wrong = [str(name) for name, kind in zip(value.columns, value.dtypes, strict=True) if getattr(kind, "kind", "O") not in "iufb"]
        if wrong:
            try:
                value = value.astype({name: "float32" for name in value.columns if str(name) in wrong})
            except (TypeError, ValueError) as fault:
                raise SignatureMismatch(f"the model takes numbers; these columns hold something else: {', '.join(wrong)}") from fault
        return value.to_numpy(dtype=np.float32)
    try:
        array = np.array(value)
    except ValueError as fault:
        raise SignatureMismatch(f"{what} is no array: {fault}") from fault
    if array.dtype.kind not in "iufbc":
        raise SignatureMismatch(f"{what} holds {array.dtype}, and the model takes numbers")
    if array.dtype in (np.uint16, np.uint32, np.uint64):
        array = array.astype(np.int64)  # torch has few operations on them
    return array.copy()


def _array(tensor: torch.Tensor) -> Any:
    whole = tensor.detach().cpu().resolve_conj().resolve_neg()
    return (whole.float() if whole.dtype == torch.bfloat16 else whole).numpy()


def _has_modes(model: Any) -> bool:
    """False for an exported program, which is what it was when it was exported."""
    return not isinstance(model, torch.fx.GraphModule)
