"""Arrays against tensor schemas: shape, type, and only conversions that lose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drupe.lazy import need
from drupe.models.coercion import Coercion
from drupe.models.columns import Fault
from drupe.models.schema import Schema, TensorSpec
from drupe.models.tables import tell_left_out

__all__ = ["fit_tensors"]


def fit_tensors(given: Any, schema: Schema, coercion: Coercion = Coercion.safe) -> tuple[Any, list[Fault]]:
    """`given` as the array, or dict of arrays by name, that the schema lists, and every fault found (then it is not usable)."""
    if not schema.has_input_names():
        (spec,) = schema
        assert isinstance(spec, TensorSpec)
        return _fit_one(_values_of(given), spec, "", coercion)
    faults: list[Fault] = []
    arrays: dict[str, Any] = {}
    parts: Mapping[Any, Any] = {}
    if isinstance(given, Mapping):
        parts = given
    elif hasattr(given, "columns"):
        parts = {name: given[name] for name in given.columns}
    elif len(schema) == 1:
        parts = {schema.input_names()[0]: given}
    else:
        return None, [Fault("", f"a dict of the arrays {', '.join(schema.input_names())}", f"is {type(given).__name__}")]
    for name, spec in schema.input_dict().items():
        assert isinstance(spec, TensorSpec)
        if name not in parts:
            faults.append(Fault(name, _described(spec), "is missing"))
            continue
        arrays[name], found = _fit_one(_values_of(parts[name]), spec, name, coercion)
        faults += found
    if extra := [name for name in parts if name not in schema.input_dict()]:
        if coercion is Coercion.exact:
            faults += [Fault(name, "no array of this name", "is there") for name in extra]
        elif not faults:
            tell_left_out(extra, schema.input_names(), depth=4)
    return arrays, faults


def _values_of(given: Any) -> Any:
    if type(given).__module__.partition(".")[0] == "pandas":
        values = given.to_numpy()
        # a column of equal lists or arrays is an array with one more axis
        if values.dtype.kind == "O" and values.size and (isinstance(values.flat[0], list | tuple) or hasattr(values.flat[0], "tolist")):
            return list(values.ravel())
        return values
    return given


def _fit_one(given: Any, spec: TensorSpec, name: str, coercion: Coercion) -> tuple[Any, list[Fault]]:
    numpy = need("numpy", to="read an array for this model")
    is_sparse = hasattr(given, "tocsr")
    if not is_sparse and not isinstance(given, numpy.ndarray):
        given, fault = _from_plain(numpy, given, spec, name)
        if fault:
            return None, [fault]
    actual, expected = given.dtype, spec.type
    if len(given.shape) != len(spec.shape) or any(want not in (-1, have) for have, want in zip(given.shape, spec.shape, strict=False)):
        return None, [Fault(name, _described(spec), f"has the shape {given.shape}", "-1 stands for any length")]
    if actual == expected or (actual.kind == expected.kind and actual.kind in "US"):
        return given, []
    if coercion is not Coercion.exact and numpy.can_cast(actual, expected, "safe") and expected.kind not in "OUS":
        return given.astype(expected), []
    if coercion is Coercion.lossless and not is_sparse and actual.kind in "iuf" and expected.kind in "iuf":
        with numpy.errstate(invalid="ignore", over="ignore"):
            converted = given.astype(expected)
            kept = (converted.astype(actual) == given) | (given != given) & (expected.kind == "f")
        if bool(kept.all()):
            return converted, []
    if expected.kind in "OU" and actual.kind in "OU":
        return given, []
    return None, [Fault(name, _described(spec), f"holds {actual}", f"convert it first: .astype({spec.dtype!r})")]


def _from_plain(numpy: Any, given: Any, spec: TensorSpec, name: str) -> tuple[Any, Fault | None]:
    """Lists and scalars have no type of their own and take the spec's, if nothing is lost."""
    try:
        array = numpy.array(given)
        if array.dtype.kind == "O" and spec.type.kind == "f":
            array = array.astype("float64")  # None stands for NaN
        if array.dtype.kind == "f" and spec.type.kind == "f":
            with numpy.errstate(over="raise"):
                return array.astype(spec.type), None
    except ArithmeticError:
        return None, Fault(name, _described(spec), f"holds numbers that {spec.dtype} has no room for")
    except (ValueError, TypeError) as fault:
        return None, Fault(name, _described(spec), f"is no array ({str(fault)[:80]})")
    if array.dtype.kind in "iu" and spec.type.kind in "iufc":
        cast = array.astype(spec.type)
        return (cast, None) if bool((cast == array).all()) else (array, None)
    return array, None


def _described(spec: TensorSpec) -> str:
    return f"{spec.dtype} of shape {spec.shape}"
