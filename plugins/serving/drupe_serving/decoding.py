"""Bodies of `/invocations` to what the model takes: MLflow's media types and JSON forms."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from typing import Any

import numpy
import orjson
import pandas

from drupe.errors import DrupeError, InvalidValue, SignatureMismatch
from drupe.lazy import need
from drupe.models import DataType, LoadedModel
from drupe.models.enforce import enforce_input
from drupe_serving.asked import Asked
from drupe_serving.csv_text import csv_columns
from drupe_serving.encoding import bare_json, predictions_json
from drupe_serving.errors import UnknownMediaType
from drupe_serving.tables import TableReader

__all__ = ["CSV", "FORMS", "JSON", "PARQUET", "Decoder", "read_json"]

CSV, JSON, PARQUET = "text/csv", "application/json", "application/vnd.apache.parquet"
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")
LANGUAGE_MODEL_KEYS = ("messages", "prompt", "input")  # of requests that are the input themselves
_BOM = b"\xef\xbb\xbf"
_SPLIT_KEYS = {"columns", "index", "data"}


class Decoder:
    """Reads requests for one model. `example` is text that shows a valid one."""

    def __init__(self, model: LoadedModel, example: str) -> None:
        signature = model.signature
        inputs = signature.inputs if signature else None
        self._inputs = inputs
        self._is_hinted = bool(model.metadata.is_hinted)
        self._params = {spec.name for spec in (signature.params if signature else None) or ()}
        self.table: TableReader | None = None
        self._is_flat = False
        if signature is not None and inputs is not None and not inputs.is_tensor_spec():
            self.table = TableReader(signature, example)
            self._is_flat = all(isinstance(kind, DataType) for kind in inputs.input_types())
        self._example = example

    def decode(self, body: bytes, content_type: str | None) -> Asked:
        """What a body asks. Raises UnknownMediaType, InvalidValue, SignatureMismatch."""
        kind = JSON if content_type == JSON else _media_type(content_type)
        if kind == JSON:
            return self.asked_of(read_json(body))
        try:
            if kind == CSV:
                return self._asked(self._of_csv(_text(body)))
            return self._asked(self.of_frame(_parquet(body)))
        except RecursionError as fault:
            raise InvalidValue("the request is nested too deeply to be read") from fault

    def asked_of(self, form: Any) -> Asked:
        """What an object of JSON asks. Raises InvalidValue, SignatureMismatch."""
        if type(form) is not dict:
            raise InvalidValue(f"the body must be an object with exactly one of {', '.join(FORMS)}; it is {_named(form)}. {self._hint()}")
        found = [name for name in FORMS if name in form]
        if len(found) != 1:
            if any(key in form for key in LANGUAGE_MODEL_KEYS):
                return self._of_language_model(form)
            has = ", ".join(map(repr, found or list(form)[:8])) or "nothing"
            raise InvalidValue(f"the body must have exactly one of {', '.join(FORMS)}; it has {has}. {self._hint()}")
        params = form.get("params")
        if params is not None and type(params) is not dict:
            raise InvalidValue(f"'params' must be an object of name and value, not {_named(params)}")
        name, data = found[0], form[found[0]]
        try:
            inputs = self.inputs_of(name, data)
        except DrupeError:
            raise
        except (ValueError, TypeError, KeyError, OverflowError) as fault:  # NumPy's and pandas', for data of odd shapes
            raise InvalidValue(f"{name!r} cannot be read: {str(fault)[:300]}. {self._hint()}") from fault
        return self._asked(inputs, params)

    def _asked(self, inputs: Any, params: Mapping[str, Any] | None = None, *, is_bare: bool = False) -> Asked:
        given = params or {}
        params = {name: value for name, value in given.items() if name in self._params}
        encode = bare_json if is_bare else predictions_json
        if params:
            asked = Asked(inputs, params, params_key=orjson.dumps(params, option=orjson.OPT_SORT_KEYS), encode=encode)
        else:
            asked = Asked(inputs, encode=encode)
        if len(given) > len(params):
            asked.left_out = [*asked.left_out, *(name for name in given if name not in params)]
        return asked

    def _of_language_model(self, form: Mapping[str, Any]) -> Asked:
        params = {name: value for name, value in form.items() if name in self._params}
        return self._asked({name: value for name, value in form.items() if name not in params}, params, is_bare=True)

    def inputs_of(self, name: str, data: Any) -> Any:
        """What the model is given for `data` in the form of that name."""
        if self._is_hinted:
            if name != "inputs":
                raise InvalidValue(f"this model takes what its type hint says, as 'inputs', not {name!r}. {self._hint()}")
            return data
        if name == "dataframe_split":
            rows, columns, index = _split(data)
            if self.table is None:
                return self.of_frame(pandas.DataFrame(rows, index=index, columns=columns))
            table = self.table.of_rows(rows, columns)
            table.index = index
            return table
        if name == "dataframe_records":
            if type(data) is not list:
                raise InvalidValue(f"'dataframe_records' must be a list of objects, not {_named(data)}")
            return self.of_frame(pandas.DataFrame(data)) if self.table is None else self.table.of_records(data)
        if self.table is not None:
            return self._table_of(data)
        if name == "instances" and type(data) is list and data and type(data[0]) is dict:
            data = _by_name(data)
        if self._inputs is None:
            return _arrays(data)
        if type(data) is dict and self._inputs.has_input_names():
            data = {name: data[name] for name in self._inputs.input_names() if name in data}
        return enforce_input(data, self._inputs)

    def _table_of(self, data: Any) -> Any:
        """`inputs` or `instances` for a table; what is a value and what a column of them is for the signature to say where values are lists."""
        table = self.table
        assert table is not None
        if type(data) is list and data and all(type(one) is dict for one in data):
            return table.of_records(data)
        if not self._is_flat:
            return enforce_input(data, self._inputs)
        if type(data) is dict:
            if any(type(value) is not list for value in data.values()):
                return table.of_records([data])
            return table.of_columns(data)
        if type(data) is list and not any(type(one) is list for one in data):
            return table.of_rows([[one] for one in data], table.names if len(table.names) == 1 else None)
        if type(data) is list:
            return table.of_rows(data, None)
        return enforce_input(data, self._inputs)

    def _of_csv(self, text: str) -> Any:
        if self.table is not None:
            return csv_columns(text, self.table)
        try:
            frame = pandas.read_csv(StringIO(text))
        except (ValueError, pandas.errors.ParserError, csv.Error) as fault:
            raise InvalidValue(f"the body cannot be read as CSV with a header line: {str(fault)[:300]}") from fault
        return self.of_frame(frame)

    def of_frame(self, frame: Any) -> Any:
        """A table for a model that has no columns in its signature, or a table that has types of its own."""
        if self._inputs is None or not self._inputs.is_tensor_spec():
            return frame
        if not frame.columns.is_unique:
            raise InvalidValue(f"the columns must have names that differ; they are {list(frame.columns)!r:.300}")
        if self._inputs.has_input_names():
            return enforce_input({str(name): frame[name].tolist() for name in frame.columns}, self._inputs)
        return enforce_input(frame.to_numpy().tolist(), self._inputs)

    def _hint(self) -> str:
        return f"A valid request: {self._example}"


def read_json(body: bytes) -> Any:
    """The JSON in a body; the literals NaN and Infinity, which are none, are taken as they are meant. Raises InvalidValue."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        if body.startswith(_BOM):
            return read_json(body[len(_BOM) :])
        if b"NaN" in body or b"Infinity" in body:
            return _with_literals(body, fault)
        raise InvalidValue(f"the body is not JSON: {fault}") from fault
    except RecursionError as fault:
        raise InvalidValue("the body is nested too deeply to be read") from fault


