"""The part of a tracking store's contract that is about hearing of changes that others make. Optional, declared by Feature.CHANGES.

A store in a file or a database does not know who else writes to it; one that is another server is told by that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from drupe.errors import UnsupportedFeature
from drupe.extend.features import Feature

__all__ = ["Watching"]


class Watching:
    """What a tracking store does to tell of changes."""

    def changes(self) -> Iterator[Mapping[str, str] | None]:
        """What changes in the store from the moment that this returns, whoever does it, in the order in which it was done.

        A change names what it is about and never its content: `kind` is run, metric, param, tag, experiment, model, logged_model or artifact,
        beside it are ids. The kind `missed` says that some were not heard. While nothing changes, None comes at least twice a minute. The
        iterator ends when the server does, and raises StoreUnavailable when it is lost; it belongs to one thread, which it keeps
        waiting. Raises StoreUnavailable, UnsupportedFeature.
        """
        raise UnsupportedFeature(f"{type(self).__name__} does not tell what changes in it", feature=Feature.CHANGES.name)
