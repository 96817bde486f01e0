"""wandb in offline mode: what is logged is kept in a file, for `wandb sync`."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import wandb
from wandb.proto.wandb_internal_pb2 import Record

BLOCK = 32 * 1024


def place(folder: str) -> None:
    global home
    home = folder


def begin() -> str:
    return wandb.init(project="bench", mode="offline", dir=home, settings=wandb.Settings(silent=True, quiet=True)).id


def log(key: str, value: float, step: int) -> None:
    wandb.log({key: value}, step=step)


def finish() -> None:
    wandb.finish()


def read(run: str, key: str) -> tuple[Sequence[int], Sequence[float]]:
    """The history records of the run's file. The library can only send it to a server, so its frames are cut here."""
    steps, values = [], []
    for file in Path(home).glob(f"wandb/*{run}/*.wandb"):
        for raw in _records(file.read_bytes()):
            record = Record()
            record.ParseFromString(raw)
            if record.WhichOneof("record_type") == "history":
                items = {item.key or ".".join(item.nested_key): item.value_json for item in record.history.item}
                if key in items:
                    values.append(json.loads(items[key]))
                    steps.append(json.loads(items["_step"]))
    return steps, values


def _records(data: bytes) -> Iterator[bytes]:
    """The records of LevelDB's log format: blocks of 32 KiB of frames, each whole (1) or the first, a middle or the last part (2, 3, 4) of a record."""
    at, parts = 7, b""  # after the header of the file
    while at + 7 <= len(data):
        left = BLOCK - at % BLOCK
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, at)
        part = data[at + 7 : at + 7 + length]
        if kind == 0 or len(part) < length:
            return
        parts = part if kind in (1, 2) else parts + part
        if kind in (1, 4):
            yield parts
        at += 7 + length
