"""Tables, arrays and plain values on their way between two processes with different libraries: as JSON with blocks of numbers beside it.

Nothing of it runs code when it is read, and it needs no library but numpy, and pandas for tables. What neither JSON nor numpy can hold is
refused with the name of its column, not sent as something near it. Who talks to whom is in `elsewhere` and `answering`.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping
from typing import IO, Any

from drupe.errors import InvalidValue
from drupe.lazy import need

__all__ = ["receive", "send"]

_TO = "hand tables to a model in its own environment"
_LENGTH = struct.Struct(">Q")
_NUMBERS = "biufcmMUS"


def send(stream: IO[bytes], kind: str, value: Any = None) -> None:
    """Write a message of that kind. Raises InvalidValue for a value that cannot be sent; nothing is written then."""
    blocks: list[bytes] = []
    head = json.dumps({"kind": kind, "value": _told(value, blocks, "the value"), "blocks": [len(block) for block in blocks]}).encode()
    for part in (_LENGTH.pack(len(head)), head, *blocks):
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[str, Any] | None:
    """The next message's kind and value; None when the other side is gone. Tables have their rows counted from 0."""
    start = stream.read(_LENGTH.size)
    if len(start) < _LENGTH.size:
        return None
    raw = stream.read(_LENGTH.unpack(start)[0])
    try:
        head = json.loads(raw)
    except ValueError:  # it ended while it was writing
        return None
    blocks = [stream.read(size) for size in head["blocks"]]
    if [len(block) for block in blocks] != head["blocks"]:
        return None
    return head["kind"], _read(head["value"], blocks)


def _told(value: Any, blocks: list[bytes], where: str) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return {"is": "plain", "value": value}
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        columns = [_column(value.iloc[:, place], blocks, str(name)) for place, name in enumerate(value.columns)]
        names = [_told(name, blocks, "a column's name") for name in value.columns.tolist()]
        return {"is": "table", "names": names, "columns": columns, "rows": len(value)}
    if hasattr(value, "iloc"):
        return {"is": "series", "column": _column(value, blocks, where)}
    if hasattr(value, "toarray"):
        value = value.toarray()
    if isinstance(value, Mapping):
        return {
            "is": "map",
            "keys": [_told(key, blocks, where) for key in value],
            "values": [_told(one, blocks, where) for one in value.values()],
        }
    if isinstance(value, list | tuple):
        return {"is": "list", "values": [_told(one, blocks, where) for one in value]}
    if hasattr(value, "__array__"):
        array = need("numpy", to=_TO).asarray(value)
        if array.dtype.kind in _NUMBERS:
            return _numbers(array, blocks)
        if array.dtype.kind == "O":
            return {"is": "objects", "shape": array.shape, "values": [_told(one, blocks, where) for one in array.ravel().tolist()]}
    if type(value).__name__ in ("NAType", "NaTType"):
        return {"is": "missing", "name": type(value).__name__}
    raise InvalidValue(
        f"{where} holds {type(value).__module__}.{type(value).__qualname__}, which cannot be sent to or from the model's own environment; use env_manager='local'"
    )


def _numbers(array: Any, blocks: list[bytes]) -> dict[str, Any]:
    held = io.BytesIO()
    need("numpy", to=_TO).save(held, array, allow_pickle=False)
    blocks.append(held.getvalue())
    return {"is": "numbers", "block": len(blocks) - 1}


def _column(series: Any, blocks: list[bytes], name: str) -> dict[str, Any]:
    """A column by what it is in pandas, so that it is the same there; texts become whatever texts are in the other pandas."""
    dtype, numpy = series.dtype, need("numpy", to=_TO)
    if hasattr(dtype, "categories"):
        told = _column(dtype.categories.to_series(), blocks, name)
        return {
            "as": "category",
            "ordered": bool(dtype.ordered),
            "categories": told,
            "codes": _numbers(series.cat.codes.to_numpy(), blocks),
        }
    if hasattr(dtype, "tz"):
        return {
            "as": "times",
            "zone": str(dtype.tz),
            "values": _numbers(series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), blocks),
        }
    if isinstance(dtype, numpy.dtype):
        if dtype.kind in _NUMBERS:
            return {"as": "numbers", "values": _numbers(series.to_numpy(), blocks)}
        return {"as": "objects", "values": [_told(one, blocks, f"the column {name!r}") for one in series.tolist()]}
    if dtype.kind in "iufb":
        gaps = series.isna().to_numpy()
        plain = series.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0)) if hasattr(dtype, "numpy_dtype") else None
        if plain is not None:
            return {"as": "optional", "dtype": str(dtype), "values": _numbers(plain, blocks), "gaps": _numbers(gaps, blocks)}
    if "str" in str(dtype).lower():
        return {"as": "texts", "values": [None if gap else str(one) for one, gap in zip(series.tolist(), series.isna(), strict=True)]}
    raise InvalidValue(
        f"the column {name!r} is of type {dtype}, which cannot be sent to the model's own environment; use env_manager='local'"
    )


def _read(told: Mapping[str, Any], blocks: list[bytes]) -> Any:
    kind = told["is"]
    if kind == "plain":
        return told["value"]
    if kind == "numbers":
        return need("numpy", to=_TO).load(io.BytesIO(blocks[told["block"]]), allow_pickle=False)
    if kind == "list":
        return [_read(one, blocks) for one in told["values"]]
    if kind == "map":
        return {_read(key, blocks): _read(value, blocks) for key, value in zip(told["keys"], told["values"], strict=True)}
    if kind == "objects":
        array = need("numpy", to=_TO).empty(len(told["values"]), dtype=object)
        for place, one in enumerate(told["values"]):
            array[place] = _read(one, blocks)
        return array.reshape(told["shape"])
    pandas = need("pandas", to=_TO)
    if kind == "missing":
        return pandas.NA if told["name"] == "NAType" else pandas.NaT
    if kind == "series":
        return _series(pandas, told["column"], blocks)
    columns = {place: _series(pandas, column, blocks) for place, column in enumerate(told["columns"])}
    table = pandas.DataFrame(columns, index=pandas.RangeIndex(told["rows"]))
    table.columns = pandas.Index([_read(name, blocks) for name in told["names"]])
    return table


def _series(pandas: Any, told: Mapping[str, Any], blocks: list[bytes]) -> Any:
    kind = told["as"]
    if kind == "category":
        categories = pandas.Index(_series(pandas, told["categories"], blocks))
        return pandas.Series(pandas.Categorical.from_codes(_read(told["codes"], blocks), categories, told["ordered"]))
    if kind == "objects":
        return pandas.Series([_read(one, blocks) for one in told["values"]], dtype=object)
    if kind == "texts":
        return pandas.Series(told["values"]) if told["values"] else pandas.Series([], dtype=object)
    values = _read(told["values"], blocks)
    if kind == "times":
        return pandas.Series(values).dt.tz_localize("UTC").dt.tz_convert(told["zone"])
    if kind == "optional":
        found = pandas.Series(values).astype(told["dtype"])
        return found.mask(_read(told["gaps"], blocks))
    return pandas.Series(values)
