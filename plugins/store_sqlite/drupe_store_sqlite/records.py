"""What pages mean: b-tree pages, their cells, and the rows in them, read without SQLite and without trusting a byte.

A cell that cannot be read is left out and makes its page `unsound`; so does one out of order. The format is that of
https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Final

from attrs import define, field, frozen

from drupe_store_sqlite.pages import Pages

__all__ = ["INDEX_INTERIOR", "INDEX_LEAF", "TABLE_INTERIOR", "TABLE_LEAF", "Cell", "Node", "Value", "read_node"]

Value = int | float | str | bytes | None
INDEX_INTERIOR: Final = 2
TABLE_INTERIOR: Final = 5
INDEX_LEAF: Final = 10
TABLE_LEAF: Final = 13
_INTEGERS = (0, 1, 2, 3, 4, 6, 8)
_LEAST = {TABLE_LEAF: 3, INDEX_LEAF: 3, INDEX_INTERIOR: 5, TABLE_INTERIOR: 5}


class _Broken(Exception):
    """Bytes that cannot be what they should be."""


@frozen
class Cell:
    """A row: its number (None in an index) and its values, and the overflow pages that it takes."""

    rowid: int | None
    values: tuple[Value, ...]
    overflow: tuple[int, ...] = ()


@define
class Node:
    """One page of a b-tree. `lost` counts the cells that could not be read."""

    kind: int
    cells: list[Cell] = field(factory=list)
    children: list[int] = field(factory=list)
    lost: int = 0
    is_sound: bool = True


def read_node(pages: Pages, number: int) -> Node | None:
    """The page of that number as part of a b-tree, as far as it can be read; None when it cannot be one."""
    content = pages[number]
    start = 100 if number == 1 else 0
    if len(content) <= start + 12 or content[start] not in _LEAST:
        return None
    kind = content[start]
    count = int.from_bytes(content[start + 3 : start + 5], "big")
    at = start + (12 if kind in (TABLE_INTERIOR, INDEX_INTERIOR) else 8)
    if at + 2 * count > len(content) or count > pages.usable // _LEAST[kind]:
        return None
    node = Node(kind, is_sound=len(content) == pages.size)
    for place in struct.unpack_from(f">{count}H", content, at):
        try:
            if place < at + 2 * count:
                raise _Broken
            _read_cell(pages, content, place, node)
        except (_Broken, IndexError, struct.error, UnicodeDecodeError):
            node.lost += 1
            node.is_sound = False
    if kind in (TABLE_INTERIOR, INDEX_INTERIOR):
        node.children.append(int.from_bytes(content[start + 8 : start + 12], "big"))
    rowids = [cell.rowid for cell in node.cells if cell.rowid is not None]
    if any(one >= other for one, other in pairwise(rowids)):
        node.is_sound = False
    return node


def _read_cell(pages: Pages, content: bytes, place: int, node: Node) -> None:
    if node.kind in (TABLE_INTERIOR, INDEX_INTERIOR):
        node.children.append(int.from_bytes(content[place : place + 4], "big"))
        place += 4
        if node.kind == TABLE_INTERIOR:
            return
    size, place = _varint(content, place)
    rowid = None
    if node.kind == TABLE_LEAF:
        unsigned, place = _varint(content, place)
        rowid = unsigned - (1 << 64) if unsigned >> 63 else unsigned
    if size > pages.count * pages.size:
        raise _Broken
    payload, overflow = _payload(pages, content, place, size, is_table=node.kind == TABLE_LEAF)
    node.cells.append(Cell(rowid, _values(payload), overflow))


def _payload(pages: Pages, content: bytes, place: int, size: int, *, is_table: bool) -> tuple[bytes, tuple[int, ...]]:
    usable = pages.usable
    most = usable - 35 if is_table else (usable - 12) * 64 // 255 - 23
    here = size
    if size > most:
        least = (usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (usable - 4)
        here = here if here <= most else least
    found = content[place : place + here]
    if len(found) < here:
        raise _Broken
    following, taken, parts = 0, [], [found]
    if here < size:
        following = int.from_bytes(content[place + here : place + here + 4], "big")
    left = size - here
    while left > 0:
        page = pages[following] if 1 < following <= pages.count and following not in taken else b""
        if len(page) < min(left, usable - 4) + 4:
            raise _Broken
        taken.append(following)
        parts.append(page[4 : 4 + min(left, usable - 4)])
        following, left = int.from_bytes(page[:4], "big"), left - (usable - 4)
    return b"".join(parts), tuple(taken)


def _values(payload: bytes) -> tuple[Value, ...]:
    head, place = _varint(payload, 0)
    if head > len(payload):
        raise _Broken
    body = head
    values: list[Value] = []
    while place < head:
        kind, place = _varint(payload, place)
        width = _width(kind)
        stored = payload[body : body + width]
        if len(stored) < width:
            raise _Broken
        values.append(_value(kind, stored))
        body += width
    if place != head or body != len(payload):
        raise _Broken
    return tuple(values)


def _width(kind: int) -> int:
    if kind in (10, 11):
        raise _Broken
    return (*_INTEGERS, 8, 0, 0)[kind] if kind < 10 else (kind - 12) // 2


def _value(kind: int, stored: bytes) -> Value:
    if kind == 0:
        return None
    if kind < 7:
        return int.from_bytes(stored, "big", signed=True)
    if kind == 7:
        return float(struct.unpack(">d", stored)[0])
    if kind in (8, 9):
        return kind - 8
    return stored.decode() if kind % 2 else stored


def _varint(content: bytes, place: int) -> tuple[int, int]:
    number = 0
    for count in range(8):
        byte = content[place + count]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, place + count + 1
    return number << 8 | content[place + 8], place + 9
