"""The options of the S3 repository: `[plugins.store-s3]` in drupe.toml, `DRUPE_STORE_S3__…`, or an address's query; then MLflow's variables.

What boto3 itself reads (`AWS_ACCESS_KEY_ID`, profiles, roles of machines, …) is left to it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from attrs import Attribute, evolve, field, frozen

from drupe.errors import InvalidSettings

__all__ = ["S3Settings", "with_environment"]

STYLES = ("auto", "path", "virtual")
LEAST_PART_MB, MOST_PART_MB = 5, 5120
UPLOAD_ARGUMENTS = frozenset(
    {
        "ACL",
        "CacheControl",
        "ContentDisposition",
        "ContentEncoding",
        "ContentLanguage",
        "ContentType",
        "ExpectedBucketOwner",
        "Expires",
        "GrantFullControl",
        "GrantRead",
        "GrantReadACP",
        "GrantWriteACP",
        "Metadata",
        "ObjectLockLegalHoldStatus",
        "ObjectLockMode",
        "ObjectLockRetainUntilDate",
        "RequestPayer",
        "SSECustomerAlgorithm",
        "SSECustomerKey",
        "SSECustomerKeyMD5",
        "SSEKMSEncryptionContext",
        "SSEKMSKeyId",
        "ServerSideEncryption",
        "StorageClass",
        "Tagging",
        "WebsiteRedirectLocation",
    }
)
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


def _is_within(least: float, most: float) -> Any:
    def check(_: Any, attribute: Attribute[float], value: float) -> None:
        if not least <= value <= most:
            raise ValueError(f"{attribute.name} is {value!r}; it must be from {least:g} to {most:g}")

    return check


def _is_style(_: Any, attribute: Attribute[str | None], value: str | None) -> None:
    if value is not None and value not in STYLES:
        raise ValueError(f"{attribute.name} is {value!r}; it must be one of {', '.join(STYLES)}")


@frozen
class S3Settings:
    """How a bucket is reached and used.

    `endpoint_url`         where the storage is; else MLFLOW_S3_ENDPOINT_URL, then what boto3 finds (AWS_ENDPOINT_URL_S3, or AWS itself)
    `region`               of the bucket; else what boto3 finds (AWS_REGION, AWS_DEFAULT_REGION, the profile)
    `profile`              a profile of the AWS configuration files; else AWS_PROFILE
    `access_key_id`, `secret_access_key`, `session_token`  who asks; else what boto3 finds
    `anonymous`            sign nothing, for public buckets
    `addressing_style`     auto, path or virtual; else MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE
    `ignore_tls`           do not check the server's certificate; else MLFLOW_S3_IGNORE_TLS
    `ca_bundle`            file of the authorities that are trusted; else AWS_CA_BUNDLE
    `expected_owner`       account that must own the bucket; else MLFLOW_S3_EXPECTED_BUCKET_OWNER
    `upload_extra_args`    JSON object of boto3's further arguments of uploads; else MLFLOW_S3_UPLOAD_EXTRA_ARGS
    `part_mb`              size of the parts in which larger files are sent and fetched
    `workers`              how many parts of one file are under way at once
    `tries`                how often one request is made until it counts as failed
    `connect_timeout_s`, `timeout_s`  how long a connection may take, and how long the storage may be silent
    `signed_for_s`         how long signed addresses work
    """

    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    access_key_id: str | None = field(default=None, repr=False)
    secret_access_key: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)
    anonymous: bool = False
    addressing_style: str | None = field(default=None, validator=_is_style)
    ignore_tls: bool | None = None
    ca_bundle: str | None = None
    expected_owner: str | None = None
    upload_extra_args: str | None = None
    part_mb: int = field(default=8, converter=int, validator=_is_within(LEAST_PART_MB, MOST_PART_MB))
    workers: int = field(default=4, converter=int, validator=_is_within(1, 64))
    tries: int = field(default=5, converter=int, validator=_is_within(1, 20))
    connect_timeout_s: float = field(default=5.0, converter=float, validator=_is_within(0.1, 600))
    timeout_s: float = field(default=60.0, converter=float, validator=_is_within(0.1, 3600))
    signed_for_s: int = field(default=3600, converter=int, validator=_is_within(1, 604800))

    @property
    def extra(self) -> Mapping[str, Any]:
        """The arguments in `upload_extra_args`. Raises InvalidSettings."""
        if not self.upload_extra_args:
            return {}
        try:
            found = json.loads(self.upload_extra_args)
        except json.JSONDecodeError as fault:
            raise InvalidSettings(f"upload_extra_args is no JSON: {fault}") from fault
        if not isinstance(found, dict):
            raise InvalidSettings("upload_extra_args must be a JSON object, such as {'ServerSideEncryption': 'aws:kms'}".replace("'", '"'))
        unknown = sorted(set(found) - UPLOAD_ARGUMENTS)
        if unknown:
            raise InvalidSettings(f"upload_extra_args has {', '.join(map(repr, unknown))}; it takes {', '.join(sorted(UPLOAD_ARGUMENTS))}")
        return found


def with_environment(settings: S3Settings, environ: Mapping[str, str] = os.environ) -> S3Settings:
    """The settings, with MLflow's variables where nothing else is set. Raises InvalidSettings."""
    style = settings.addressing_style or environ.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE") or "auto"
    if style not in STYLES:
        raise InvalidSettings(f"MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE is {style!r}; it must be one of {', '.join(STYLES)}")
    ignore_tls = settings.ignore_tls
    if ignore_tls is None:
        text = environ.get("MLFLOW_S3_IGNORE_TLS", "").lower()
        if text not in _TRUE + _FALSE:
            raise InvalidSettings(f"MLFLOW_S3_IGNORE_TLS is {text!r}; it is true or false")
        ignore_tls = text in _TRUE
    made = evolve(
        settings,
        endpoint_url=settings.endpoint_url or environ.get("MLFLOW_S3_ENDPOINT_URL") or None,
        anonymous=settings.anonymous or environ.get("MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION", "").lower() == "unsigned",
        addressing_style=style,
        ignore_tls=ignore_tls,
        expected_owner=settings.expected_owner or environ.get("MLFLOW_S3_EXPECTED_BUCKET_OWNER") or None,
        upload_extra_args=settings.upload_extra_args or environ.get("MLFLOW_S3_UPLOAD_EXTRA_ARGS") or None,
    )
    made.extra  # noqa: B018 - a fault in it is told when the repository is opened
    return made
