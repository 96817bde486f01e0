"""A sample of requests and predictions as parquet files in a folder, for monitors: bounded in memory and on disk, never in the way.

Rows are put into a queue by whoever answers, and written by a thread of this file's own; what the queue has no room for is dropped and counted.
A file is written beside its place and renamed when it is whole, so that whoever reads the folder, at any time and after any crash, finds
readable files only. The columns are described in the README.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

import numpy
import orjson

from drupe.errors import InvalidSettings
from drupe.lazy import need
from drupe.models import ColSpec, DataType, ModelSignature, TensorSpec
from drupe_serving.asked import Asked, Columns
from drupe_serving.encoding import bare_json

__all__ = ["InferenceLog"]

QUEUED = 10_000
ROWS_A_FILE = 50_000
SECONDS_A_FILE = 30.0
JSON_MAX = 1 << 20  # of one request in a row that is JSON

log = logging.getLogger("drupe.serving")


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
        self._queue: Queue[tuple[str, datetime, float, Asked, Any] | None] = Queue(QUEUED)
        self._files = 0
        self.noted = self.dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="drupe-inference-log", daemon=True)
        self._thread.start()

    def note(self, request_id: str, asked: Asked, predictions: Any, seconds: float) -> None:
        """Keep a request, if it is one of the sample and there is room; returns at once."""
        if self._sample < 1.0 and random.random() >= self._sample:
            return
        try:
            self._queue.put_nowait((request_id, datetime.now(UTC), seconds * 1000, asked, predictions))
            self.noted += 1
        except Full:
            self.dropped += 1

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
        rows: list[dict[str, Any]] = []
        due = 0.0
        while True:
            try:
                one = self._queue.get(timeout=max(0.0, due - time.monotonic()) if rows else None)
            except Empty:
                self._write(rows)
                rows = []
                continue
            if one is None:
                self._write(rows)
                return
            if not rows:
                due = time.monotonic() + self._seconds_a_file
            try:
                rows += self._rows_of(*one)
            except Exception:  # what a model takes and gives may be anything
                self.dropped += 1
                log.warning("request %s could not be written to the inference log", one[0], exc_info=True)
            if len(rows) >= self._rows_a_file or time.monotonic() >= due:
                self._write(rows)
                rows = []

    def _rows_of(self, request_id: str, at: datetime, ms: float, asked: Asked, predictions: Any) -> list[dict[str, Any]]:
        inputs, params = asked.inputs, orjson.dumps(asked.params).decode() if asked.params else None
        head = {"request_id": request_id, "at": at, "latency_ms": ms, "model": self._model, "params": params}
        if type(inputs) is Columns and self._inputs:
            names = [f"input.{name}" for name in inputs.names]
            tables: Sequence[Mapping[str, Any]] = [dict(zip(names, row, strict=True)) for row in zip(*inputs.values, strict=True)]
        else:
            tables = [{"input": text} for text in _texts(inputs if type(inputs) is not Columns else inputs.frame())]
        outputs = self._outputs(predictions, len(tables))
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
            return [value if not isinstance(value, list) else value[0] if len(value) == 1 else None for value in values]
        return [None if value is None else bare_json(value).decode() for value in values]

    @property
    def _is_typed(self) -> bool:
        return bool(self._output != self._arrow.string())

    def _write(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        self._files += 1
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}-{self._files:06d}.parquet"
        beside = self._folder / f".{name}.part"
        try:
            columns = {one: [row.get(one) for row in rows] for one in self._schema.names}
            table = self._arrow.table(columns, schema=self._schema)
            self._arrow.parquet.write_table(table, beside, compression="zstd")
            beside.replace(self._folder / name)
            self._make_room()
        except Exception as fault:  # a full disk, a folder that is gone, values that pyarrow refuses: answers go on
            self.dropped += len(rows)
            log.warning("%d rows could not be written to the inference log: %s", len(rows), fault)
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)

    def _make_room(self) -> None:
        files = sorted(self._folder.glob("*.parquet"))
        sizes = {file: _size(file) for file in files}
        left = sum(sizes.values())
        for file in files[:-1]:
            if left <= self._most_bytes:
                return
            with contextlib.suppress(OSError):  # another worker has seen to it
                file.unlink()
            left -= sizes[file]


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


def _texts(inputs: Any) -> list[str]:
    """A JSON text for each row, or one for all where there are no rows to tell apart."""
    if hasattr(inputs, "to_dict"):
        inputs = inputs.to_dict(orient="records")
    if isinstance(inputs, numpy.ndarray) and inputs.ndim:
        inputs = list(inputs)
    if isinstance(inputs, list) and inputs:
        return [bare_json(one).decode()[:JSON_MAX] for one in inputs]
    return [bare_json(inputs).decode()[:JSON_MAX]]
