"""The options of `drupe server`: from the command line, `DRUPE_SERVER_REST__…`, `[plugins.server-rest]` in drupe.toml, or these defaults."""

from __future__ import annotations

from attrs import field, frozen

__all__ = ["ServerSettings"]


@frozen
class ServerSettings:
    """How a store is served.

    `host`, `port`        where to listen
    `store`               address of the store; None: the one that is in use here
    `artifacts`           address below which files are kept; None: where the store keeps them
    `signed_transfers`    tell clients to move large files straight to and from the storage, where it can let them in for a while
    `prefix`              path below which a reverse proxy shows the server, such as /tracking
    `durability`          full: what was answered survives a power cut; normal: the death of the process only
    `allowed_hosts`       further names in the Host header that are answered, such as tracking.example.org; `*` answers all
    `allowed_origins`     further origins of pages whose scripts may write, such as https://notebooks.example.org
    `open_to_all`         listen on other than this machine's own addresses although nobody has to log in
    `max_body_mb`         the largest JSON body
    `patience_s`          seconds that a client may send nothing of its request, or read nothing of its answer
    `workers`             processes that serve together, for a store that several servers may share, such as PostgreSQL
    `readers`             threads that read from the store
    `log_requests`        write a line for each request
    """

    host: str = "127.0.0.1"
    port: int = 5000
    store: str | None = None
    artifacts: str | None = None
    signed_transfers: bool = False
    prefix: str = ""
    durability: str = "full"
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    open_to_all: bool = False
    max_body_mb: int = field(default=64)
    patience_s: float = 30.0
    workers: int = 1
    readers: int = 4
    log_requests: bool = False
