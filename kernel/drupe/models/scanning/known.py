"""Formats of plain data that are told by how they begin: reading them makes numbers, texts and pictures, and runs nothing."""

from __future__ import annotations

import json

__all__ = ["is_known_data", "is_onnx", "is_program"]

_BEGINNINGS = (
    b"PAR1",  # Parquet
    b"ARROW1",
    b"FEA1",  # Feather
    b"ORC",
    b"Obj\x01",  # Avro
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF
    b"MM\x00*",
    b"SQLite format 3\x00",
    b"GGUF",
    b"CBM1",  # CatBoost
    b"\xef\xbb\xbf",  # the mark before UTF-8
)
_PROGRAMS = {
    b"\x7fELF": "a program or library of Linux",
    b"MZ": "a program or library of Windows",
    b"\xcf\xfa\xed\xfe": "a program or library of macOS",
    b"\xca\xfe\xba\xbe": "a program or library of macOS, or a Java class",
    b"#!": "a script",
}
# field numbers of ModelProto, with the wire types that they have
_ONNX_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_MOST_FIELDS = 10_000


def is_program(head: bytes) -> str | None:
    """What kind of program begins like this, or None."""
    return next((kind for mark, kind in _PROGRAMS.items() if head.startswith(mark)), None)


def is_known_data(head: bytes, size: int) -> bool:
    """True for data formats that are known by how they begin; `head` is the first few thousand bytes of a file of `size` bytes."""
    if head.startswith(_BEGINNINGS) or (head.startswith(b"RIFF") and head[8:12] in (b"WEBP", b"WAVE")):
        return True
    return _is_safetensors(head, size) or _is_ubjson(head)


def is_onnx(content: bytes) -> bool:
    """True when these bytes, which may be the beginning of a larger file, are the fields of an ONNX model one after another."""
    place, seen = 0, set()
    for _ in range(_MOST_FIELDS):
        if place >= len(content):
            break
        key, place = _varint(content, place)
        number, wire = key >> 3, key & 7
        if _ONNX_FIELDS.get(number) != wire:
            return False
        seen.add(number)
        value, place = _varint(content, place)
        if place < 0:
            return False
        if number == 1 and not 0 < value < 100:
            return False
        if wire == 2:
            place += value
    return 1 in seen and bool(seen & {7, 8})


def _varint(content: bytes, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(content):
            return value, -1
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if not byte & 128:
            return value, place
    return value, -1


def _is_safetensors(head: bytes, size: int) -> bool:
    length = int.from_bytes(head[:8], "little")
    if len(head) < 9 or not 2 <= length <= size - 8 or head[8:9] != b"{":
        return False
    if length > len(head) - 8:
        return b'"dtype"' in head or b'"__metadata__"' in head
    try:
        return isinstance(json.loads(head[8 : 8 + length]), dict)
    except (ValueError, RecursionError):
        return False


def _is_ubjson(head: bytes) -> bool:
    """XGBoost's own format: a map whose first key has its length before it."""
    return head[:1] == b"{" and head[1:2] in (b"L", b"l", b"i", b"U", b"I") and (b"learner" in head[:64] or b"version" in head[:64])
