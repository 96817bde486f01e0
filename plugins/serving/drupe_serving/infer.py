"""The Open Inference Protocol (KServe v2): metadata of the model, and `infer` with tensors as JSON or as bytes after it.

A model of columns is given one tensor for each, with as many values as there are rows, or one tensor of rows and columns.
Protocol: https://github.com/kserve/open-inference-protocol, and its extension for binary tensors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import orjson
import pandas

from drupe import __version__
from drupe.errors import InvalidValue, SignatureMismatch
from drupe.models import ColSpec, DataType, LoadedModel, TensorSpec
from drupe.models.enforce import enforce_input
from drupe_asgi.answers import Header
from drupe_serving.asked import Asked
from drupe_serving.decoding import read_json
from drupe_serving.encoding import bare_json
from drupe_serving.tables import TableReader
from drupe_serving.tensors import DTYPES, datatype_of, from_bytes, from_values, to_bytes

__all__ = ["Inference"]

BINARY_LENGTH = b"inference-header-content-length"
LENGTH_DIGITS = 20  # no body is as long, and reading a number takes time that grows with the square of its digits
DIMENSIONS_MAX = 64  # of NumPy's arrays
JSON_HEADER: Header = (b"content-type", b"application/json")
_MODEL = re.compile(r"/v2/models/[^/]+(?:/.*)?")
_OF_COLUMNS = {
    DataType.boolean: "BOOL",
    DataType.integer: "INT32",
    DataType.long: "INT64",
    DataType.float: "FP32",
    DataType.double: "FP64",
}


class Inference:
    """The protocol for one model, known by `name` and, if it has one, `version`. `example` is text that shows a valid request."""

    def __init__(self, model: LoadedModel, name: str, version: str | None, example: str) -> None:
        signature = model.signature
        self.name, self._version, self._platform = name, version, f"drupe_{model.flavor}"
        self._inputs = signature.inputs if signature else None
        self._outputs = signature.outputs if signature else None
        self._params = {spec.name for spec in (signature.params if signature else None) or ()}
        self._is_hinted = bool(model.metadata.is_hinted)
        self._table: TableReader | None = None
        if signature is not None and self._inputs is not None and not self._inputs.is_tensor_spec() and not self._is_hinted:
            self._table = TableReader(signature, example)

    def paths(self) -> list[str]:
        """Where the model is found."""
        root = f"/v2/models/{self.name}"
        return [root] if self._version is None else [root, f"{root}/versions/{self._version}"]

    def route_of(self, path: str) -> str:
        """The path without the model's name and version, as figures have it."""
        for root in reversed(self.paths()):
            if path.startswith(root):
                return f"/v2/models/{{model}}{path[len(root) :].rstrip('/')}"
        return path

    def is_of_another(self, path: str) -> bool:
        """True for a path of the protocol that names a model or version that is not served here."""
        return _MODEL.fullmatch(path) is not None

    def server_metadata(self) -> dict[str, Any]:
        """What `GET /v2` answers."""
        return {"name": "drupe", "version": __version__, "extensions": ["binary_tensor_data"]}

    def model_metadata(self) -> dict[str, Any]:
        """What `GET /v2/models/<name>` answers."""
        form = {"name": self.name, "platform": self._platform, "inputs": _described(self._inputs), "outputs": _described(self._outputs)}
        return form | ({} if self._version is None else {"versions": [self._version]})

    def decode(self, body: bytes, json_length: bytes | None) -> Asked:
        """What a body asks; `json_length` is where its JSON ends and its bytes begin, where it has some. Raises InvalidValue."""
        form, rest = _apart(body, json_length)
        tensors = form.get("inputs")
        if type(tensors) is not list or not tensors or not all(type(tensor) is dict for tensor in tensors):
            raise InvalidValue("'inputs' must be a list of tensors, each an object with name, shape, datatype and data")
        values: dict[str, Any] = {}
        for tensor in tensors:
            name, array, rest = _read(tensor, rest)
            if name in values:
                raise InvalidValue(f"there are two inputs with the name {name!r}")
            values[name] = array
        if len(rest):
            raise InvalidValue(f"{len(rest)} bytes are left after the last input; binary_data_size of the inputs says how many there are")
        params = form.get("parameters") or {}
        if type(params) is not dict:
            raise InvalidValue("'parameters' must be an object of name and value")
        chosen = {name: value for name, value in params.items() if name in self._params}
        wanted = _wanted(form)
        is_binary = params.get("binary_data_output") is True

        def encode(predictions: Any) -> tuple[bytes, Sequence[Header]]:
            return self._encoded(predictions, form.get("id"), wanted, is_binary)

        key = orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS) if chosen else None
        return Asked(self._given(values), chosen or None, params_key=key, encode=encode)

    def _given(self, values: dict[str, Any]) -> Any:
        first = next(iter(values.values()))
        if self._is_hinted:
            return _listed(first)
        if self._table is not None:
            return self._rows(self._table, values)
        if self._inputs is not None:
            return enforce_input(values if self._inputs.has_input_names() else first, self._inputs)
        return first if len(values) == 1 else values

    def _rows(self, table: TableReader, values: dict[str, Any]) -> Any:
        (first, array), *others = values.items()
        if not others and first not in table.names and array.ndim == 2:
            return table.of_rows([list(row) for row in _listed(array)], table.names if array.shape[1] == len(table.names) else None)
        columns: dict[str, list[Any]] = {}
        for name, one in values.items():
            if one.ndim > 2 or (one.ndim == 2 and one.shape[1] != 1):
                raise InvalidValue(
                    f"input {name!r} has the shape {list(one.shape)}; a column has one value for each row: [rows] or [rows, 1]"
                )
            columns[name] = _listed(one.reshape(-1), are_bytes=table.kind_of(len(columns), name) is DataType.binary)
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            raise InvalidValue(f"inputs have a value for each row, and must have as many; they have {', '.join(map(str, sorted(lengths)))}")
        if not table.has_names:
            return table.of_rows([list(row) for row in zip(*columns.values(), strict=True)], list(columns))
        return table.of_columns(columns)

    def _encoded(
        self, predictions: Any, request_id: Any, wanted: Mapping[str, bool | None] | None, is_binary: bool
    ) -> tuple[bytes, Sequence[Header]]:
        arrays = _as_arrays(
            predictions, self._outputs.input_names() if self._outputs and self._outputs.has_input_names() else ["predictions"]
        )
        if wanted is not None:
            if unknown := [name for name in wanted if name not in arrays]:
                raise SignatureMismatch(f"the model has no output {', '.join(map(repr, unknown))}; it has {', '.join(map(repr, arrays))}")
            arrays = {name: arrays[name] for name in wanted}
        outputs: list[dict[str, Any]] = []
        tail: list[bytes] = []
        for name, array in arrays.items():
            form: dict[str, Any] = {"name": name, "datatype": datatype_of(array), "shape": list(array.shape)}
            asked = None if wanted is None else wanted[name]
            if is_binary if asked is None else asked:
                tail.append(to_bytes(array))
                form["parameters"] = {"binary_data_size": len(tail[-1])}
            else:
                form["data"] = _flat(array)
            outputs.append(form)
        answer = {"model_name": self.name} | ({} if self._version is None else {"model_version": self._version})
        head = bare_json(answer | ({} if request_id is None else {"id": request_id}) | {"outputs": outputs})
        if not tail:
            return head, (JSON_HEADER,)
        return head + b"".join(tail), ((b"content-type", b"application/octet-stream"), (BINARY_LENGTH, b"%d" % len(head)))


