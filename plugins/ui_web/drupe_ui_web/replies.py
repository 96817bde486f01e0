"""Answers in JSON, and reading of what a page asks in the address."""

from __future__ import annotations

from typing import Any

import orjson

from drupe.errors import InvalidValue
from drupe.extend import WebReply, WebRequest

__all__ = ["json_reply", "needed_text", "whole_number"]


def json_reply(form: Any) -> WebReply:
    """An object as JSON. Numbers in it are finite; `drupe.entities.codec.to_plain` makes them so."""
    try:
        return WebReply(orjson.dumps(form))
    except TypeError:  # files may hold halves of characters, which UTF-8 has no bytes for; escaped, JSON has them
        return WebReply.of_form(form)


def needed_text(request: WebRequest, name: str) -> str:
    """A parameter of the address that must be there. Raises InvalidValue."""
    text = request.query.get(name, "")
    if not text:
        raise InvalidValue(f"this request needs {name}=… in its address")
    return text


def whole_number(request: WebRequest, name: str, *, default: int, least: int, most: int) -> int:
    """A parameter of the address that is a whole number. Raises InvalidValue when it is none or is out of bounds."""
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not least <= int(text) <= most:
        raise InvalidValue(f"{name} is a whole number from {least} to {most}, got {text[:40]!r}")
    return int(text)
