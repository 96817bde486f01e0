"""Rows from CSV and JSON files for `drupe models predict`, and predictions back to such files.

The JSON forms are those of MLflow's scoring server. Types come from the model's signature: CSV columns that it calls text stay text.
"""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drupe.errors import InvalidValue
from drupe.lazy import need

if TYPE_CHECKING:
    from drupe.models import ModelSignature

__all__ = ["read_inputs", "write_predictions"]

EXACT = {"float64": 2**53, "float32": 2**24}  # up to here every whole number has a form of its own
JSON_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def read_inputs(file: Path | None, kind: str | None, signature: ModelSignature | None) -> tuple[Any, dict[str, Any]]:
    """The data in a file (None: standard input) and the params that came with it. `kind` is csv, json, or None: by the file's name.

    Raises InvalidValue when the file is missing, of unknown kind, or not what its kind says.
    """
    kind = kind or ({".csv": "csv", ".json": "json"}.get(file.suffix.lower()) if file else None)
    if kind is None:
        raise InvalidValue(f"say whether {'the input' if file is None else str(file)!r} is CSV or JSON: --content-type csv, or json")
    try:
        text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidValue(f"the input {str(file)!r} cannot be read: {fault}") from fault
    name = "the input" if file is None else str(file)
    data, params = (_from_csv(text, name, signature), {}) if kind == "csv" else _from_json(text, name, signature)
    return _whole_numbers_as_doubles(data, signature), params


def write_predictions(predictions: Any, file: Path | None) -> int:
    """Write predictions to a .csv or .json file, or print them as JSON (None); returns how many there are."""
    plain = _plain(predictions)
    if file is not None and file.suffix.lower() == ".csv":
        text = _frame(predictions).to_csv(index=False)
    else:
        text = json.dumps({"predictions": plain}, ensure_ascii=False, indent=None) + "\n"
    if file is None:
        click.echo(text, nl=False)
    else:
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as fault:
            raise InvalidValue(f"the predictions cannot be written to {str(file)!r}: {fault.strerror}", path=str(file)) from fault
    return len(plain) if isinstance(plain, list) else 1


def _from_csv(text: str, name: str, signature: ModelSignature | None) -> Any:
    pandas = need("pandas", to="read CSV")
    texts = {column.name: str for column in (signature.inputs if signature else None) or () if str(getattr(column, "type", "")) == "string"}
    try:
        return pandas.read_csv(StringIO(text), dtype=texts)
    except (ValueError, pandas.errors.ParserError) as fault:
        raise InvalidValue(f"{name} cannot be read as CSV with a header line: {fault}") from fault


def _from_json(text: str, name: str, signature: ModelSignature | None) -> tuple[Any, dict[str, Any]]:
    try:
        given = json.loads(text)
    except ValueError as fault:
        raise InvalidValue(f"{name} is not JSON: {fault}") from fault
    if isinstance(given, list):
        return need("pandas", to="read records").DataFrame(given), {}
    found = [form for form in JSON_FORMS if isinstance(given, dict) and form in given]
    if len(found) != 1:
        raise InvalidValue(
            f"{name} must be a list of records, or an object with exactly one of {', '.join(JSON_FORMS)}; it has {found or 'none'}"
        )
    params = given.get("params") or {}
    if not isinstance(params, dict):
        raise InvalidValue(f"params in {name} must be an object, not {type(params).__name__}")
    try:
        return _data(found[0], given[found[0]], signature), params
    except (ValueError, TypeError, KeyError) as fault:
        raise InvalidValue(f"{found[0]} in {name} cannot be read as a table: {fault}") from fault


def _data(form: str, data: Any, signature: ModelSignature | None) -> Any:
    if form == "dataframe_split":
        return need("pandas", to="read tables").DataFrame(data["data"], index=data.get("index"), columns=data.get("columns"))
    if form == "dataframe_records":
        return need("pandas", to="read tables").DataFrame(data)
    inputs = signature.inputs if signature else None
    if inputs is not None and not inputs.is_tensor_spec():
        return data  # what is one value and what is a column of them is for the signature to say
    if form == "instances" and data and all(isinstance(row, dict) for row in data):
        data = {key: [row[key] for row in data] for key in data[0]}
    if inputs is not None:
        return data
    numpy = need("numpy", to="read arrays")
    return {key: numpy.asarray(values) for key, values in data.items()} if isinstance(data, dict) else numpy.asarray(data)


def _whole_numbers_as_doubles(data: Any, signature: ModelSignature | None) -> Any:
    """Files say 1 where they mean 1.0: integer columns become floating where the signature says so and nothing is lost."""
    if signature is None or signature.inputs is None or not hasattr(data, "columns"):
        return data
    for spec in signature.inputs:
        kind = {"double": "float64", "float": "float32"}.get(str(spec.type))
        if kind and spec.name in data and data[spec.name].dtype.kind in "iu":
            column = data[spec.name]
            if not len(column) or -EXACT[kind] <= int(column.min()) <= int(column.max()) <= EXACT[kind]:
                data[spec.name] = column.astype(kind)
    return data


def _plain(predictions: Any) -> Any:
    if hasattr(predictions, "to_dict") and hasattr(predictions, "columns"):
        return [{str(key): _value(value) for key, value in row.items()} for row in predictions.to_dict(orient="records")]
    if hasattr(predictions, "tolist"):
        predictions = predictions.tolist()
    return _value(predictions)


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_value(inner) for inner in value]
    if hasattr(value, "tolist"):
        return _value(value.tolist())
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None  # JSON has no NaN; MLflow's scoring server sends null as well
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _frame(predictions: Any) -> Any:
    pandas = need("pandas", to="write CSV")
    if hasattr(predictions, "columns"):
        return predictions
    if hasattr(predictions, "to_frame"):
        return predictions.to_frame(name=predictions.name or "prediction")
    if isinstance(predictions, dict):
        return pandas.DataFrame(predictions)
    frame = pandas.DataFrame(list(predictions))
    frame.columns = ["prediction"] if len(frame.columns) == 1 else [f"prediction_{index}" for index in range(len(frame.columns))]
    return frame
