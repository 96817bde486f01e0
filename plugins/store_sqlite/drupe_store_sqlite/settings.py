"""The options of the SQLite store: `[plugins.store-sqlite]` in drupe.toml, `DRUPE_STORE_SQLITE__…`, or the address's query."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen

__all__ = ["Durability", "SqliteSettings"]


class Durability(StrEnum):
    """What a finished write survives: both survive the death of the process, FULL also a power cut (one sync of the disk each)."""

    NORMAL = "normal"
    FULL = "full"


def _is_positive(_: Any, attribute: Attribute[float], value: float) -> None:
    if not value > 0:
        raise ValueError(f"{attribute.name} is {value!r}; it must be more than 0")


@frozen
class SqliteSettings:
    """How one file is used.

    `durability`      normal | full
    `busy_timeout_s`  how long a writer waits for others before StoreBusy
    `artifact_root`   folder or address for the artifacts of experiments made from now on; None: `<database name>-artifacts` beside the file
    """

    durability: Durability = field(default=Durability.NORMAL, converter=Durability)
    busy_timeout_s: float = field(default=60.0, converter=float, validator=_is_positive)
    artifact_root: str | None = None