def _with_literals(body: bytes, fault: ValueError) -> Any:
    """What Python's own reader makes of it, where that is what the quick one would have made of the rest."""
    try:
        form = json.loads(body, parse_int=_number)
        orjson.dumps(form)  # Python takes halves of surrogate pairs, which are no text and cannot be told or kept
    except (ValueError, RecursionError):
        raise InvalidValue(f"the body is not JSON: {fault}") from fault
    except TypeError as other:
        raise InvalidValue(f"the body is not JSON: {other}") from other
    return form


def _number(digits: str) -> int | float:
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else float(digits)


def _media_type(content_type: str | None) -> str:
    kind, *pairs = [part.strip() for part in (content_type or "").split(";")]
    for pair in filter(None, pairs):
        name, _, value = pair.partition("=")
        if name.strip().lower() != "charset":
            raise UnknownMediaType(f"the Content-Type has the parameter {name[:40]!r}; only charset is known")
        if value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            raise UnknownMediaType(f"bodies are read as UTF-8, not as {value[:40]!r}")
    if kind.lower() not in (CSV, JSON, PARQUET):
        told = f"not {kind[:60]!r}" if kind else "and there is none"
        raise UnknownMediaType(f"the Content-Type must be {JSON}, {CSV} or {PARQUET}, {told}")
    return kind.lower()


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise InvalidValue(f"the body is not UTF-8: byte {fault.start} is {body[fault.start]:#x}") from fault


