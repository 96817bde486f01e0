"""The options of datasets on the web."""

from __future__ import annotations

from attrs import field, frozen, validators

__all__ = ["HttpSettings"]


@frozen
class HttpSettings:
    """`max_bytes` bounds one file; `connect_s` and `read_s` the time until a connection stands, and between two pieces of the answer."""

    max_bytes: int = field(default=20_000_000_000, validator=validators.ge(0))
    connect_s: float = field(default=10.0, validator=validators.gt(0))
    read_s: float = field(default=60.0, validator=validators.gt(0))
    redirects: int = field(default=5, validator=validators.ge(0))
