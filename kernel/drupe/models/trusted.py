"""What this user trusts, kept in the user's own state folder: digests of models that were made here or trusted by hand, and stores in use.

One small file for each, readable by the user alone, so that asking is one look at the file system. Nothing is ever read from a model's
folder. What the settings allow is in `policy`, what stores say in `vouching`; `gate` puts all of it together.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from attrs import frozen

from drupe.errors import InvalidValue
from drupe.tracking.journal.places import state_folder
from drupe.uris import redact

__all__ = ["Known", "find_known", "forget", "is_own_store", "known_digests", "remember", "remember_store"]

log = logging.getLogger("drupe.models")

_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES = 8192
_warned: set[str] = set()


@frozen
class Known:
    """A digest that this user vouches for: `why` is `made` or `trusted`, `what` the address it had then, `at` when, in UTC."""

    digest: str
    why: str
    what: str
    at: str


def remember(digest: str, *, why: str, what: str) -> bool:
    """Vouch for a digest from now on; False, with one warning, when the state folder cannot be written."""
    entry = {"why": why, "what": redact(what)[:1000], "at": datetime.now(UTC).isoformat(timespec="seconds")}
    return _write(_place(digest), json.dumps(entry, ensure_ascii=False))


def find_known(digest: str) -> Known | None:
    """What this user noted about a digest, or None. Files that others could have written count as not there."""
    text = _read(_place(digest))
    if text is None:
        return None
    try:
        entry = json.loads(text)
        return Known(digest, str(entry["why"]), str(entry["what"]), str(entry["at"]))
    except (ValueError, KeyError, TypeError):
        return None


def known_digests() -> list[Known]:
    """Everything that this user vouches for, newest first."""
    folder = _root() / "models"
    files = folder.glob("??/*.json") if folder.is_dir() else ()
    found = (find_known(file.stem) for file in files if _DIGEST.fullmatch(file.stem))
    return sorted((known for known in found if known is not None), key=lambda known: known.at, reverse=True)


def forget(digest: str) -> bool:
    """Vouch for a digest no longer; False when nobody did."""
    try:
        _place(digest).unlink()
    except FileNotFoundError:
        return False
    return True


def remember_store(address: str) -> None:
    """Note that this user has logged a model to the store at this address."""
    place = _store_place(address)
    if _read(place) is None:
        _write(place, redact(address))


def is_own_store(address: str) -> bool:
    """True when this user has logged a model to that store."""
    return _read(_store_place(address)) is not None


def _root() -> Path:
    return state_folder() / "trust"


def _place(digest: str) -> Path:
    if not _DIGEST.fullmatch(digest):
        raise InvalidValue(f"{digest!r} is no digest of a model; it has 64 hexadecimal digits, as `drupe models verify` shows it")
    return Path(_root(), "models", digest[:2], f"{digest}.json")


def _store_place(address: str) -> Path:
    return _root() / "stores" / f"{hashlib.sha256(redact(address).encode()).hexdigest()}.txt"


def _read(place: Path) -> str | None:
    try:
        descriptor = os.open(place, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    with open(descriptor, encoding="utf-8", errors="replace") as stream:
        root = _root()
        if not _is_own(os.fstat(descriptor)) or not all(_is_own(os.stat(folder)) for folder in (place.parent, place.parent.parent, root)):
            _warn(f"{root} can be written by others, so what stands there is not believed; chmod -R go-w {root}")
            return None
        return stream.read(_MOST_BYTES)


def _is_own(info: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or (info.st_uid == os.geteuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def _write(place: Path, text: str) -> bool:
    draft = place.with_name(f".{token_hex(8)}")
    try:
        for folder in (_root(), place.parent.parent, place.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(text)
        draft.replace(place)
    except OSError as fault:
        with suppress(OSError):
            draft.unlink()
        _warn(f"{place.parent} cannot be written ({fault.strerror}), so models that are made here will not be known again as your own")
        return False
    return True


def _warn(message: str) -> None:
    if message not in _warned:
        _warned.add(message)
        log.warning(message)
