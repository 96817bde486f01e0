"""Errors on the wire: an object with MLflow's `error_code` and a `message`, and ours with more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drupe import errors
from drupe.errors import DrupeError
from drupe.wire.shapes import Form

__all__ = ["STATUS_OF", "fault_form", "fault_from"]

STATUS_OF: Mapping[str, int] = {
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "BAD_REQUEST": 400,
    "CANCELLED": 499,
    "CUSTOMER_UNAUTHORIZED": 401,
    "DEADLINE_EXCEEDED": 504,
    "ENDPOINT_NOT_FOUND": 404,
    "INVALID_PARAMETER_VALUE": 400,
    "NOT_FOUND": 404,
    "NOT_IMPLEMENTED": 501,
    "PERMISSION_DENIED": 403,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_ALREADY_EXISTS": 400,
    "RESOURCE_CONFLICT": 409,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "RESOURCE_EXHAUSTED": 429,
    "TEMPORARILY_UNAVAILABLE": 503,
    "UNAUTHENTICATED": 401,
}
"""What MLflow answers with each code; every other code is 500."""

_OURS = {kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DrupeError)}
_BY_CODE: Mapping[str, type[DrupeError]] = {
    "INVALID_PARAMETER_VALUE": errors.InvalidValue,
    "BAD_REQUEST": errors.InvalidValue,
    "RESOURCE_ALREADY_EXISTS": errors.AlreadyExists,
    "RESOURCE_DOES_NOT_EXIST": errors.NotFound,
    "NOT_FOUND": errors.NotFound,
    "ENDPOINT_NOT_FOUND": errors.UnsupportedFeature,
    "NOT_IMPLEMENTED": errors.UnsupportedFeature,
    "RESOURCE_EXHAUSTED": errors.StoreFull,
    "PERMISSION_DENIED": errors.StoreReadOnly,
    "INVALID_STATE": errors.WrongLifecycle,
}


def fault_form(fault: DrupeError) -> Form:
    """The body of an answer that tells this error. `drupe_code` is ours: it names the very class."""
    form: Form = {"error_code": fault.error_code, "message": fault.message, "drupe_code": fault.code}
    return {**form, "position": fault.position} if isinstance(fault, errors.OriginGap) else form


def fault_from(status: int, form: Any, what: str) -> DrupeError:
    """The error that an answer tells, of whatever server; `what` was asked, for answers that say nothing of themselves."""
    told = form if isinstance(form, Mapping) else {}
    message = str(told.get("message") or f"the server answered {status}")
    kind = _OURS.get(str(told.get("drupe_code"))) or _BY_CODE.get(str(told.get("error_code"))) or _by_status(status)
    if kind is errors.OriginGap:
        return errors.OriginGap(f"{what}: {message}", position=int(told.get("position", 0)))
    return kind(f"{what}: {message}", status=status, error_code=told.get("error_code"))


def _by_status(status: int) -> type[DrupeError]:
    if status == 404:
        return errors.NotFound
    if status in (501, 405):
        return errors.UnsupportedFeature
    return errors.StoreUnavailable if status >= 500 or status in (408, 429) else errors.InvalidValue
