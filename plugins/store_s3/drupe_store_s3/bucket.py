"""A bucket: the client that talks to it, one for each process and set of options, and the arguments that go with every request."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from drupe_store_s3.faults import told
from drupe_store_s3.settings import S3Settings

__all__ = ["Bucket"]

CONNECTIONS = 64
_EVERYWHERE = ("ExpectedBucketOwner", "RequestPayer")
_CUSTOMER_KEYS = ("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5")

_clients: dict[S3Settings, Any] = {}
_lock = threading.Lock()


class Bucket:
    """One bucket. It may be shared by threads, and a forked child makes connections of its own."""

    def __init__(self, name: str, settings: S3Settings) -> None:
        self.name, self.settings = name, settings
        owner = {"ExpectedBucketOwner": settings.expected_owner} if settings.expected_owner else {}
        self._upload = {**owner, **settings.extra}

    @property
    def client(self) -> Any:
        """boto3's client. Making the first one takes some tenths of a second."""
        found = _clients.get(self.settings)
        if found is None:
            with _lock:
                found = _clients.get(self.settings)
                if found is None:
                    with self.asking("connecting"):
                        found = _clients[self.settings] = _made(self.settings)
        return found

    @contextmanager
    def asking(self, what: str, path: str | None = None, *, writes: bool = False) -> Iterator[None]:
        """Turn what boto3 raises meanwhile into errors of the contract; `what` is done, `path` is the artifact's."""
        try:
            yield
        except Exception as fault:  # boto3 and what lies below it raise many kinds
            known = told(fault, what, self.name, self.settings, path, writes=writes)
            if known is None:
                raise
            raise known from _bare(fault)

    def call(self, operation: str, what: str, path: str | None = None, *, writes: bool = False, **given: Any) -> Any:
        """Make one request for this bucket. Raises as `asking`."""
        with self.asking(what, path, writes=writes):
            return getattr(self.client, operation)(Bucket=self.name, **self.common, **given)

    @property
    def common(self) -> Mapping[str, Any]:
        """Arguments of every request."""
        return {name: self._upload[name] for name in _EVERYWHERE if name in self._upload}

    @property
    def for_uploads(self) -> Mapping[str, Any]:
        """Further arguments of requests that make an object."""
        return {name: value for name, value in self._upload.items() if name not in _EVERYWHERE}

    @property
    def for_bytes(self) -> Mapping[str, Any]:
        """Further arguments of requests that read an object, or send a part of one: keys of the customer's."""
        return {name: self._upload[name] for name in _CUSTOMER_KEYS if name in self._upload}


def _made(settings: S3Settings) -> Any:
    session = boto3.session.Session(
        aws_access_key_id=settings.access_key_id,
        aws_secret_access_key=settings.secret_access_key,
        aws_session_token=settings.session_token,
        profile_name=settings.profile,
        region_name=settings.region,
    )
    config = Config(
        signature_version=UNSIGNED if settings.anonymous else "s3v4",
        s3={"addressing_style": settings.addressing_style or "auto"},
        retries={"mode": "standard", "total_max_attempts": settings.tries},
        connect_timeout=settings.connect_timeout_s,
        read_timeout=settings.timeout_s,
        max_pool_connections=CONNECTIONS,
        request_checksum_calculation="when_required",  # sums are given by us; others are not understood by every storage
        response_checksum_validation="when_required",
    )
    return session.client(
        "s3", config=config, endpoint_url=settings.endpoint_url, verify=False if settings.ignore_tls else settings.ca_bundle or None
    )


def _bare(fault: Exception) -> Exception | None:
    """The cause that is shown with an error: none that may hold a signed address."""
    return fault if "X-Amz-Signature" not in str(fault) else None


def _forget() -> None:
    global _lock
    _lock = threading.Lock()
    _clients.clear()


os.register_at_fork(after_in_child=_forget)
