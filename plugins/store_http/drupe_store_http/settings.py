"""The options of the HTTP stores: `[plugins.store-http]` in drupe.toml, `DRUPE_STORE_HTTP__…`, or the address's query."""

from __future__ import annotations

from typing import Any

from attrs import Attribute, field, frozen

__all__ = ["HttpSettings"]


def _is_positive(_: Any, attribute: Attribute[float], value: float) -> None:
    if not value > 0:
        raise ValueError(f"{attribute.name} is {value!r}; it must be more than 0")


@frozen
class HttpSettings:
    """How a server is talked to.

    `connect_timeout_s`  how long a connection may take to be made
    `timeout_s`          how long the server may be silent
    `retry_s`            how long one call is tried again in all, before StoreUnavailable
    `username`, `password`, `token`  who asks; else DRUPE_TRACKING_USERNAME, …_PASSWORD, …_TOKEN or their MLFLOW_ twins
    `insecure_tls`       do not check the server's certificate; else MLFLOW_TRACKING_INSECURE_TLS
    `server_cert`        file of the authorities that are trusted; else MLFLOW_TRACKING_SERVER_CERT_PATH
    `client_cert`        file of the client's own certificate and key; else MLFLOW_TRACKING_CLIENT_CERT_PATH
    `allowed_hosts`      other hosts that the server may send clients on to, such as files.example.org:8443
    """

    connect_timeout_s: float = field(default=3.0, converter=float, validator=_is_positive)
    timeout_s: float = field(default=30.0, converter=float, validator=_is_positive)
    retry_s: float = field(default=5.0, converter=float, validator=_is_positive)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    insecure_tls: bool | None = None
    server_cert: str | None = None
    client_cert: str | None = None
    allowed_hosts: tuple[str, ...] = ()
