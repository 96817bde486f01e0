"""Errors that every server has."""

from __future__ import annotations

from typing import ClassVar

from drupe.errors import DrupeError

__all__ = ["MethodNotAllowed", "NoSuchRoute", "TooLarge", "TooSlow", "Unexpected"]


class Unexpected(DrupeError):
    """A fault of the server."""

    code: ClassVar[str] = "DRP-0701"


class NoSuchRoute(DrupeError):
    """Nothing is served under this path."""

    code: ClassVar[str] = "DRP-0702"
    error_code: ClassVar[str] = "ENDPOINT_NOT_FOUND"
    http_status: ClassVar[int] = 404


class MethodNotAllowed(DrupeError):
    """The path is served, but not with this method. `allowed`, among its details, are those that it is."""

    code: ClassVar[str] = "DRP-0703"
    error_code: ClassVar[str] = "BAD_REQUEST"
    http_status: ClassVar[int] = 405


class TooLarge(DrupeError):
    """The body is larger than this server takes."""

    code: ClassVar[str] = "DRP-0705"
    error_code: ClassVar[str] = "INVALID_PARAMETER_VALUE"
    http_status: ClassVar[int] = 413


class TooSlow(DrupeError):
    """The body did not arrive in time."""

    code: ClassVar[str] = "DRP-0706"
    error_code: ClassVar[str] = "BAD_REQUEST"
    http_status: ClassVar[int] = 400
