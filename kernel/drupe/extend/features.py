"""Optional capabilities of an implementation, declared as data so that callers can ask before they try."""

from __future__ import annotations

from enum import Enum

__all__ = ["Feature", "Support"]


class Support(Enum):
    """How far an implementation has a feature."""

    CANNOT = "cannot"
    NOT_YET = "not yet"
    SOME_VERSIONS = "some versions"
    FULL = "full"

    def __bool__(self) -> bool:
        return self in (Support.SOME_VERSIONS, Support.FULL)


class Feature(Enum):
    """What a store or repository may be able to do beyond its contract."""

    CONCURRENT_PROCESSES = "several processes may write at once"
    ORIGINS = "takes every parcel of a journal exactly once, however often it is sent"
    HEARTBEATS = "keeps the signs of life of running runs"
    GROUP_COMMIT = "makes many calls last together, each of them all or nothing whatever its steps are"
    IMPORTS = "takes in what was in another store, with its ids, numbers and times"
    DIGESTS = "keeps a SHA-256 of every file and checks it on read"
    LOGGED_MODELS = "keeps logged models, and ties them to the runs that use and make them"
    MOVES = "moves runs to another experiment, with all that belongs to them"
    CHANGES = "tells what changes in it as it happens, whoever does it"
    REPAIR = "looks through all that it holds, and keeps what is readable of a damaged store"
    UPKEEP = "is upgraded, backed up, restored and cleared of what was deleted by drupe store"
    ATOMIC_PUT = "a file is replaced whole or not at all"
    SIGNED_TRANSFERS = "lets others send and fetch files at signed addresses of its storage"