def _parquet(body: bytes) -> Any:
    need("pyarrow", to="read parquet")
    try:
        return pandas.read_parquet(BytesIO(body))
    except Exception as fault:  # pyarrow's and pandas', of many kinds
        raise InvalidValue(f"the body cannot be read as parquet: {str(fault)[:300]}") from fault


def _split(data: Any) -> tuple[list[Any], list[Any] | None, list[Any] | None]:
    if type(data) is not dict:
        raise InvalidValue(f"'dataframe_split' must be an object with 'columns' and 'data', not {_named(data)}")
    if unknown := sorted(set(data) - _SPLIT_KEYS):
        raise InvalidValue(f"'dataframe_split' has {', '.join(map(repr, unknown[:8]))}; it may have 'columns', 'index' and 'data'")
    if type(data.get("data")) is not list:
        raise InvalidValue(f"'dataframe_split' must have 'data', a list of rows; it is {_named(data.get('data'))}")
    rows, columns, index = data["data"], data.get("columns"), data.get("index")
    if columns is not None and type(columns) is not list:
        raise InvalidValue(f"'columns' of 'dataframe_split' must be a list of names, not {_named(columns)}")
    if columns is not None and any(type(name) in (list, dict) for name in columns):
        raise InvalidValue("'columns' of 'dataframe_split' must be a list of texts or numbers, not of lists or objects")
    if index is not None and (type(index) is not list or len(index) != len(rows)):
        raise InvalidValue(f"'index' of 'dataframe_split' must be a list of {len(rows)} labels, one for each row")
    if index is not None and any(type(label) in (list, dict) for label in index):
        raise InvalidValue("'index' of 'dataframe_split' must be a list of numbers or texts, not of lists or objects")
    return rows, columns, index


def _by_name(records: Sequence[Any]) -> dict[str, list[Any]]:
    """`instances` of several tensors: a list for each name."""
    columns: dict[str, list[Any]] = {}
    for place, record in enumerate(records):
        if type(record) is not dict:
            raise InvalidValue(f"instance {place} must be an object like those before it, not {_named(record)}")
        for name, value in record.items():
            columns.setdefault(name, []).append(value)
    if len({len(values) for values in columns.values()}) > 1:
        told = ", ".join(f"{name!r} {len(values)}" for name, values in list(columns.items())[:8])
        raise SignatureMismatch(f"every instance must have the same names; of {len(records)} instances have {told}")
    return columns


def _arrays(data: Any) -> Any:
    """Data for a model without a signature, as MLflow gives it: arrays, in a dict where there are names."""
    if type(data) is dict:
        return {name: numpy.array(value) for name, value in data.items()}
    if type(data) is list and data and all(type(one) is dict for one in data):
        return [{name: numpy.array(value) for name, value in one.items()} for one in data]
    return numpy.array(data)


def _named(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")
