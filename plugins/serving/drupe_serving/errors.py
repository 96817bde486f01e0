"""Errors that only a scoring server has; those of every server are in `drupe_asgi.errors`."""

from __future__ import annotations

from typing import ClassVar

from drupe.errors import DrupeError

__all__ = ["ModelFailed", "Overloaded", "TimedOut", "UnknownMediaType"]


class UnknownMediaType(DrupeError):
    """A body of a kind that is not read here."""

    code: ClassVar[str] = "DRP-0720"
    error_code: ClassVar[str] = "BAD_REQUEST"
    http_status: ClassVar[int] = 415


class ModelFailed(DrupeError):
    """The model has raised an error for this input, which fits its signature as far as it has one."""

    code: ClassVar[str] = "DRP-0721"
    error_code: ClassVar[str] = "BAD_REQUEST"
    http_status: ClassVar[int] = 400


class TimedOut(DrupeError):
    """The prediction took longer than a request may take."""

    code: ClassVar[str] = "DRP-0722"
    error_code: ClassVar[str] = "DEADLINE_EXCEEDED"
    http_status: ClassVar[int] = 504


class Overloaded(DrupeError):
    """More requests wait for the model than may, or the server is about to end."""

    code: ClassVar[str] = "DRP-0723"
    error_code: ClassVar[str] = "TEMPORARILY_UNAVAILABLE"
    http_status: ClassVar[int] = 503
