"""A sample of requests and predictions as parquet files in a folder, for monitors: bounded in memory and on disk, never in the way.

Requests are put into a queue by whoever answers, and written by a thread of this file's own; what the queue has no room for, and what cannot be
written, is dropped and counted.
A file is written beside its place and renamed when it is whole, so that whoever reads the folder, at any time and after any crash, finds
readable files only. The columns are described in the README.
"""

from __future__ import annotations

import contextlib
import logging
import math
import random
import re
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
from secrets import token_hex
from typing import Any, NamedTuple

import numpy
import orjson

from drupe.errors import InvalidSettings
from drupe.lazy import need
from drupe.models import ColSpec, DataType, ModelSignature, TensorSpec
from drupe_serving.asked import Asked, Columns
from drupe_serving.encoding import bare_json

__all__ = ["InferenceLog"]

QUEUED, QUEUED_BYTES = 10_000, 256 << 20
ROWS_A_FILE, BYTES_A_FILE = 50_000, 64 << 20
SECONDS_A_FILE = 30.0
JSON_MAX = 1 << 20  # letters of an input that is JSON
TORN_AFTER_S = 600.0  # a file is written in far less
_OURS = re.compile(r"\d{8}T\d{6}-[0-9a-f]+-\d{6}\.parquet")  # the folder may hold what is none of ours

log = logging.getLogger("drupe.serving")


_Rows = list[dict[str, Any]]
"""Those of one request."""


class _Noted(NamedTuple):
    request_id: str
    at: datetime
    ms: float
    asked: Asked
    predictions: Any
    size_bytes: int


