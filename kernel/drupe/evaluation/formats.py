"""Files of an evaluation as values again: images, tables, arrays, JSON and text, told by their names. Pickles are never read."""

from __future__ import annotations

import io
import json
from pathlib import PurePosixPath
from typing import Any

from drupe.errors import InvalidValue, UntrustedModel
from drupe.lazy import need

__all__ = ["KINDS", "as_table", "decoded", "kind_of"]

KINDS = {
    ".png": "Image",
    ".jpg": "Image",
    ".jpeg": "Image",
    ".json": "Json",
    ".npy": "Numpy",
    ".csv": "Csv",
    ".parquet": "Parquet",
    ".txt": "Text",
    ".pickle": "Pickle",
}
"""What MLflow calls an artifact whose name ends so: `ImageEvaluationArtifact` and so on."""


def kind_of(name: str) -> str:
    """The kind of the file of that name. Raises InvalidValue for an ending that an evaluation does not have."""
    kind = KINDS.get(PurePosixPath(name).suffix.lower())
    if kind is None:
        raise InvalidValue(f"{name!r} is no file of an evaluation; those end with {', '.join(KINDS)}")
    return kind


def decoded(name: str, raw: bytes) -> Any:
    """The content of a file as MLflow gives it: a PIL image, DataFrame, array, plain JSON value or text. Raises UntrustedModel for a pickle."""
    kind = kind_of(name)
    if kind == "Image":
        image = need("PIL.Image", to="look at pictures", install="pillow").open(io.BytesIO(raw))
        image.load()
        return image
    if kind == "Csv":
        return need("pandas", to="read tables").read_csv(io.BytesIO(raw))
    if kind == "Parquet":
        return need("pandas", to="read tables").read_parquet(io.BytesIO(raw))
    if kind == "Numpy":
        return need("numpy", to="read arrays").load(io.BytesIO(raw), allow_pickle=False)
    if kind == "Json":
        return json.loads(raw)
    if kind == "Text":
        return raw.decode()
    raise UntrustedModel(f"{name!r} is a pickle: reading it would run what is in it; if you know who wrote it, read it with pickle.load")


def as_table(name: str, raw: bytes) -> Any | None:
    """The DataFrame in a file that is a table, as CSV, parquet or MLflow's JSON; None for other files."""
    kind = kind_of(name)
    if kind in ("Csv", "Parquet"):
        return decoded(name, raw)
    if kind == "Json":
        content = json.loads(raw)
        if isinstance(content, dict) and set(content) == {"columns", "data"}:
            return need("pandas", to="read tables").DataFrame(content["data"], columns=content["columns"])
    return None
