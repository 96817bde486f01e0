"""Rows of files for `drupe models predict`: CSV, JSON lines, parquet and Arrow chunk by chunk, JSON as a whole.

Types come from the model's signature, as in requests: see `decoding` and `tables`. Parquet and Arrow have types of their own.
"""

from __future__ import annotations

import csv
import io
import itertools
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pandas

from drupe.errors import InvalidValue, SignatureMismatch
from drupe.lazy import need
from drupe_serving.asked import Columns
from drupe_serving.csv_text import typed_rows
from drupe_serving.decoding import Decoder, read_json

__all__ = ["KINDS", "Chunk", "chunks", "kind_of"]

KINDS = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
BINARY = ("parquet", "arrow")


class Chunk(NamedTuple):
    """Some rows: what the model takes, the params that came with them, how many, and the share of the file that is read, if that is known."""

    inputs: Any
    params: Mapping[str, Any]
    rows: int
    share: float | None


def kind_of(file: Path | None, told: str | None) -> str:
    """What a file is, by what is told of it and else by its name. Raises InvalidValue."""
    kind = told or (KINDS.get(file.suffix.lower()) if file else None)
    if kind is None:
        known = ", ".join(dict.fromkeys(KINDS.values()))
        raise InvalidValue(f"say what {'the input' if file is None else repr(str(file))} is: --content-type, one of {known}")
    return kind


def chunks(file: Path | None, kind: str, decoder: Decoder, rows: int | None, skip: int = 0) -> Iterator[Chunk]:
    """The rows of a file, or of standard input, `rows` at a time (None: all at once), without the first `skip` chunks.

    Raises InvalidValue that names the file and the row.
    """
    name = "the input" if file is None else str(file)
    try:
        yield from _READERS[kind](file, decoder, rows, skip)
    except (InvalidValue, SignatureMismatch) as fault:
        raise type(fault)(f"{name}: {fault.message}", **fault.details) from fault
    except (
        csv.Error,
        ValueError,
        TypeError,
        KeyError,
    ) as fault:  # pandas', NumPy's and pyarrow's, too, for rows of odd shapes and torn files
        raise InvalidValue(f"{name}: {str(fault)[:300]}") from fault
    except OSError as fault:
        raise InvalidValue(f"{name} cannot be read: {fault.strerror or fault}") from fault


def _opened(file: Path | None) -> Any:
    if file is None:
        return io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    return file.open(encoding="utf-8-sig", newline="")


def _share(file: Path | None, opened: Any, total: int) -> float | None:
    return None if file is None or not total else min(1.0, int(opened.buffer.tell()) / total)


def _of_csv(file: Path | None, decoder: Decoder, rows: int | None, skip: int) -> Iterator[Chunk]:
    with _opened(file) as text:
        total = file.stat().st_size if file else 0
        lines = (line for line in csv.reader(text, strict=True) if line)
        header = next(lines, None)
        if header is None:
            raise InvalidValue("it is empty; CSV begins with a line of column names")
        _passed_by(lines, rows, skip)
        at = skip * (rows or 0)
        while True:
            some = list(itertools.islice(lines, rows))
            if not some and at:
                return
            for place, line in enumerate(some):
                if len(line) != len(header):
                    raise InvalidValue(f"row {at + place} has {len(line)} fields, the header {len(header)}: {','.join(line)[:80]!r}")
            yield Chunk(_table_of_texts(header, some, decoder, at), {}, len(some), _share(file, text, total))
            at += len(some)
            if rows is None or len(some) < rows:
                return


def _table_of_texts(header: list[str], some: list[list[str]], decoder: Decoder, at: int) -> Any:
    table = decoder.table
    if table is None:
        return decoder.of_frame(pandas.DataFrame(some, columns=header).apply(_inferred))
    return _moved(lambda: table.of_rows(typed_rows(header, some, table), header), at)


def _inferred(column: Any) -> Any:
    """A column of texts as numbers or flags, where all of it says so, as pandas reads CSV."""
    missing = column.replace(["", "NA", "NaN", "nan", "null"], None)
    try:
        return pandas.to_numeric(missing)
    except (ValueError, TypeError):
        flags = missing.map({"True": True, "False": False, "true": True, "false": False})
        return flags.astype(bool) if len(flags) and flags.notna().all() else missing


