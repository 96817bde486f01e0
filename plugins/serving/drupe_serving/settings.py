"""The options of `drupe models serve`: from the command line, `DRUPE_SERVING__…`, `[plugins.serving]` in drupe.toml, or these defaults."""

from __future__ import annotations

from attrs import frozen

__all__ = ["ServingSettings"]


@frozen
class ServingSettings:
    """How a model is served.

    `host`, `port`          where to listen
    `name`                  what the model is called under /v2/models; None: by its address
    `timeout`               seconds after which a request is answered with 504
    `workers`               processes that serve together, each with the model
    `batching`              auto: requests are predicted together where the model's rows are known to be independent; on; off
    `batch_rows`            the most rows that are predicted together
    `batch_wait_ms`         how long the first request of a batch waits for others although the model is free
    `threads`               predictions at once in a process; 0: one where requests are predicted together, else eight
    `max_waiting`           requests that may wait for the model; further ones are answered with 503
    `allowed_hosts`         further names in the Host header that are answered; `*` answers all
    `allowed_origins`       further origins of pages whose scripts may ask, such as https://notebooks.example.org
    `open_to_all`           listen on other than this machine's own addresses although nobody has to log in
    `prefix`                path below which a reverse proxy shows the server, such as /models/churn
    `max_body_mb`           the largest request
    `patience_s`            seconds that a client may send nothing of its request, or read nothing of its answer
    `log_requests`          write a line for each request
    `inference_log`         folder to which requests and predictions are written as parquet files; None: they are not
    `inference_log_sample`  the share of requests that is written, from 0 to 1
    `inference_log_mb`      how much of the disk these files may take; the oldest go first
    """

    host: str = "127.0.0.1"
    port: int = 5000
    name: str | None = None
    timeout: float = 60.0
    workers: int = 1
    batching: str = "auto"
    batch_rows: int = 256
    batch_wait_ms: float = 0.0
    threads: int = 0
    max_waiting: int = 1000
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    open_to_all: bool = False
    prefix: str = ""
    max_body_mb: int = 64
    patience_s: float = 30.0
    log_requests: bool = False
    inference_log: str | None = None
    inference_log_sample: float = 1.0
    inference_log_mb: int = 1024
