"""Tables against column schemas: columns by name, in the schema's order, each made to fit, all faults told at once."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from drupe.lazy import need
from drupe.models.coercion import Coercion
from drupe.models.columns import Fault, Misfit, fit_plain, fit_typed
from drupe.models.datatypes import DataType
from drupe.models.frames import as_frame
from drupe.models.quick_frames import dtypes_of, frame_of_arrays
from drupe.models.schema import ColSpec, Schema

__all__ = ["TableFit", "tell_left_out"]

_PLAIN = {DataType.double: (float, int), DataType.long: (int,), DataType.string: (str,), DataType.boolean: (bool,)}
"""Types whose plain values are taken as they are by the quick way, with the Python types that they have there."""
_EXACT_INT = 2**53


class TableFit:
    """Makes input fit one schema of columns. Made once for a model, called for each input.

    Two quick ways cover what comes most: a DataFrame that is as it should be, and records or dicts of plain values.
    """

    def __init__(self, schema: Schema, coercion: Coercion = Coercion.safe) -> None:
        self._pandas = need("pandas", to="read a table for this model")
        self._numpy = need("numpy", to="read a table for this model")
        self._schema, self._coercion = schema, coercion
        self._specs: list[ColSpec] = [spec for spec in schema if isinstance(spec, ColSpec)]
        self._names = schema.input_names()
        self._is_named = schema.has_input_names()
        self._index = self._pandas.Index(self._names)
        self._seen = self._index  # the last that was found to be equal: tables of one program mostly share theirs, and nobody can change it
        self._known = frozenset(self._names)
        self._kinds = kinds = [spec.type for spec in self._specs]
        is_flat = self._is_named and all(isinstance(kind, DataType) for kind in kinds)
        self._dtypes = [kind.to_pandas() for kind in kinds if isinstance(kind, DataType)] if is_flat else None
        self._one_dtype = self._dtypes[0] if self._dtypes and len(set(self._dtypes)) == 1 and self._dtypes[0].kind != "O" else None
        plain = [_PLAIN.get(kind) for kind in kinds if isinstance(kind, DataType)]
        self._plain = [types for types in plain if types is not None] if is_flat and None not in plain else None

    def __call__(self, given: Any) -> tuple[Any, list[Fault]]:
        """`given` as a DataFrame with the schema's columns, and every fault found (then the table is not usable).

        Columns that the schema does not name are left out with a warning, or are faults under `Coercion.exact`.
        """
        if type(given) is self._pandas.DataFrame:
            if self._is_as_it_should_be(given):
                return given, []
        elif self._plain is not None and (table := self._quickly(given)) is not None:
            return table, []
        table, is_typed = as_frame(self._pandas, given, self._schema)
        if table is None:
            return None, [Fault("", "a DataFrame, dict of columns, or list of dicts", f"is {type(given).__name__}")]
        if is_typed and self._is_as_it_should_be(table):
            return table, []
        return self._column_by_column(table, is_typed)

    def _is_as_it_should_be(self, table: Any) -> bool:
        if self._dtypes is None:
            return False
        columns = table.columns
        if columns is not self._seen:
            if not columns.equals(self._index):
                return False
            self._seen = columns
        found = dtypes_of(table)
        if found == self._dtypes:
            return True
        return self._one_dtype is None and all(
            dtype == expected or (expected.kind == "O" and type(dtype).__name__ == "StringDtype" and kind is DataType.string)
            for dtype, expected, kind in zip(found, self._dtypes, self._kinds, strict=True)
        )

    def _quickly(self, given: Any) -> Any | None:
        """Records, one record or a dict of lists with exactly the schema's names and values of exactly its types; else None, for the slow way."""
        columns = self._values(given)
        if columns is None:
            return None
        for values, types in zip(columns, self._plain or (), strict=True):
            for value in values:
                if type(value) not in types or (type(value) is int and not -_EXACT_INT <= value <= _EXACT_INT):
                    return None
        if self._one_dtype is not None:
            array = self._numpy.array(columns, dtype=self._one_dtype)
            return self._pandas.DataFrame(array.T, columns=self._index, copy=False)
        arrays = [self._numpy.array(values, dtype=dtype) for values, dtype in zip(columns, self._dtypes or (), strict=True)]
        return frame_of_arrays(self._pandas, arrays, self._index)

    def _values(self, given: Any) -> list[Sequence[Any]] | None:
        names = self._names
        if type(given) is dict:
            if len(given) != len(names) or not all(name in given for name in names):
                return None
            columns = [given[name] for name in names]
            if all(type(values) is list for values in columns):
                return columns if len({len(values) for values in columns}) == 1 else None
            return [[value] for value in columns]
        if type(given) is list and given and all(type(row) is dict and len(row) == len(names) for row in given):
            try:
                return [[row[name] for row in given] for name in names]
            except KeyError:
                return None
        return None

    def _column_by_column(self, table: Any, is_typed: bool) -> tuple[Any, list[Fault]]:
        faults: list[Fault] = []
        columns: dict[int, Any] = {}
        names: list[Any] = []
        for place, (name, spec) in enumerate(zip(self._names, self._specs, strict=True)):
            if self._is_named:
                series = table[name] if name in table.columns else None
            else:
                series = table.iloc[:, place] if place < len(table.columns) else None
            if series is None:
                if spec.required:
                    faults.append(Fault(name, str(spec.type), "is missing"))
                continue
            if getattr(series, "ndim", 1) != 1:
                faults.append(Fault(name, "one column", f"is there {series.shape[1]} times"))
                continue
            try:
                columns[place] = (
                    fit_typed(self._pandas, series, spec, self._coercion) if is_typed else fit_plain(self._pandas, series, spec)
                )
                names.append(name if self._is_named else series.name)
            except Misfit as fault:
                faults.append(Fault(name, str(spec.type), *fault.args))
        extra = [name for name in table.columns if name not in self._known] if self._is_named else list(table.columns[len(self._names) :])
        if extra and self._coercion is Coercion.exact:
            faults += [Fault(name, "no column of this name", "is there") for name in extra]
        fitted = self._pandas.DataFrame(columns, index=table.index, copy=False)
        if not faults:
            fitted.columns = self._pandas.Index(names)  # without names in the signature, two columns may have one name
            if extra:
                tell_left_out(extra, self._names, depth=5)
        return fitted, faults


def tell_left_out(extra: Sequence[Any], known: Sequence[Any], depth: int) -> None:
    """Warn that these columns or arrays of the input are not passed on; `depth` calls away from who called `predict`."""
    warnings.warn(
        f"the model does not take {_shown(extra)}, which {'is' if len(extra) == 1 else 'are'} left out; it takes {_shown(known)}",
        stacklevel=depth + 1,
    )


def _shown(names: Sequence[Any], limit: int = 12) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + more
