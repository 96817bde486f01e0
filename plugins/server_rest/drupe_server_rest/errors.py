"""Errors that only the tracking server has; those of every server are in `drupe_asgi.errors`."""

from __future__ import annotations

from typing import ClassVar

from drupe.errors import DrupeError

__all__ = ["NotYet", "OtherOffset"]


class OtherOffset(DrupeError):
    """Of this upload there are more bytes, or fewer, than the request goes on from. `offset`, among its details, is how many there are."""

    code: ClassVar[str] = "DRP-0707"
    error_code: ClassVar[str] = "INVALID_STATE"
    http_status: ClassVar[int] = 409


class NotYet(DrupeError):
    """A part of MLflow's protocol that this server does not have."""

    code: ClassVar[str] = "DRP-0704"
    error_code: ClassVar[str] = "NOT_IMPLEMENTED"
    http_status: ClassVar[int] = 501
