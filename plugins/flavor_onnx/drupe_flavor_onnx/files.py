"""ONNX models as files: one that holds the graph, and beside it those with the weights of models that are large."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError, Message

from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.models import inside

__all__ = ["MODEL_FILE", "check", "read_graph", "read_model", "write_model"]

MODEL_FILE = "model.onnx"
_WEIGHTS_FILE = "model.onnx.data"
_SMALL_BYTES = 1024
"""Tensors of fewer bytes stay in the graph's file; ONNX's own default."""


def write_model(model: Any, folder: Path, *, external: bool, one_file: bool, threshold: int | None, attributes: bool) -> Path:
    """Write `model` into `folder` and check it there. Raises InvalidValue for a model whose weights are not loaded, or that is not valid."""
    if away := sorted(set(_external(model))):
        raise InvalidValue(
            f"the weights of this model lie in {', '.join(map(repr, away))} and are not loaded; onnx.load(path) loads them, and log_model takes "
            "the path of the .onnx file, too"
        )
    file = folder / MODEL_FILE
    given = model
    if external:
        given = onnx.ModelProto()
        given.CopyFrom(model)  # onnx moves the weights out of the very model that it is given
    try:
        onnx.save_model(
            given,
            str(file),
            save_as_external_data=external,
            all_tensors_to_one_file=one_file,
            location=_WEIGHTS_FILE,
            size_threshold=_SMALL_BYTES if threshold is None else threshold,
            convert_attribute=attributes,
        )
        onnx.checker.check_model(str(file))
    except (onnx.checker.ValidationError, ValueError, TypeError, DecodeError) as fault:
        larger = "; save_as_external_data=True keeps models of more than 2 GB" if not external and "2GB" in str(fault) else ""
        raise InvalidValue(f"this ONNX model is not valid: {_first_line(fault)}{larger}") from fault
    return file


def read_model(path: str | Path) -> Any:
    """A model with its weights from a user's own file. Raises InvalidValue."""
    try:
        return onnx.load(str(path))
    except (OSError, DecodeError, onnx.checker.ValidationError, ValueError) as fault:
        raise InvalidValue(f"{str(path)!r} cannot be read as an ONNX model: {_first_line(fault)}") from fault


def read_graph(file: Path) -> Any:
    """The model without weights that lie elsewhere. Raises InvalidModelFolder when it cannot be read, or a weight's file leads out of the folder."""
    try:
        model = onnx.load(str(file), load_external_data=False)
    except (OSError, DecodeError, ValueError) as fault:
        raise InvalidModelFolder(f"{file.name} cannot be read as an ONNX model: {_first_line(fault)}", path=str(file)) from fault
    for location in dict.fromkeys(_external(model)):
        inside(file.parent, location)
    return model


def check(file: Path) -> None:
    """Have ONNX's checker look at a model file and its weights. Raises InvalidModelFolder."""
    try:
        onnx.checker.check_model(str(file))
    except (onnx.checker.ValidationError, OSError, DecodeError, ValueError) as fault:
        raise InvalidModelFolder(f"{file.name} is not a valid ONNX model: {_first_line(fault)}", path=str(file)) from fault


def _external(message: Message) -> Iterator[str]:
    """The files that tensors name, in graphs, their subgraphs, functions and attributes."""
    if isinstance(message, onnx.TensorProto):
        if message.data_location == onnx.TensorProto.EXTERNAL:
            # all of them, if one has several: readers take the last
            yield from [entry.value for entry in message.external_data if entry.key == "location"] or [""]
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for inner in [value] if isinstance(value, Message) else value:
                if isinstance(inner, Message):
                    yield from _external(inner)


def _first_line(fault: BaseException) -> str:
    return next((line.strip() for line in str(fault).splitlines() if line.strip()), type(fault).__name__)