def _of_lines(file: Path | None, decoder: Decoder, rows: int | None, skip: int) -> Iterator[Chunk]:
    with _opened(file) as text:
        total = file.stat().st_size if file else 0
        lines = (line for line in text if not line.isspace())
        _passed_by(lines, rows, skip)
        at = skip * (rows or 0)
        while True:
            records = []
            for place, line in enumerate(itertools.islice(lines, rows)):
                try:
                    records.append(orjson.loads(line))
                except orjson.JSONDecodeError:
                    try:
                        records.append(read_json(line.encode()))  # which knows NaN
                    except InvalidValue as fault:
                        raise InvalidValue(f"row {at + place} is not JSON: {line.strip()[:80]!r}") from fault
            if not records and at:
                return
            yield Chunk(_moved(lambda some=records: decoder.inputs_of("inputs", some), at), {}, len(records), _share(file, text, total))  # type: ignore[misc]
            at += len(records)
            if rows is None or len(records) < rows:
                return


def _of_json(file: Path | None, decoder: Decoder, rows: int | None, skip: int) -> Iterator[Chunk]:
    with _opened(file) as text:
        form = read_json(text.read().encode())
    if isinstance(form, list):
        form = {"dataframe_records": form}
    asked = decoder.asked_of(form)
    inputs = asked.inputs
    found = inputs.rows if type(inputs) is Columns else len(inputs) if hasattr(inputs, "__len__") else 1
    if not skip:
        _tell_left_out(asked.left_out)
        yield Chunk(asked.given(), asked.params or {}, found, 1.0)


def _of_parquet(file: Path | None, decoder: Decoder, rows: int | None, skip: int) -> Iterator[Chunk]:
    parquet = need("pyarrow.parquet", to="read parquet", install="pyarrow")
    try:
        opened = parquet.ParquetFile(file if file is not None else _buffer())
    except Exception as fault:  # pyarrow's, of many kinds
        raise InvalidValue(f"cannot be read as parquet: {str(fault)[:200]}") from fault
    with opened:
        total = opened.metadata.num_rows
        yield from _of_batches(opened.iter_batches(batch_size=rows or max(total, 1)), total, decoder, rows, skip)


def _of_arrow(file: Path | None, decoder: Decoder, rows: int | None, skip: int) -> Iterator[Chunk]:
    arrow = need("pyarrow", to="read Arrow files")
    need("pyarrow.ipc", to="read Arrow files", install="pyarrow")
    source = arrow.OSFile(str(file)) if file is not None else _buffer()
    with source:
        try:
            opened = arrow.ipc.open_file(source)
            batches = (opened.get_batch(place) for place in range(opened.num_record_batches))
        except arrow.ArrowInvalid:
            source.seek(0)
            try:
                batches = iter(arrow.ipc.open_stream(source))
            except arrow.ArrowInvalid as fault:
                raise InvalidValue(f"cannot be read as an Arrow file or stream: {str(fault)[:200]}") from fault
        yield from _of_batches(_cut(arrow, batches, rows), None, decoder, rows, skip)


def _cut(arrow: Any, batches: Iterator[Any], rows: int | None) -> Iterator[Any]:
    """Batches of as many rows as are asked for, so that a chunk is the same one when the work goes on after an interruption."""
    held: list[Any] = []
    count = 0
    for batch in batches:
        while rows is not None and count + batch.num_rows >= rows:
            held.append(batch.slice(0, rows - count))
            batch = batch.slice(rows - count)
            yield arrow.Table.from_batches(held)
            held, count = [], 0
        held.append(batch)
        count += batch.num_rows
    if held and count:
        yield arrow.Table.from_batches(held)


def _of_batches(batches: Iterator[Any], total: int | None, decoder: Decoder, rows: int | None, skip: int) -> Iterator[Chunk]:
    at = 0
    for place, batch in enumerate(batches):
        at += batch.num_rows
        if place >= skip:
            inputs = decoder.of_frame(batch.to_pandas())
            yield Chunk(inputs, {}, batch.num_rows, at / total if total else None)


def _buffer() -> Any:
    arrow = need("pyarrow", to="read this")
    return arrow.BufferReader(sys.stdin.buffer.read())


def _passed_by(lines: Iterator[Any], rows: int | None, skip: int) -> None:
    for _ in itertools.islice(lines, skip * (rows or 0)):
        pass


def _moved(read: Callable[[], Any], at: int) -> Any:
    """Read a chunk; rows in its faults are counted from its beginning, and told to be."""
    try:
        read_now = read()
    except (InvalidValue, SignatureMismatch) as fault:
        if at:
            raise type(fault)(f"in the rows from {at} on, counted from there: {fault.message}", **fault.details) from fault
        raise
    if type(read_now) is not Columns:
        return read_now
    _tell_left_out(read_now.left_out)
    return read_now.frame()


def _tell_left_out(names: Sequence[Any]) -> None:
    if names:
        warnings.warn(f"the model does not take {', '.join(map(repr, names))}, which is left out", stacklevel=3)


_READERS = {"csv": _of_csv, "jsonl": _of_lines, "json": _of_json, "parquet": _of_parquet, "arrow": _of_arrow}
