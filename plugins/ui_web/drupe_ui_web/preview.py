"""Rows of a table in a file, a page at a time: CSV and TSV, parquet where pyarrow is installed, and the JSON that `log_table` writes.

Files are not trusted: what is read of one, and what is told of a cell, is bounded, and a file that is no table is told in words.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from attrs import frozen

from drupe.errors import ArtifactNotFound, InvalidValue, UnsupportedFeature
from drupe.extend import OpenArtifact, ServedStore, WebReply, WebRequest, WebRoute
from drupe_ui_web.replies import json_reply, needed_text, whole_number
from drupe_ui_web.subjects import Place, place_of

__all__ = ["Rows", "TablePreview", "read_rows"]

ROWS_MAX = 200
COLUMNS_MAX = 200
CELL_MAX = 500
SCAN_BYTES = 256 << 20
JSON_BYTES = 16 << 20
GROUP_BYTES = 512 << 20
LINE_MAX = 256 << 10


@frozen
class Rows:
    """A page of a table. `count` is the number of all its rows; None where that would take reading the whole file."""

    columns: Sequence[str]
    kinds: Sequence[str]
    rows: Sequence[Sequence[Any]]
    count: int | None
    has_more: bool


Reader = Callable[[OpenArtifact, int, int], Rows]
"""Reads of a file as many rows as wanted, from the wanted one on."""


class TablePreview:
    """The route of tables."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [WebRoute("GET", f"{root}/preview", self.preview)]

    def preview(self, request: WebRequest) -> WebReply:
        """Rows `offset` to `offset + limit` of a table, with the names and types of its columns."""
        needed_text(request, "path")
        place = place_of(self._store, request.query)
        offset = whole_number(request, "offset", default=0, least=0, most=10**12)
        limit = whole_number(request, "limit", default=50, least=1, most=ROWS_MAX)
        found = read_rows(place, offset, limit)
        form = {
            "columns": [{"name": name, "type": kind} for name, kind in zip(found.columns[:COLUMNS_MAX], found.kinds, strict=False)],
            "column_count": len(found.columns),
            "rows": [[_cell(value) for value in row[:COLUMNS_MAX]] for row in found.rows],
            "offset": offset,
            "count": found.count,
            "has_more": found.has_more,
        }
        return json_reply(form)


def read_rows(place: Place, offset: int, limit: int) -> Rows:
    """A page of the table at a place. Raises InvalidValue, ArtifactNotFound, UnsupportedFeature."""
    ending = place.path.name.rpartition(".")[2].lower()
    readers: dict[str, Reader] = {"csv": _delimited(","), "tsv": _delimited("\t"), "parquet": _parquet, "json": _split_json}
    if ending not in readers:
        raise InvalidValue(f"{place.path.name!r} is no table; those end in {', '.join(readers)}")
    try:
        opened = place.repo.open_file(place.whole)
    except ArtifactNotFound:
        raise ArtifactNotFound(f"there is no file {str(place.path)!r} here", path=str(place.path)) from None
    with opened as file:
        return readers[ending](file, offset, limit)


def _delimited(delimiter: str) -> Reader:
    def read(file: OpenArtifact, offset: int, limit: int) -> Rows:
        csv.field_size_limit(LINE_MAX)
        rows = csv.reader(_lines(file), delimiter=delimiter)
        try:
            columns = next(rows, [])
            page = list(itertools.islice(rows, offset, offset + limit + 1))
        except csv.Error as fault:
            raise InvalidValue(f"this file is no table: {fault}") from fault
        shown = page[:limit]
        is_number = [all(_is_number(row[at]) for row in shown if at < len(row) and row[at]) and bool(shown) for at in range(len(columns))]
        has_more = len(page) > limit
        return Rows(
            columns, ["number" if known else "text" for known in is_number], shown, None if has_more else offset + len(shown), has_more
        )

    return read


