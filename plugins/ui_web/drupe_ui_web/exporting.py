"""The whole result of a table as a file: CSV for anybody, Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from drupe.errors import InvalidValue, MissingRequirement
from drupe.extend import ServedStore, TrackingStore, WebReply, WebRequest, WebRoute
from drupe.search import Entity, Field
from drupe_ui_web.asked import field_named, question, texts
from drupe_ui_web.cells import ATTRIBUTES, aligned
from drupe_ui_web.results import Result, found_by
from drupe_ui_web.table import OF_PAGE

__all__ = ["Exporting", "can_parquet"]

COLUMNS_MAX = 2000
RUNS_MAX = 1_000_000
BLOCK = 2000
TIMES = ("start_time", "end_time")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
KINDS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def can_parquet() -> bool:
    """True where the library that writes Parquet is installed."""
    return find_spec("pyarrow") is not None


class Exporting:
    """Files of tables over one store."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store.tracking

    def routes(self, path: str) -> list[WebRoute]:
        """What a link to a file asks."""
        return [WebRoute("GET", f"{path}/export", self.export), WebRoute("POST", f"{path}/export", self.export)]

    def export(self, request: WebRequest) -> WebReply:
        """All runs that a question finds, in its order, with their attributes and `columns`.

        The question is a JSON object in the parameter `of`, as the window's, or the body, where it is too long for an address; `as` is "csv" or "parquet". Times are ISO 8601 in UTC in CSV, and ms
        since 1970 where no calendar reaches.
        """
        kind = request.query.get("as", "csv")
        if kind not in KINDS:
            raise InvalidValue(f"'as' must be one of {', '.join(KINDS)}, got {kind[:40]!r}")
        if kind == "parquet" and not can_parquet():
            raise MissingRequirement("Parquet files are written by pyarrow, which is not installed here: pip install pyarrow; or take CSV")
        form = (request if request.body else WebRequest("GET", body=request.query.get("of", "{}").encode())).form()
        asked = question(form)
        names = [name for name in texts(form, "columns", most=COLUMNS_MAX) if name not in OF_PAGE]
        fields = {**{key: Field(Entity.ATTRIBUTE, key) for key in ATTRIBUTES}, **{name: field_named(name) for name in names}}
        result = found_by(self._store, asked, most=RUNS_MAX)
        blocks = _blocks(self._store, result, fields)
        parts = _csv(blocks, ["run_id", *fields]) if kind == "csv" else _parquet(blocks, fields)
        name = f"runs-{'-'.join(asked.experiments[:3])}.{kind}"
        return WebReply(kind=KINDS[kind], headers={"Content-Disposition": f'attachment; filename="{_plain(name)}"'}, parts=parts)


def _blocks(store: TrackingStore, result: Result, fields: Mapping[str, Field]) -> Iterator[dict[str, list[Any]]]:
    """The result in columns, some thousand runs at a time."""
    for first in range(0, len(result.run_ids), BLOCK):
        run_ids = result.run_ids[first : first + BLOCK]
        yield {"run_id": run_ids, **aligned(store, result.question, run_ids, fields)}


def _csv(blocks: Iterator[dict[str, list[Any]]], names: Sequence[str]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for columns in blocks:
        told = [_times(values) if name in TIMES else [_cell(value) for value in values] for name, values in columns.items()]
        writer.writerows(zip(*told, strict=True))
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()  # the names alone, where nothing was found


def _cell(value: Any) -> Any:
    """Texts that a spreadsheet would take for a formula begin with an apostrophe."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _times(values: Sequence[int | None]) -> list[str]:
    return ["" if value is None else _time(value) for value in values]


def _time(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # after the year 9999
        return str(ms)


def _parquet(blocks: Iterator[dict[str, list[Any]]], fields: Mapping[str, Field]) -> Iterator[bytes]:
    arrow: Any = import_module("pyarrow")  # heavy, and not everywhere installed
    parquet: Any = import_module("pyarrow.parquet")

    def type_of(name: str) -> Any:
        if name in TIMES:
            return arrow.timestamp("ms", tz="UTC")
        return arrow.float64() if name in fields and fields[name].entity is Entity.METRIC else arrow.string()

    schema = arrow.schema([(name, type_of(name)) for name in ("run_id", *fields)])
    written = _Pieces()
    with parquet.ParquetWriter(written, schema) as writer:
        for columns in blocks:
            writer.write_table(arrow.table(columns, schema=schema))
            yield written.taken()
    yield written.taken()


class _Pieces(io.RawIOBase):
    """A file that is only written to, and that forgets what was taken from it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        self._size += len(self._pieces[-1])
        return len(self._pieces[-1])

    def taken(self) -> bytes:
        """What was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)