def _apart(body: bytes, json_length: bytes | None) -> tuple[dict[str, Any], memoryview]:
    length = len(body)
    if json_length is not None:
        if not json_length.isdigit() or len(json_length) > LENGTH_DIGITS or int(json_length) > len(body):
            raise InvalidValue(f"Inference-Header-Content-Length is {json_length.decode('latin-1')[:40]!r}; the body has {len(body)} bytes")
        length = int(json_length)
    form = read_json(body[:length])
    if type(form) is not dict:
        raise InvalidValue("the body must be an object with 'inputs', a list of tensors")
    return form, memoryview(body)[length:]


def _read(tensor: Mapping[str, Any], rest: memoryview) -> tuple[str, Any, memoryview]:
    name, shape, datatype = tensor.get("name"), tensor.get("shape"), tensor.get("datatype")
    if type(name) is not str:
        raise InvalidValue("an input has no 'name', or one that is no text")
    if type(shape) is not list or not all(type(length) is int and length >= 0 for length in shape):
        raise InvalidValue(f"input {name!r}: 'shape' must be a list of whole numbers")
    if len(shape) > DIMENSIONS_MAX:
        raise InvalidValue(f"input {name!r}: 'shape' has {len(shape)} dimensions; no array has more than {DIMENSIONS_MAX}")
    if type(datatype) is not str or datatype not in DTYPES:
        raise InvalidValue(f"input {name!r}: 'datatype' must be one of {', '.join(DTYPES)}, not {str(datatype)[:40]!r}")
    size = (tensor.get("parameters") or {}).get("binary_data_size") if isinstance(tensor.get("parameters"), dict | None) else None
    if size is None:
        if "data" not in tensor:
            raise InvalidValue(f"input {name!r} has no 'data' and no parameter binary_data_size")
        return name, from_values(name, tensor["data"], shape, datatype), rest
    if type(size) is not int or not 0 <= size <= len(rest):
        raise InvalidValue(f"input {name!r}: binary_data_size is {str(size)[:40]}, and {len(rest)} bytes are there")
    return name, from_bytes(name, rest[:size], shape, datatype), rest[size:]


