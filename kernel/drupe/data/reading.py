"""Reading a file at an address into memory, and describing it at once. Formats are told by the name's ending.

Pickles are not among them: they run code when they are read.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drupe.data.arrays import from_numpy
from drupe.data.described import ArrayDataset, FrameDataset
from drupe.data.fetching import fetch, file_name
from drupe.data.frames import from_pandas, from_polars
from drupe.data.source import record
from drupe.errors import DrupeError, InvalidValue
from drupe.lazy import need
from drupe.uris import Uri

__all__ = ["FORMATS", "load"]

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def load(
    source: str | Path,
    format: str | None = None,
    *,
    targets: str | None = None,
    predictions: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    engine: str = "pandas",
    **options: Any,
) -> FrameDataset | ArrayDataset:
    """Read the file at a path or address and describe it; its SHA-256 is recorded with the source.

    `format` is csv, tsv, jsonl, json, parquet, arrow, npy or npz; told by the name's ending if left out. Tables become DataFrames of
    `engine` (pandas or polars) as `.df`; arrays become `.features`, or with `targets="y"` the array of that name `.targets`. `options` go
    to the reader of the library. Raises InvalidValue for a format that is not known or content that does not fit it, NoProvider for a scheme
    that no plugin serves, and what the source raises.

        train = drupe.data.load("https://example.org/train.csv", targets="price")
        model.fit(train.df.drop(columns="price"), train.df["price"])
        drupe.log_input(train, context="training")
    """
    file = Path(file_name(Uri.parse(source, query=True)))
    kind = format or _format_of(file.name)
    if kind not in FORMATS:
        raise InvalidValue(f"{file.name!r} has no format that can be read; say format=…, one of {', '.join(FORMATS)}")
    if engine not in ("pandas", "polars"):
        raise InvalidValue(f"engine is {engine!r}; use 'pandas' or 'polars'")
    folder = Path(tempfile.mkdtemp(prefix="drupe-dataset-"))
    try:
        fetched = fetch(source) if _is_local(source) else fetch(source, folder)
        try:
            content = FORMATS[kind](fetched.path, engine, options)
        except (DrupeError, KeyboardInterrupt, MemoryError):
            raise
        except Exception as fault:  # whatever the library raises for content that is not of this format
            raise InvalidValue(f"{file.name!r} cannot be read as {kind}: {type(fault).__name__}: {fault}") from fault
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    where = fetched.path.absolute() if _is_local(source) else source
    origin = record(where, sha256=fetched.sha256, size_bytes=fetched.size_bytes)
    label = name or file.name.partition(".")[0] or "dataset"
    if kind in ("npy", "npz"):
        return _array_dataset(content, origin, targets, label, digest)
    describe = from_polars if engine == "polars" else from_pandas
    return describe(content, origin, targets, label, digest, predictions)


def _is_local(source: str | Path) -> bool:
    return Uri.parse(source, query=True).scheme == "file"


def _format_of(name: str) -> str:
    lower = name.lower()
    for ending in COMPRESSED:
        if lower.endswith(ending):
            lower = lower.removesuffix(ending)
            break
    ending = lower.rpartition(".")[2]
    return _ENDINGS.get(ending, ending)


def _array_dataset(content: Any, origin: Any, targets: str | None, name: str, digest: str | None) -> ArrayDataset:
    if targets is None:
        return from_numpy(content, origin, None, name, digest)
    if not isinstance(content, Mapping) or targets not in content:
        known = ", ".join(content) if isinstance(content, Mapping) else "one array without a name"
        raise InvalidValue(f"targets is {targets!r}, which is not an array in the file; there is {known}")
    features = {label: array for label, array in content.items() if label != targets}
    return from_numpy(next(iter(features.values())) if len(features) == 1 else features, origin, content[targets], name, digest)


def _csv(path: Path, engine: str, options: Mapping[str, Any]) -> Any:
    return _library(engine).read_csv(path, **options)


def _tsv(path: Path, engine: str, options: Mapping[str, Any]) -> Any:
    return _library(engine).read_csv(path, **{"separator" if engine == "polars" else "sep": "\t", **options})


def _jsonl(path: Path, engine: str, options: Mapping[str, Any]) -> Any:
    if engine == "polars":
        return _library(engine).read_ndjson(path, **options)
    return _library(engine).read_json(path, **{"lines": True, **options})


def _json(path: Path, engine: str, options: Mapping[str, Any]) -> Any:
    return _library(engine).read_json(path, **options)


def _parquet(path: Path, engine: str, options: Mapping[str, Any]) -> Any:
    if engine == "pandas":
        need("pyarrow", to="read parquet with pandas; engine='polars' does without")
    return _library(engine).read_parquet(path, **options)


def _arrow(path: Path, engine: str, options: Mapping[str, Any]) -> Any:
    if engine == "polars":
        return _library(engine).read_ipc(path, **{"memory_map": False, **options})
    need("pyarrow", to="read Arrow files with pandas; engine='polars' does without")
    return _library(engine).read_feather(path, **options)


def _npy(path: Path, engine: str, options: Mapping[str, Any]) -> Any:
    return need("numpy", to="read arrays").load(path, **{**options, "allow_pickle": False})


def _npz(path: Path, engine: str, options: Mapping[str, Any]) -> Any:
    with need("numpy", to="read arrays").load(path, **{**options, "allow_pickle": False}) as opened:
        return {name: opened[name] for name in opened.files}


def _library(engine: str) -> Any:
    return need(engine, to="read tables")


FORMATS: dict[str, Callable[[Path, str, Mapping[str, Any]], Any]] = {
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _jsonl,
    "json": _json,
    "parquet": _parquet,
    "arrow": _arrow,
    "npy": _npy,
    "npz": _npz,
}
_ENDINGS = {"ndjson": "jsonl", "txt": "csv", "tab": "tsv", "pq": "parquet", "feather": "arrow", "ipc": "arrow"}
