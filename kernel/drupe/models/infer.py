"""A signature from examples of what a model takes and gives.

Tables, series, dicts and lists become columns, arrays become tensors (-1 for the first axis). A column with a missing value
becomes optional. What cannot be described raises InvalidValue that names the column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from drupe.errors import InvalidValue
from drupe.lazy import need
from drupe.models.casting import is_missing
from drupe.models.datatypes import AnyType, Array, ColumnType, DataType, Object, Property
from drupe.models.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from drupe.models.signature import ModelSignature

__all__ = ["infer_params", "infer_schema", "infer_signature"]


def infer_signature(model_input: Any = None, model_output: Any = None, params: Mapping[str, Any] | None = None) -> ModelSignature:
    """The signature of a model that turns data like `model_input` into data like `model_output`, with these default params.

        signature = infer_signature(train_x, model.predict(train_x), params={"threshold": 0.5})

    Data may be a DataFrame, Series, NumPy array, dict of arrays, SciPy CSR or CSC matrix, dict, list of dicts, list or scalar.
    Raises InvalidValue.
    """
    return ModelSignature(
        None if model_input is None else infer_schema(model_input, "input"),
        None if model_output is None else infer_schema(model_output, "output"),
        infer_params(params) if params else None,
    )


def infer_params(params: Mapping[str, Any]) -> ParamSchema:
    """The schema of params with these values as defaults. Raises InvalidValue."""
    if not isinstance(params, Mapping):
        raise InvalidValue(f"params are a dict of name → default, not {type(params).__name__}")
    specs = []
    for name, value in params.items():
        plain = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(plain, list | tuple):
            specs.append(ParamSpec(name, _common((_type_of(v, f"param {name!r}") for v in plain), f"param {name!r}"), list(plain), (-1,)))
        else:
            specs.append(ParamSpec(name, _type_of(plain, f"param {name!r}"), plain))
    return ParamSchema(specs)


def infer_schema(sample: Any, what: str = "input") -> Schema:
    """The schema that `sample` fits; `what` says in messages what it is a sample of. Raises InvalidValue."""
    numpy = need("numpy", to="infer a signature")
    module = type(sample).__module__.partition(".")[0]
    if isinstance(sample, numpy.ndarray) or (module == "scipy" and hasattr(sample, "tocsr")):
        return Schema([_tensor(sample, None)])
    if module == "pandas" and hasattr(sample, "columns"):
        if not len(sample.columns):
            raise InvalidValue(f"the {what} has no columns to infer a signature from")
        return Schema([_column(sample.iloc[:, place], _name(name), f"{what} column {name!r}") for place, name in enumerate(sample.columns)])
    if module == "pandas" and hasattr(sample, "to_frame"):
        name = None if getattr(sample, "name", None) is None else _name(sample.name)
        return Schema([ColSpec(_series_type(sample, f"the {what}"), name, name is None or not sample.isna().any())])
    if isinstance(sample, Mapping):
        return _from_mapping(sample, what)
    if isinstance(sample, list) and sample and all(isinstance(row, Mapping) for row in sample):
        return _from_records(sample, what)
    if isinstance(sample, list | tuple):
        return Schema([ColSpec(_common((_type_of(v, f"the {what}") for v in sample), f"the {what}"))])
    return Schema([ColSpec(_type_of(sample, f"the {what}"))])


def _name(name: Any) -> str | int:
    return name if isinstance(name, str) or (isinstance(name, int) and not isinstance(name, bool)) else str(name)


def _tensor(array: Any, name: str | None) -> TensorSpec:
    if array.ndim == 0:
        return TensorSpec(array.dtype, (), name)
    return TensorSpec(array.dtype, (-1, *array.shape[1:]), name)


def _from_mapping(sample: Mapping[Any, Any], what: str) -> Schema:
    numpy = need("numpy", to="infer a signature")
    if not sample:
        raise InvalidValue(f"the {what} is an empty dict; nothing can be inferred from it")
    if all(isinstance(value, numpy.ndarray) for value in sample.values()):
        return Schema([_tensor(value, str(name)) for name, value in sample.items()])
    if not all(isinstance(name, str) for name in sample):
        raise InvalidValue(f"the {what}'s names must be text, got {list(sample)}")
    columns = []
    for name, value in sample.items():
        plain = value.tolist() if hasattr(value, "tolist") else value
        missing = is_missing(plain) or (isinstance(plain, list | tuple) and any(map(is_missing, plain)))
        columns.append(ColSpec(_type_of(plain, f"{what} {name!r}"), name, not missing))
    return Schema(columns)


def _from_records(rows: Sequence[Mapping[Any, Any]], what: str) -> Schema:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise InvalidValue(f"the {what} has rows without any value")
    columns = []
    for name in names:
        values = [row.get(name) for row in rows]
        kind = _common((_type_of(v, f"{what} {name!r}") for v in values if not is_missing(v)), f"{what} {name!r}")
        columns.append(ColSpec(kind, _name(name), not any(map(is_missing, values))))
    return Schema(columns)


def _column(series: Any, name: str | int, where: str) -> ColSpec:
    return ColSpec(_series_type(series, where), name, not bool(series.isna().any()))


def _series_type(series: Any, where: str) -> ColumnType:
    dtype = series.dtype
    if type(dtype).__name__ == "CategoricalDtype":
        return _series_type(dtype.categories.to_series(), where)
    if type(dtype).__name__ == "StringDtype":
        return DataType.string
    if dtype.kind == "O":
        series = series.infer_objects()
        dtype = series.dtype
    if dtype.kind == "O" or type(dtype).__name__ == "StringDtype":
        return _common((_type_of(v, where) for v in series if not is_missing(v)), where)
    return _numpy_type(dtype, where)


def _numpy_type(dtype: Any, where: str) -> DataType:
    kind, size = dtype.kind, getattr(dtype, "itemsize", 8)
    if kind == "b":
        return DataType.boolean
    if kind == "i" or (kind == "u" and size < 8):
        return DataType.integer if size < 4 or (kind == "i" and size == 4) else DataType.long
    if kind == "f" and size <= 8:
        return DataType.float if size <= 4 else DataType.double
    if kind in "MUS":
        return {"M": DataType.datetime, "U": DataType.string, "S": DataType.binary}[kind]
    raise InvalidValue(f"{where} has the type {dtype}, which a signature cannot describe; convert it first")


def _type_of(value: Any, where: str) -> ColumnType:
    if type(value).__module__ == "numpy" and hasattr(value, "dtype") and value.ndim == 0:
        return _numpy_type(value.dtype, where)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        if not value or not all(isinstance(name, str) for name in value):
            raise InvalidValue(f"{where} holds a dict that a signature cannot describe: it needs text keys and at least one")
        return Object(
            [Property(k, AnyType() if is_missing(v) else _type_of(v, f"{where}.{k}"), not is_missing(v)) for k, v in value.items()]
        )
    if isinstance(value, list | tuple):
        return Array(_common((_type_of(v, where) for v in value if not is_missing(v)), where))
    if is_missing(value) and not isinstance(value, float):
        return AnyType()
    for kind, found in _SCALARS:
        if isinstance(value, kind):
            return found
    raise InvalidValue(f"{where} holds {type(value).__name__}, which a signature cannot describe")


# bool before int, datetime before date: the first is a subclass of the second
_SCALARS: list[tuple[type, DataType]] = [
    (bool, DataType.boolean),
    (int, DataType.long),
    (float, DataType.double),
    (str, DataType.string),
    (bytes, DataType.binary),
    (bytearray, DataType.binary),
    (datetime, DataType.datetime),
    (date, DataType.datetime),
]


def _common(kinds: Iterable[ColumnType], where: str) -> ColumnType:
    """The one type of all, AnyType for none."""
    common: ColumnType = AnyType()
    for kind in kinds:
        common = _merge(common, kind, where)
    return common


def _merge(one: ColumnType, other: ColumnType, where: str) -> ColumnType:
    if one == other or isinstance(other, AnyType):
        return one
    if isinstance(one, AnyType):
        return other
    if {one, other} == {DataType.long, DataType.double}:
        return DataType.double
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(_merge(one.dtype, other.dtype, where))
    if isinstance(one, Object) and isinstance(other, Object):
        left, right = ({p.name: p for p in kind.properties} for kind in (one, other))
        merged = []
        for name in left | right:
            a, b = left.get(name), right.get(name)
            if a is not None and b is not None:
                merged.append(Property(name, _merge(a.dtype, b.dtype, f"{where}.{name}"), a.required and b.required))
            else:
                only = a or b
                assert only is not None
                merged.append(Property(name, only.dtype, False))
        return Object(merged)
    raise InvalidValue(f"{where} mixes {one} with {other}; a signature needs one type")
