"""What a format says of the model that it has written, and how it says that it cannot."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

__all__ = ["PICKLE", "PT2", "SAFETENSORS", "STATE_DICT", "TORCHSCRIPT", "CannotHold", "Written", "what_it_holds"]

PT2, TORCHSCRIPT, SAFETENSORS, STATE_DICT, PICKLE = "pt2", "torchscript", "safetensors", "state_dict", "pickle"


@frozen
class Written:
    """The `file` in the model's folder and its `format`; further keys for MLmodel; modules that loading needs."""

    file: str
    format: str
    executes_code: bool = False
    config: Mapping[str, Any] = field(factory=dict)
    pyfunc: Mapping[str, Any] = field(factory=dict)
    modules: Sequence[str] = ()


class CannotHold(Exception):
    """This format cannot hold the model; the text says why, as a clause. Only seen inside this plugin."""


def what_it_holds(fault: Exception) -> str:
    """What kept torch from reading a file as weights only, out of its page of advice."""
    found = re.search(r"GLOBAL ([\w.]+)", str(fault))
    return found[1] if found else "something else than tensors"