def _wanted(form: Mapping[str, Any]) -> dict[str, bool | None] | None:
    """Names of the outputs that are asked for, and whether as bytes; None when all are."""
    outputs = form.get("outputs")
    if not outputs:
        return None
    if type(outputs) is not list or not all(type(one) is dict and type(one.get("name")) is str for one in outputs):
        raise InvalidValue("'outputs' must be a list of objects with a name")
    return {one["name"]: one["parameters"].get("binary_data") if isinstance(one.get("parameters"), dict) else None for one in outputs}


def _listed(array: Any, *, are_bytes: bool = False) -> Any:
    """Values as JSON would have them; bytes are texts, unless they are meant as bytes."""
    return array.tolist() if are_bytes or array.dtype != object else _texts(array.tolist())


def _texts(value: Any) -> Any:
    if isinstance(value, list):
        return [_texts(one) for one in value]
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as fault:
        raise InvalidValue(f"a text is not UTF-8: byte {fault.start} of {value[:40]!r}") from fault


def _as_arrays(predictions: Any, names: Sequence[Any]) -> dict[str, Any]:
    if isinstance(predictions, pandas.DataFrame):
        return {str(name): predictions[name].to_numpy() for name in predictions.columns}
    if isinstance(predictions, Mapping):
        return {str(name): numpy.asarray(value) for name, value in predictions.items()}
    if isinstance(predictions, list) and predictions and all(isinstance(one, Mapping) for one in predictions):
        array = numpy.empty(len(predictions), dtype=object)
        array[:] = [bare_json(one).decode() for one in predictions]
    else:
        array = numpy.asarray(predictions)
    return {str(names[0]) if len(names) == 1 else "predictions": array}


def _flat(array: Any) -> Any:
    flat = array.reshape(-1)
    return flat.tolist() if flat.dtype.kind in "biuf" else [value if isinstance(value, str) else str(value) for value in flat.tolist()]


def _described(schema: Any) -> list[dict[str, Any]]:
    found = []
    for place, spec in enumerate(schema or ()):
        name = str(spec.name if spec.name is not None else f"input_{place}")
        if isinstance(spec, TensorSpec):
            found.append({"name": name, "datatype": datatype_of(numpy.empty(0, spec.dtype)), "shape": list(spec.shape)})
        else:
            assert isinstance(spec, ColSpec)
            datatype = _OF_COLUMNS.get(spec.type, "BYTES") if isinstance(spec.type, DataType) else "BYTES"
            found.append({"name": name, "datatype": datatype, "shape": [-1]})
    return found
