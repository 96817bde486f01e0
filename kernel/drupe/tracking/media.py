"""Values that people log as files (text, dicts, figures, images, tables) turned into bytes for an artifact of a given name.

No store and no run here: `client` puts the bytes where they belong.
"""

from __future__ import annotations

import io
import json
import math
import warnings
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any, cast

from drupe.errors import InvalidValue
from drupe.lazy import need

__all__ = [
    "PREVIEW_PIXELS",
    "TABLE_TYPES",
    "dict_bytes",
    "figure_bytes",
    "image_bytes",
    "image_names",
    "join_tables",
    "table_bytes",
    "table_from_bytes",
]

TABLE_TYPES = (".json", ".parquet")
PREVIEW_PIXELS = 256


def dict_bytes(dictionary: Any, name: str) -> bytes:
    """YAML for `.yaml` and `.yml`, JSON for every other name. What neither can hold, such as a path, is written as its text.

    Raises InvalidValue for keys that are no keys there, and for values that contain themselves.
    """
    if PurePosixPath(name).suffix.lower() in (".yaml", ".yml"):
        return _yaml_bytes(dictionary, name)
    try:
        return json.dumps(dictionary, indent=2, default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidValue(f"this cannot be written as {name!r}: {fault}") from fault


def figure_bytes(figure: Any, name: str, save_kwargs: Mapping[str, Any] | None = None) -> bytes:
    """A matplotlib figure in the format of the name's ending (png when it has none), or a plotly figure as html or an image."""
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    options = dict(save_kwargs or {})
    buffer = io.BytesIO()
    if hasattr(figure, "savefig"):
        figure.savefig(buffer, **{"format": suffix or "png", **options})
        return buffer.getvalue()
    if hasattr(figure, "write_html") and hasattr(figure, "write_image"):
        if suffix == "html":
            return cast(str, figure.to_html(include_plotlyjs=True, auto_play=False, **options)).encode()
        figure.write_image(buffer, **{"format": suffix or "png", **options})
        return buffer.getvalue()
    raise InvalidValue(f"log_figure takes a matplotlib or plotly figure, not {type(figure).__module__}.{type(figure).__qualname__}")


def image_bytes(image: Any, image_format: str = "png", *, at_most: int | None = None) -> bytes:
    """A PIL image, or an array of shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), as an image file.

    Arrays hold integers 0..255, floats 0..1 (beyond that they are clipped, with a warning), or booleans. `at_most` shrinks the longer side to that many pixels. Raises InvalidValue
    for other shapes, types or ranges.
    """
    pil = need("PIL.Image", to="log images", install="pillow")
    if not isinstance(image, pil.Image):
        if hasattr(image, "to_pil"):
            image = image.to_pil()
        else:
            image = pil.fromarray(_pixels(image))
    if at_most is not None:
        image = image.copy()
        image.thumbnail((at_most, at_most))
    buffer = io.BytesIO()
    try:
        image.save(buffer, format=image_format)
    except (OSError, KeyError, ValueError) as fault:  # how Pillow refuses: a mode that the format lacks, a format that it does not know
        raise InvalidValue(f"this image of mode {image.mode} cannot be written as {image_format}: {fault}") from fault
    return buffer.getvalue()


def image_names(key: str, step: int, timestamp_ms: int, unique: str) -> tuple[str, str]:
    """Where an image of a series lies: the full one and a small one for lists, named as MLflow 3 does."""
    stem = f"images/{key.replace('/', '~')}+step+{step}+timestamp+{timestamp_ms}+{unique}"
    return f"{stem}.png", f"{stem}+compressed.webp"


def table_bytes(table: Any, name: str) -> bytes:
    """A DataFrame as JSON (`{"columns", "data"}`) or parquet, by the name's ending."""
    suffix = _table_type(name)
    if suffix == ".parquet":
        return cast(bytes, table.to_parquet(index=False))
    return cast(str, table.to_json(orient="split", index=False, date_format="iso", force_ascii=False)).encode()


def table_from_bytes(content: bytes, name: str) -> Any:
    """The DataFrame that `table_bytes` wrote."""
    pandas = need("pandas", to="read tables")
    if _table_type(name) == ".parquet":
        return pandas.read_parquet(io.BytesIO(content))
    split = json.loads(content)
    return pandas.DataFrame(split["data"], columns=split["columns"])


def join_tables(earlier: Any, data: Any) -> Any:
    """A DataFrame of `data` (a DataFrame, or a dict of columns or of single values) after the rows of `earlier` (or None)."""
    pandas = need("pandas", to="log tables")
    if isinstance(data, Mapping):
        try:
            rows = pandas.DataFrame(data)
        except ValueError:
            rows = pandas.DataFrame([data])  # single values make one row
    elif isinstance(data, pandas.DataFrame):
        rows = data
    else:
        raise InvalidValue(f"log_table takes a DataFrame or a dict of columns, not {type(data).__qualname__}")
    return rows if earlier is None else pandas.concat([earlier, rows], ignore_index=True)


def _yaml_bytes(dictionary: Any, name: str) -> bytes:
    import yaml  # here: logging metrics does without it

    try:
        return yaml.safe_dump(_tree(dictionary), sort_keys=False, allow_unicode=True).encode()
    except (TypeError, ValueError, RecursionError, yaml.YAMLError) as fault:
        raise InvalidValue(f"this cannot be written as {name!r}: {fault}") from fault


def _table_type(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    if suffix not in TABLE_TYPES:
        raise InvalidValue(f"tables are kept as {' or '.join(TABLE_TYPES)}; {name!r} has another ending")
    return suffix


def _pixels(image: Any) -> Any:
    numpy = need("numpy", to="log images")
    array = numpy.asarray(image)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise InvalidValue(f"an image array has the shape (h, w), (h, w, 1), (h, w, 3) or (h, w, 4), not {tuple(numpy.shape(image))}")
    if array.dtype == numpy.uint8:
        return array
    if array.dtype.kind == "b":
        return array.astype(numpy.uint8) * 255
    if array.dtype.kind not in "iuf" or array.size == 0:
        raise InvalidValue(f"an image array holds numbers, not {array.dtype}, and is not empty")
    low, high = float(array.min()), float(array.max())
    top = 1.0 if array.dtype.kind == "f" else 255.0
    if array.dtype.kind == "f" and math.isfinite(low) and math.isfinite(high):
        if low < 0 or high > top:
            warnings.warn(f"an image array of floats goes from {low:g} to {high:g}; it is clipped to 0..1", stacklevel=2)
            array = array.clip(0.0, top)
    elif not (low >= 0 and high <= top):  # NaN fails too
        raise InvalidValue(f"an image array of {array.dtype} holds values from 0 to {top:g}; this one goes from {low:g} to {high:g}")
    return (array * 255.0).round().astype(numpy.uint8) if top == 1.0 else array.astype(numpy.uint8)


def _plain(value: Any) -> Any:
    """numpy scalars and arrays as lists and numbers, sets as sorted lists, everything else as its text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        try:
            return sorted(value)
        except TypeError:  # of several kinds
            return sorted(value, key=str)
    return str(value)


def _tree(value: Any) -> Any:
    """The value made of types that YAML has a form for of its own, so that any reader takes it."""
    if value is None or type(value) in (str, bool, int, float, bytes, date, datetime):
        return value
    if isinstance(value, Mapping):
        return {_tree(key): _tree(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_tree(held) for held in value]
    for plain in (bool, int, float, str):
        if isinstance(value, plain):  # of a subclass, such as a member of a text enum
            return plain.__str__(value) if plain is str else plain(value)
    return _tree(_plain(value))
