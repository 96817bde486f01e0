"""The options of the PostgreSQL store: `[plugins.store-postgres]` in drupe.toml, `DRUPE_STORE_POSTGRES__…`, or the address's query."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen

__all__ = ["Durability", "PostgresSettings"]


class Durability(StrEnum):
    """What a finished write survives: FULL also that the server or its machine dies; NORMAL may lose the last second then."""

    NORMAL = "normal"
    FULL = "full"


def _is_positive(_: Any, attribute: Attribute[Any], value: float) -> None:
    if not value > 0:
        raise ValueError(f"{attribute.name} is {value!r}; it must be more than 0")


@frozen
class PostgresSettings:
    """How one database is used.

    `durability`           full | normal; `synchronous_commit` on | off
    `pool_size`            how many connections one process opens at most
    `connect_timeout_s`    how long to wait for the server when connecting
    `busy_timeout_s`       how long to wait for a connection, a lock, or others that write the same, before StoreBusy
    `statement_timeout_s`  how long one statement may take before StoreBusy
    `artifact_root`        folder or address for the artifacts of experiments made from now on; None: `drupe-artifacts` in the working folder
    `sslmode`, `sslrootcert`, `sslcert`, `sslkey`   as libpq has them; None: what its environment variables say
    """

    durability: Durability = field(default=Durability.FULL, converter=Durability)
    pool_size: int = field(default=10, converter=int, validator=_is_positive)
    connect_timeout_s: float = field(default=10.0, converter=float, validator=_is_positive)
    busy_timeout_s: float = field(default=60.0, converter=float, validator=_is_positive)
    statement_timeout_s: float = field(default=120.0, converter=float, validator=_is_positive)
    artifact_root: str | None = None
    sslmode: str | None = None
    sslrootcert: str | None = None
    sslcert: str | None = None
    sslkey: str | None = None
