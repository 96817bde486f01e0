"""Data sets described for `log_input`: a name, a digest of the content, the schema and a profile. The data itself is not stored.

Digests are of the values, so equal data has an equal digest wherever it came from.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from drupe.entities import Dataset
from drupe.errors import InvalidValue
from drupe.lazy import need

__all__ = ["from_numpy", "from_pandas"]

DIGEST_HEX = 8
_TYPES = {"b": "boolean", "i": "long", "u": "long", "f": "double", "M": "datetime", "S": "binary"}


def from_pandas(
    df: Any, source: str | None = None, targets: str | None = None, name: str | None = None, digest: str | None = None
) -> Dataset:
    """Describe a DataFrame. `source` says where it was read from; `targets` names the column to predict.

    Raises InvalidValue when `targets` is not one of the columns.
    """
    pandas = need("pandas", to="describe a DataFrame")
    if not isinstance(df, pandas.DataFrame):
        raise InvalidValue(f"from_pandas takes a DataFrame, not {type(df).__qualname__}")
    if targets is not None and targets not in df.columns:
        raise InvalidValue(f"targets is {targets!r}, which is not a column; there are {', '.join(map(str, df.columns))}")
    columns = [
        {"type": _TYPES.get(kind.kind, "string"), "name": str(column), "required": not df[column].isna().any()}
        for column, kind in df.dtypes.items()
    ]
    schema: dict[str, Any] = {"mlflow_colspec": json.loads(json.dumps(columns, default=bool))}
    if targets is not None:
        schema["targets"] = targets
    if digest is None:
        hashed = hashlib.sha256(json.dumps([[str(column), str(kind)] for column, kind in df.dtypes.items()]).encode())
        hashed.update(pandas.util.hash_pandas_object(df, index=False).to_numpy().tobytes())
        digest = hashed.hexdigest()[:DIGEST_HEX]
    return _dataset(name, digest, source, schema, {"num_rows": len(df), "num_elements": int(df.size)})


def from_numpy(
    features: Any, source: str | None = None, targets: Any = None, name: str | None = None, digest: str | None = None
) -> Dataset:
    """Describe an array, and the array of targets that belongs to it."""
    numpy = need("numpy", to="describe an array")
    arrays = {"features": numpy.asarray(features)} | ({} if targets is None else {"targets": numpy.asarray(targets)})
    if digest is None:
        hashed = hashlib.sha256()
        for part, array in arrays.items():
            hashed.update(f"{part}{array.dtype}{array.shape}".encode())
            hashed.update(numpy.ascontiguousarray(array).tobytes())
        digest = hashed.hexdigest()[:DIGEST_HEX]
    schema = {  # a text in the text: how MLflow writes and reads it
        part: json.dumps([{"type": "tensor", "tensor-spec": {"dtype": str(array.dtype), "shape": [-1, *array.shape[1:]]}}])
        for part, array in arrays.items()
    }
    profile: dict[str, Any] = {}
    for part, array in arrays.items():
        profile |= {f"{part}_shape": list(array.shape), f"{part}_size": int(array.size), f"{part}_nbytes": int(array.nbytes)}
    return _dataset(name, digest, source, {"mlflow_tensorspec": schema}, profile)


def _dataset(name: str | None, digest: str, source: str | None, schema: Any, profile: Any) -> Dataset:
    kind = "code" if source is None else "http" if source.startswith(("http://", "https://")) else "local"
    where = {"tags": {"mlflow.source.type": "LOCAL"}} if source is None else {"url" if kind == "http" else "uri": source}
    return Dataset(
        name=name or "dataset",
        digest=digest,
        source_type=kind,
        source=json.dumps(where),
        schema=json.dumps(schema),
        profile=json.dumps(profile),
    )