def _lines(file: OpenArtifact) -> Iterator[str]:
    """The lines of a file, with their ends. Raises InvalidValue for what is no text, and where a page lies too far inside it."""
    source = io.TextIOWrapper(io.BufferedReader(_Stream(file), 1 << 20), encoding="utf-8-sig", errors="replace", newline="")
    read = 0
    while line := source.readline(LINE_MAX):
        if "\0" in line:
            raise InvalidValue("this file is no text, although its name says so")
        read += len(line)
        if read > SCAN_BYTES:
            raise InvalidValue(
                f"rows this far inside the file are not shown here: it is read from its start, and up to {SCAN_BYTES >> 20} MB"
            )
        yield line


def _parquet(file: OpenArtifact, offset: int, limit: int) -> Rows:
    if find_spec("pyarrow") is None:
        raise UnsupportedFeature("parquet files are shown where the server has pyarrow: pip install pyarrow", feature="parquet")
    from pyarrow import ArrowException, PythonFile, parquet  # here: most servers are never asked, and may not have it

    try:
        table: Any = parquet.ParquetFile(PythonFile(_Stream(file), mode="r"))  # type: ignore[no-untyped-call]
        names = list(table.schema_arrow.names)
        kinds = [_kind(str(field.type)) for field in table.schema_arrow]
        rows: list[list[Any]] = []
        total, first = table.metadata.num_rows, 0
        for group in range(table.num_row_groups):
            of_group = table.metadata.row_group(group)
            if first + of_group.num_rows > offset + len(rows) and len(rows) < limit:
                if of_group.total_byte_size > GROUP_BYTES:
                    raise InvalidValue(
                        f"this table has parts of {of_group.total_byte_size} bytes; up to {GROUP_BYTES} are shown here. Download it"
                    )
                rows += _rows_of(table, group, names[:COLUMNS_MAX], offset + len(rows) - first, limit - len(rows))
            first += of_group.num_rows
    except (ArrowException, OSError) as fault:
        raise InvalidValue(f"this parquet file cannot be read: {fault}") from fault
    return Rows(names, kinds, rows, total, offset + len(rows) < total)


def _rows_of(table: Any, group: int, columns: list[str], skip: int, limit: int) -> list[list[Any]]:
    """Rows of one part of a parquet file, from the row `skip` on."""
    found: list[list[Any]] = []
    for batch in table.iter_batches(batch_size=4096, row_groups=[group], columns=columns):
        if skip >= batch.num_rows:
            skip -= batch.num_rows
            continue
        piece = batch.slice(skip, limit - len(found))
        skip = 0
        found += [list(row) for row in zip(*(column.to_pylist() for column in piece.columns), strict=True)]
        if len(found) >= limit:
            break
    return found


def _split_json(file: OpenArtifact, offset: int, limit: int) -> Rows:
    if file.size > JSON_BYTES:
        raise InvalidValue(f"this table has {file.size} bytes; JSON is shown as a table up to {JSON_BYTES}")
    try:
        form = json.loads(file.read(0, file.size))
    except (ValueError, RecursionError) as fault:
        raise InvalidValue(f"this file is no JSON: {fault}") from fault
    columns, rows = (form.get("columns"), form.get("data")) if isinstance(form, dict) else (None, None)
    if not isinstance(columns, list) or not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise InvalidValue('this JSON is no table; one has "columns" and "data", as log_table writes it')
    shown = rows[offset : offset + limit]
    kinds = ["number" if all(isinstance(row[at], int | float) for row in shown if at < len(row)) else "text" for at in range(len(columns))]
    return Rows(list(map(str, columns)), kinds, shown, len(rows), offset + len(shown) < len(rows))


def _kind(told: str) -> str:
    return "number" if told.startswith(("int", "uint", "float", "double", "half", "decimal")) else told[:80]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cell(value: Any) -> Any:
    """A value as JSON has it, and no longer than people read."""
    if value is None or (isinstance(value, bool | int) and abs(value) < 2**53):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, dict | list):
        value = json.dumps(value, default=str, ensure_ascii=False)
    text = str(value)
    return text if len(text) <= CELL_MAX else f"{text[:CELL_MAX]}…"


class _Stream(io.RawIOBase):
    """An opened artifact as a file of Python."""

    def __init__(self, file: OpenArtifact) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        piece = self._file.read(self._at, len(buffer)) if self._at < self._file.size else b""
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
