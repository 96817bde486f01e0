"""The gate in front of every `predict`: input and params are made to fit the signature, or refused in plain words.

A refusal names every column, what was expected and what was found, and shows an input that would do.
"""

from __future__ import annotations

import warnings
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from drupe.errors import InvalidValue, SignatureMismatch
from drupe.models.casting import cast
from drupe.models.coercion import Coercion
from drupe.models.datatypes import AnyType, Array, DataType, Map, Object
from drupe.models.schema import ParamSchema, Schema, TensorSpec
from drupe.models.tables import TableFit
from drupe.models.tensors import fit_tensors

__all__ = ["InputFit", "enforce_input", "enforce_params", "valid_example", "valid_request"]

_SAMPLES = {
    DataType.boolean: True,
    DataType.integer: 1,
    DataType.long: 1,
    DataType.float: 0.5,
    DataType.double: 0.5,
    DataType.string: "text",
    DataType.binary: b"bytes",
    DataType.datetime: "2024-05-01T12:30:00",
}
_COLUMNS_SHOWN = 12
_LENGTH_SHOWN = 4096


class InputFit:
    """Makes input fit a schema. Made once for a model, called for each input; without a schema, input passes as it is.

    `is_hinted` is for models whose signature MLflow took from a type hint `list[…]`: they get a list of what the one column describes.
    """

    def __init__(self, schema: Schema | None, coercion: Coercion = Coercion.safe, *, is_hinted: bool = False) -> None:
        self._schema, self._coercion = schema, coercion
        self._is_hinted = is_hinted and schema is not None and not schema.is_tensor_spec() and len(schema) == 1
        self._table: TableFit | None = None  # made by the first call, since it imports pandas

    def __call__(self, given: Any) -> Any:
        """`given` as the schema says: a DataFrame for columns, arrays for tensors. Raises SignatureMismatch."""
        schema = self._schema
        if schema is None:
            return given
        if self._is_hinted:
            return _hinted(given, schema)
        if schema.is_tensor_spec():
            fitted, faults = fit_tensors(given, schema, self._coercion)
        else:
            if self._table is None:
                self._table = TableFit(schema, self._coercion)
            fitted, faults = self._table(given)
        if faults:
            found = _names(given) if any(fault.found == "is missing" for fault in faults) else ""
            raise SignatureMismatch(
                f"the input does not fit the model's signature: {'; '.join(map(str, faults))}{found}. A valid input: {valid_example(schema)}",
                faults=[{"column": f.column, "expected": f.expected, "found": f.found, "hint": f.hint} for f in faults],
                valid_request=valid_request(schema),
            )
        return fitted


def enforce_input(given: Any, schema: Schema | None, coercion: Coercion = Coercion.safe) -> Any:
    """`given` as the schema says, once; see InputFit. Raises SignatureMismatch."""
    return InputFit(schema, coercion)(given)


def _hinted(given: Any, schema: Schema) -> Any:
    (kind,) = schema.input_types()
    values = given.iloc[:, 0] if hasattr(given, "columns") else given
    values = values.tolist() if hasattr(values, "tolist") else values
    try:
        return cast(values, Array(kind), "the input")
    except InvalidValue as fault:
        raise SignatureMismatch(
            f"the input does not fit the model's type hint: {fault.message}. A valid input: {[_sample(kind)]}"
        ) from fault