class InferenceLog:
    """Writes to `folder`, at most `most_bytes` of it. `sample` is the share of requests that is kept."""

    def __init__(
        self,
        folder: Path,
        model: str,
        signature: ModelSignature | None,
        *,
        sample: float = 1.0,
        most_bytes: int = 1 << 30,
        rows_a_file: int = ROWS_A_FILE,
        seconds_a_file: float = SECONDS_A_FILE,
    ) -> None:
        self._arrow = need("pyarrow", to="write the inference log")
        need("pyarrow.parquet", to="write the inference log", install="pyarrow")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise InvalidSettings(f"the inference log cannot be kept in {str(folder)!r}: {fault.strerror}") from fault
        self._folder, self._model, self._sample, self._most_bytes = folder, model, sample, most_bytes
        self._rows_a_file, self._seconds_a_file = rows_a_file, seconds_a_file
        self._inputs, self._output = _input_types(self._arrow, signature), _output_type(self._arrow, signature)
        self._schema = self._make_schema()
        self._queue: Queue[_Noted | None] = Queue(QUEUED)
        self._files = 0
        self._token = token_hex(6)  # in a folder that several machines write to, processes have one number and begin in one second
        self.noted = 0
        self._refused = self._lost = 0  # each counted by one thread
        self._put_bytes = self._taken_bytes = 0
        self._remove_torn_files()
        self._thread = threading.Thread(target=self._write_all, name="drupe-inference-log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Requests of the sample that are not in the files, and never will be."""
        return self._refused + self._lost

    def note(self, request_id: str, asked: Asked, predictions: Any, seconds: float, size_bytes: int = 0) -> None:
        """Keep a request of that size, if it is one of the sample and there is room; returns at once."""
        if self._sample < 1.0 and random.random() >= self._sample:
            return
        if self._put_bytes - self._taken_bytes + size_bytes > QUEUED_BYTES:
            self._refused += 1
            return
        try:
            self._queue.put_nowait(_Noted(request_id, datetime.now(UTC), seconds * 1000, asked, predictions, size_bytes))
            self._put_bytes += size_bytes
        except Full:
            self._refused += 1

    def close(self) -> None:
        """Write what is there."""
        with contextlib.suppress(Full):
            self._queue.put(None, timeout=5)
        self._thread.join(10)

    def _make_schema(self) -> Any:
        arrow = self._arrow
        head = [
            ("request_id", arrow.string()),
            ("row", arrow.int32()),
            ("at", arrow.timestamp("us", tz="UTC")),
            ("latency_ms", arrow.float64()),
            ("model", arrow.string()),
            ("params", arrow.string()),
        ]
        inputs = [(f"input.{name}", kind) for name, kind in self._inputs.items()] or [("input", arrow.string())]
        return arrow.schema([*head, *inputs, ("prediction", self._output)])

    def _write_all(self) -> None:
        held: list[_Rows] = []
        rows = size_bytes = 0
        due = 0.0
        while True:
            try:
                one = self._queue.get(timeout=max(0.0, due - time.monotonic()) if held else None)
            except Empty:
                one = None
            else:
                if one is None:
                    self._write(held)
                    return
                if not held:
                    due = time.monotonic() + self._seconds_a_file
                try:
                    held.append(self._rows_of(one))
                    rows, size_bytes = rows + len(held[-1]), size_bytes + one.size_bytes
                except Exception:  # what a model takes and gives may be anything
                    self._lost += 1
                    log.warning("request %s could not be written to the inference log", one.request_id, exc_info=True)
                self._taken_bytes += one.size_bytes
            if held and (rows >= self._rows_a_file or size_bytes >= BYTES_A_FILE or time.monotonic() >= due):
                self._write(held)
                held, rows, size_bytes = [], 0, 0

    def _rows_of(self, one: _Noted) -> _Rows:
        asked = one.asked
        inputs, params = asked.inputs, orjson.dumps(asked.params).decode() if asked.params else None
        head = {"request_id": one.request_id, "at": one.at, "latency_ms": one.ms, "model": self._model, "params": params}
        if type(inputs) is Columns and self._inputs:
            names = [f"input.{name}" for name in inputs.names]
            tables: Sequence[Mapping[str, Any]] = [dict(zip(names, row, strict=True)) for row in zip(*inputs.values, strict=True)]
        else:
            tables = [{"input": text} for text in _texts(inputs if type(inputs) is not Columns else inputs.frame())]
        outputs = self._outputs(one.predictions, len(tables))
        return [
            {**head, "row": row, **table, "prediction": output} for row, (table, output) in enumerate(zip(tables, outputs, strict=True))
        ]

    def _outputs(self, predictions: Any, rows: int) -> list[Any]:
        """A prediction for each row; all of them as one text in the first where there are not as many."""
        values = predictions.tolist() if hasattr(predictions, "tolist") else predictions
        if hasattr(predictions, "columns"):
            values = predictions.iloc[:, 0].tolist() if len(predictions.columns) == 1 and self._is_typed else predictions.to_dict("records")
        if not isinstance(values, list) or len(values) != rows:
            values = [values, *([None] * (rows - 1))]
        if self._is_typed:
            values = [value if not isinstance(value, list) else value[0] if len(value) == 1 else None for value in values]
            return [_whole(value) for value in values] if self._arrow.types.is_integer(self._output) else values
        return [None if value is None else bare_json(value).decode() for value in values]

    @property
    def _is_typed(self) -> bool:
        return bool(self._output != self._arrow.string())

    def _write(self, held: Sequence[_Rows]) -> None:
        """A file of these requests, but for those whose values have no place in it."""
        try:
            fitting, table = held, self._table(held)
        except Exception:  # pyarrow's, of many kinds: a model may give what its signature does not say
            fitting = [rows for rows in held if self._fits(rows)]
            self._lost += len(held) - len(fitting)
            log.warning("%d requests do not fit the columns of the inference log", len(held) - len(fitting))
            table = self._table(fitting)
        if not fitting:
            return
        self._files += 1
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{self._token}-{self._files:06d}.parquet"
        beside = self._folder / f".{name}.part"
        try:
            self._arrow.parquet.write_table(table, beside, compression="zstd")
            beside.replace(self._folder / name)
        except Exception as fault:  # a full disk, a folder that is gone: answers go on
            self._lost += len(fitting)
            log.warning("%d requests could not be written to the inference log: %s", len(fitting), fault)
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            return
        self.noted += len(fitting)
        self._make_room()

    def _table(self, held: Sequence[_Rows]) -> Any:
        columns = {one: [row.get(one) for rows in held for row in rows] for one in self._schema.names}
        return self._arrow.table(columns, schema=self._schema)

    def _fits(self, rows: _Rows) -> bool:
        try:
            self._table([rows])
        except Exception:  # as above
            return False
        return True

    def _remove_torn_files(self) -> None:
        """What processes that were killed have left, but not what another worker writes just now."""
        for file in self._folder.glob(".*.parquet.part"):
            with contextlib.suppress(OSError):
                if _OURS.fullmatch(file.name[1:].removesuffix(".part")) and time.time() - file.stat().st_mtime > TORN_AFTER_S:
                    file.unlink()

    def _make_room(self) -> None:
        files = sorted(file for file in self._folder.glob("*.parquet") if _OURS.fullmatch(file.name))
        sizes = {file: _size(file) for file in files}
        left = sum(sizes.values())
        for file in files[:-1]:
            if left <= self._most_bytes:
                return
            with contextlib.suppress(OSError):  # another worker has seen to it
                file.unlink()
            left -= sizes[file]


def _whole(value: Any) -> Any:
    """A value for a column of whole numbers, in which pyarrow would cut off what is behind the point. Raises ValueError."""
    if not isinstance(value, float) or value.is_integer():
        return value
    if math.isnan(value):
        return None
    raise ValueError(f"the prediction {value} is not the whole number that the model's signature says")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _types(arrow: Any) -> dict[DataType, Any]:
    return {
        DataType.boolean: arrow.bool_(),
        DataType.integer: arrow.int32(),
        DataType.long: arrow.int64(),
        DataType.float: arrow.float32(),
        DataType.double: arrow.float64(),
        DataType.string: arrow.string(),
        DataType.binary: arrow.binary(),
        DataType.datetime: arrow.timestamp("us"),
    }


def _input_types(arrow: Any, signature: ModelSignature | None) -> dict[str, Any]:
    """A column for each of the signature's, where all of them are scalars with names; else none, and inputs are kept as JSON."""
    schema = signature.inputs if signature else None
    if schema is None or schema.is_tensor_spec() or not schema.has_input_names():
        return {}
    types = _types(arrow)
    if not all(isinstance(spec, ColSpec) and isinstance(spec.type, DataType) for spec in schema):
        return {}
    return {str(spec.name): types[spec.type] for spec in schema if isinstance(spec.type, DataType)}


def _output_type(arrow: Any, signature: ModelSignature | None) -> Any:
    """The type of predictions where the signature has one scalar for each row; else text, which is JSON."""
    schema = signature.outputs if signature else None
    if schema is None or len(schema) != 1:
        return arrow.string()
    (spec,) = schema
    if isinstance(spec, TensorSpec):
        kind = numpy.dtype(spec.dtype)
        return arrow.from_numpy_dtype(kind) if spec.shape in ((-1,), (-1, 1)) and kind.kind in "biuf" else arrow.string()
    types = _types(arrow)
    if isinstance(spec.type, DataType) and spec.type not in (DataType.string, DataType.binary):
        return types[spec.type]
    return arrow.string()


def _texts(inputs: Any) -> list[str | None]:
    """A JSON text for each row, or one for all where there are no rows to tell apart; None for one that is too long to keep."""
    if hasattr(inputs, "to_dict"):
        inputs = inputs.to_dict(orient="records")
    if isinstance(inputs, numpy.ndarray) and inputs.ndim:
        inputs = list(inputs)
    texts = [bare_json(one).decode() for one in (inputs if isinstance(inputs, list) and inputs else [inputs])]
    return [text if len(text) <= JSON_MAX else None for text in texts]
