"""Which device a model is loaded on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch

from drupe.errors import InvalidValue

__all__ = ["chosen_device", "device_of"]

_VARIABLES = ("DRUPE_DEFAULT_PREDICTION_DEVICE", "MLFLOW_DEFAULT_PREDICTION_DEVICE")


def chosen_device(options: Mapping[str, Any]) -> torch.device:
    """The `device` or `map_location` of `options`, else that of the environment, else the first GPU, else the processor.

    Raises InvalidValue for a device that is unknown or not there.
    """
    given = (
        options.get("device")
        or options.get("map_location")
        or next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), None)
    )
    if given is None:
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(given)
        if device.type != "meta":
            torch.empty(0, device=device)
    except (RuntimeError, TypeError, AssertionError, NotImplementedError) as fault:
        there = ["cpu", *(["cuda"] if torch.cuda.is_available() else []), *(["mps"] if torch.backends.mps.is_available() else [])]
        raise InvalidValue(
            f"the model cannot be put on the device {given!r}: {str(fault).splitlines()[0]}; here are {', '.join(there)}"
        ) from fault
    return device


def device_of(model: Any) -> torch.device:
    """Where the model's weights are; the processor for one without any."""
    for tensor in (*model.parameters(), *model.buffers()):
        return torch.device(tensor.device)
    return torch.device("cpu")
