"""What a storage and boto3 say, in the words of the contract: no bucket, no right, wrong region, no credentials, nobody there."""

from __future__ import annotations

from botocore import exceptions as boto

from drupe.errors import (
    ArtifactNotFound,
    DrupeError,
    InvalidPath,
    InvalidSettings,
    InvalidValue,
    NotFound,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnavailable,
)
from drupe_store_s3.settings import S3Settings

__all__ = ["BROKEN", "code_of", "told"]

MISSING = {"NoSuchKey", "404", "NotFound"}
FORBIDDEN = {"AccessDenied", "403", "Forbidden", "AllAccessDisabled", "AccountProblem", "MethodNotAllowed"}
NOT_KNOWN = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired", "UnauthorizedAccess"}
ELSEWHERE = {"PermanentRedirect", "301", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "TemporaryRedirect"}
BUSY = {
    "SlowDown",
    "503",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "429",
}
FULL = {"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "507", "EntityTooLarge", "StorageFull"}
DIFFERENT = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"}
PARTS = {"InvalidPart", "InvalidPartOrder", "EntityTooSmall", "MalformedXML"}
BROKEN = (boto.HTTPClientError, boto.IncompleteReadError, boto.ResponseStreamingError, OSError)
"""What a connection raises that breaks in the middle of a body."""


def code_of(fault: BaseException) -> str:
    """The storage's own word for a fault; empty where it did not answer."""
    return str(fault.response.get("Error", {}).get("Code", "")) if isinstance(fault, boto.ClientError) else ""


def told(fault: Exception, what: str, bucket: str, settings: S3Settings, path: str | None, *, writes: bool) -> DrupeError | None:
    """The error that says it; None for what is none of boto3's."""
    where = f"s3://{bucket}" + (f" at {settings.endpoint_url}" if settings.endpoint_url else "")
    if isinstance(fault, boto.ClientError):
        return _answered(fault, what, bucket, where, path, writes)
    if isinstance(fault, boto.NoCredentialsError | boto.PartialCredentialsError | boto.CredentialRetrievalError):
        return StoreUnavailable(
            f"{what}: no credentials for {where}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or anonymous = true in "
            "[plugins.store-s3] for a public bucket"
        )
    if isinstance(fault, boto.ProfileNotFound):
        return InvalidSettings(f"{what}: there is no AWS profile {settings.profile!r} in the configuration files")
    if isinstance(fault, boto.NoRegionError):
        return InvalidSettings(f"{what}: the region of {where} is not known; set AWS_DEFAULT_REGION, or region in [plugins.store-s3]")
    if isinstance(fault, boto.SSLError):
        return StoreUnavailable(
            f"{what}: the certificate of {where} is not trusted; name its authority with ca_bundle in [plugins.store-s3], or AWS_CA_BUNDLE"
        )
    if isinstance(fault, boto.ParamValidationError):
        return InvalidValue(f"{what}: {str(fault).splitlines()[-1]}")
    if isinstance(fault, boto.BotoCoreError | ValueError) and not isinstance(fault, UnicodeError):
        return StoreUnavailable(f"{what}: {where} cannot be reached: {type(fault).__name__}")
    return None


def _answered(fault: boto.ClientError, what: str, bucket: str, where: str, path: str | None, writes: bool) -> DrupeError:
    code = code_of(fault)
    said = str(fault.response.get("Error", {}).get("Message", ""))
    if code in MISSING:
        return ArtifactNotFound(f"there is no artifact {path!r} in {where}", path=path)
    if code == "NoSuchUpload":
        return NotFound(f"{what}: the upload is over, or was never begun")
    if code == "NoSuchBucket":
        return StoreUnavailable(
            f"{what}: there is no bucket {bucket!r} at {where.partition(' at ')[2] or 'S3'}; make it, or correct the address"
        )
    if code in NOT_KNOWN:
        return StoreUnavailable(
            f"{what}: {where} does not take these credentials ({code}); see AWS_ACCESS_KEY_ID and its kin, and the clock"
        )
    if code in FORBIDDEN:
        kind = StoreReadOnly if writes else StoreUnavailable
        return kind(f"{what}: these credentials may not do that in {where} ({code}); it takes the right to {_rights(writes)}")
    if code in ELSEWHERE:
        region = fault.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region") or fault.response.get(
            "Error", {}
        ).get("Region")
        told_region = f"it is in {region}" if region else "it is in another region"
        return StoreUnavailable(
            f"{what}: {where} is not where it was asked for: {told_region}; set AWS_DEFAULT_REGION, or region in [plugins.store-s3]"
        )
    if code in BUSY:
        return StoreBusy(f"{what}: {where} asks to slow down ({code})")
    if code in FULL:
        return StoreFull(f"{what}: {where} has no room left ({code})")
    if code in DIFFERENT:
        return StoreError(f"{what}: other bytes have come to {where} than were read; the file has changed meanwhile, or the way is faulty")
    if code in PARTS:
        return InvalidValue(f"{what}: the parts do not fit together ({code})")
    if code == "KeyTooLongError":
        return InvalidPath(f"artifact path '{str(path)[:60]}…' is longer than a bucket takes", path=path)
    if code in ("InvalidBucketName", "NotImplemented"):
        return InvalidValue(f"{what}: {where} says {code}: {said[:200]}")
    return StoreError(f"{what}: {where} says {code or 'nothing'}: {said[:200]}")


def _rights(writes: bool) -> str:
    return "s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and s3:ListBucket" if writes else "s3:GetObject and s3:ListBucket"
