"""Predictions to files: a part for each chunk in a folder beside the place, put together when all are there.

So the file is whole or not there, and the same command goes on after an interruption with the parts that are.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy
import pandas

from drupe.errors import InvalidValue
from drupe.lazy import need
from drupe_serving.rows_of_files import KINDS

__all__ = ["Output", "elements", "frame", "is_many", "plain", "text_of"]

JOB, LOCK = "job.json", "lock"


class Output:
    """Predictions on their way to `file`; `job` says what is predicted for what, and parts of another job are not used."""

    def __init__(self, file: Path, job: Mapping[str, Any], *, restart: bool = False) -> None:
        self._file, self._job = file, dict(job)
        self._kind = KINDS.get(file.suffix.lower(), "json")
        self.folder = file.with_name(f"{file.name}.parts")
        try:
            self.folder.mkdir(exist_ok=True)
            self._lock = _alone(self.folder)
            self.done = self._begin(restart)
        except BlockingIOError as fault:
            raise InvalidValue(
                f"another `drupe models predict` is writing {str(file)!r} now; wait for it, or name another file", path=str(file)
            ) from fault
        except OSError as fault:
            raise _unwritable(file, fault) from fault

    def _begin(self, restart: bool) -> int:
        """How many parts are there already."""
        if restart:
            for left in self.folder.iterdir():
                if left.name != LOCK:
                    left.unlink()
        note = self.folder / JOB
        try:
            known = json.loads(note.read_text())
        except FileNotFoundError:
            known = None
        except ValueError:
            known = {}
        if known is not None and known != json.loads(json.dumps(self._job)):
            self._lock.close()
            raise InvalidValue(
                f"{self.folder} holds parts of other predictions (another model, input or --chunk-rows); give --restart to begin anew"
            )
        if known is None:
            _write(note, json.dumps(self._job).encode())
        return sum(1 for _ in self.folder.glob("*.part"))

    def put(self, place: int, predictions: Any) -> None:
        """Keep the predictions of a chunk. Raises InvalidValue."""
        beside = self.folder / f"{place:06d}.writing"
        try:
            if self._kind in ("parquet", "arrow"):
                frame(predictions).to_parquet(beside, index=False)
                _sync(beside)
            elif self._kind == "csv":
                _write(beside, frame(predictions).to_csv(index=False, header=place == 0).encode())
            elif self._kind == "jsonl":
                _write(beside, "".join(f"{text}\n" for text in elements(predictions)).encode())
            else:
                _write(beside, ", ".join(elements(predictions)).encode() if is_many(predictions) else text_of(predictions).encode())
            beside.replace(beside.with_suffix(".part"))
        except OSError as fault:
            raise _unwritable(self._file, fault) from fault

    def finish(self, is_one: bool) -> None:
        """Make the file of its parts; `is_one` when the predictions are one value and no list. Raises InvalidValue."""
        parts = sorted(self.folder.glob("*.part"), key=lambda part: int(part.stem))
        beside = self._file.with_name(f"{self._file.name}.writing")
        try:
            if self._kind in ("parquet", "arrow"):
                self._join_tables(parts, beside)
            else:
                begin, between, end = _AROUND.get(
                    self._kind, (b'{"predictions": ' + (b"" if is_one else b"["), b", ", b"}\n" if is_one else b"]}\n")
                )
                with beside.open("wb") as whole:
                    whole.write(begin)
                    written = False
                    for part in parts:
                        if part.stat().st_size:
                            whole.write(between if written else b"")
                            with part.open("rb") as piece:
                                shutil.copyfileobj(piece, whole)
                            written = True
                    whole.write(end)
                    whole.flush()
                    os.fsync(whole.fileno())
            beside.replace(self._file)
        except OSError as fault:
            raise _unwritable(self._file, fault) from fault
        self._lock.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        """Go no further; leave nothing behind where nothing was predicted."""
        self._lock.close()
        if not any(self.folder.glob("*.part")):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _join_tables(self, parts: list[Path], beside: Path) -> None:
        arrow, parquet = need("pyarrow", to="write tables"), need("pyarrow.parquet", to="write tables", install="pyarrow")
        schema = arrow.unify_schemas([parquet.read_schema(part) for part in parts], promote_options="permissive").remove_metadata()
        writer: Any = parquet.ParquetWriter(beside, schema) if self._kind == "parquet" else arrow.ipc.new_file(str(beside), schema)
        with writer:
            for part in parts:
                writer.write_table(parquet.read_table(part).cast(schema))
        _sync(beside)


_AROUND = {"csv": (b"", b"", b""), "jsonl": (b"", b"", b"")}


def elements(predictions: Any) -> list[str]:
    """A JSON text for each prediction."""
    values = plain(predictions)
    return [json.dumps(value, ensure_ascii=False) for value in (values if isinstance(values, list) else [values])]


def is_many(predictions: Any) -> bool:
    """False for predictions that are one value, not a list of them."""
    return isinstance(plain(predictions), list)


def text_of(predictions: Any) -> str:
    """The JSON text of all of them."""
    return json.dumps(plain(predictions), ensure_ascii=False)


def plain(predictions: Any) -> Any:
    """Predictions as JSON has them: records of tables, null for NaN and infinities."""
    if hasattr(predictions, "to_dict") and hasattr(predictions, "columns"):
        return [{str(key): _value(value) for key, value in row.items()} for row in predictions.to_dict(orient="records")]
    return _value(predictions.tolist() if hasattr(predictions, "tolist") else predictions)


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_value(inner) for inner in value]
    if hasattr(value, "tolist"):
        return _value(value.tolist())
    if isinstance(value, float) and not numpy.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def frame(predictions: Any) -> Any:
    """Predictions as a table."""
    if hasattr(predictions, "columns"):
        return predictions
    if hasattr(predictions, "to_frame"):
        return predictions.to_frame(name=predictions.name or "prediction")
    if isinstance(predictions, dict):
        return pandas.DataFrame(predictions)
    table = pandas.DataFrame(list(predictions) if hasattr(predictions, "__iter__") and not isinstance(predictions, str) else [predictions])
    table.columns = ["prediction"] if len(table.columns) == 1 else [f"prediction_{index}" for index in range(len(table.columns))]
    return table


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """Have what another library has written there survive a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _alone(folder: Path) -> IO[bytes]:
    """Held until it is closed, or the process ends. Raises BlockingIOError while another process holds it."""
    held = (folder / LOCK).open("wb")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        raise
    return held


def _unwritable(file: Path, fault: OSError) -> InvalidValue:
    return InvalidValue(f"the predictions cannot be written to {str(file)!r}: {fault.strerror}", path=str(file))