def enforce_params(given: Mapping[str, Any] | None, schema: ParamSchema | None) -> dict[str, Any]:
    """All params of the schema: the given ones checked, the others by default. Unknown ones are dropped with a warning.

    Raises SignatureMismatch that names every param of a wrong type.
    """
    if given is not None and not isinstance(given, Mapping):
        raise SignatureMismatch(f"params are a dict of name → value, not {type(given).__name__}")
    values = {str(name): value for name, value in (given or {}).items()}
    known = {spec.name: spec for spec in schema or ()}
    if unknown := sorted(set(values) - set(known)):
        takes = f"it takes {', '.join(known)}" if known else "its signature declares none"
        warnings.warn(f"the model does not take the params {', '.join(unknown)}, which are left out; {takes}", stacklevel=3)
    faults, checked = [], {}
    for name, spec in known.items():
        try:
            checked[name] = spec.check(values[name]) if name in values else spec.default
        except InvalidValue as fault:
            faults.append(fault.message)
    if faults:
        shown = {name: spec.default for name, spec in known.items()}
        raise SignatureMismatch(f"the params do not fit the model's signature: {'; '.join(faults)}. Valid params: {shown}", faults=faults)
    return checked


def _names(given: Any) -> str:
    if isinstance(given, list | tuple) and given and all(isinstance(row, Mapping) for row in given):
        given = {name: None for row in given for name in row}
    names = getattr(given, "columns", given.keys() if isinstance(given, Mapping) else None)
    if names is None:
        return "; the input has no names"
    shown = [repr(name) for name in names]
    more = f" and {len(shown) - _COLUMNS_SHOWN} more" if len(shown) > _COLUMNS_SHOWN else ""
    return f"; the input has {', '.join(shown[:_COLUMNS_SHOWN]) or 'nothing'}{more}"


def valid_example(schema: Schema) -> str:
    """Python text that makes an input which fits the schema."""
    specs = schema.input_dict()
    if schema.is_tensor_spec():
        arrays = {name: _array_text(spec) for name, spec in specs.items() if isinstance(spec, TensorSpec)}
        if not schema.has_input_names():
            return next(iter(arrays.values()))
        return "{" + ", ".join(f"{name!r}: {text}" for name, text in arrays.items()) + "}"
    shown = {name: _sample(spec.type) for name, spec in list(specs.items())[:_COLUMNS_SHOWN]}
    more = f" (and {len(specs) - len(shown)} more columns)" if len(specs) > len(shown) else ""
    if not schema.has_input_names():
        return repr(list(shown.values()) if len(specs) == 1 else [list(shown.values())]) + more
    return f"[{shown!r}]{more}"


def valid_request(schema: Schema) -> dict[str, Any]:
    """A request to a scoring server that fits the schema, as JSON says it."""
    specs = schema.input_dict()
    if schema.is_tensor_spec():
        zeros = {name: _zeros(spec.shape, spec.type.kind) for name, spec in specs.items() if isinstance(spec, TensorSpec)}
        return {"inputs": zeros if schema.has_input_names() else next(iter(zeros.values()))}
    values = {name: _in_json(_sample(spec.type)) for name, spec in specs.items()}
    if not schema.has_input_names():
        return {"dataframe_split": {"data": [list(values.values())]}}
    return {"dataframe_records": [{str(name): value for name, value in values.items()}]}


def _in_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, list):
        return [_in_json(entry) for entry in value]
    return {name: _in_json(entry) for name, entry in value.items()} if isinstance(value, dict) else value


def _zeros(shape: tuple[int, ...], kind: str) -> Any:
    if not shape:
        return {"b": False, "U": "text", "S": "text", "f": 0.0}.get(kind, 0)
    return [_zeros(shape[1:], kind) for _ in range(1 if shape[0] == -1 else min(shape[0], _LENGTH_SHOWN))]


def _array_text(spec: TensorSpec) -> str:
    shape = tuple(1 if length == -1 else length for length in spec.shape)
    return f"numpy.zeros({shape}, dtype={spec.dtype!r})"


def _sample(kind: Any) -> Any:
    if isinstance(kind, DataType):
        return _SAMPLES[kind]
    if isinstance(kind, Array):
        return [_sample(kind.dtype)]
    if isinstance(kind, Map):
        return {"key": _sample(kind.value_type)}
    if isinstance(kind, Object):
        return {prop.name: _sample(prop.dtype) for prop in kind.properties if prop.required}
    assert isinstance(kind, AnyType)
    return None
