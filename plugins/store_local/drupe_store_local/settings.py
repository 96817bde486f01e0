"""The options of the local artifact repository."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen

__all__ = ["Durability", "LocalSettings"]


class Durability(StrEnum):
    """What a completed write has survived: the death of the process (`normal`), or also a power cut (`full`)."""

    NORMAL = "normal"
    FULL = "full"


@frozen
class LocalSettings:
    """`durability` full syncs file, digest and folder before a write returns; it costs some milliseconds for every file."""

    durability: Durability = field(default=Durability.NORMAL, converter=Durability)
