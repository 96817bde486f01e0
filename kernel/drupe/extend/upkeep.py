"""The part of a tracking store's contract that is about looking after it: upgrades, backups, what was deleted, and unused space.

All of it is optional and declared by Feature.UPKEEP; the registry that lies in the same place is looked after with it. What surrounds the
work, such as manifests and artifacts, is for `drupe.upkeep`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from drupe.entities import Deleted, ExperimentStorage, SpaceReport, UpgradeReport
from drupe.errors import UnsupportedFeature
from drupe.extend.features import Feature
from drupe.uris import Uri

__all__ = ["Progress", "Upkeep"]


class Progress(Protocol):
    """Told how far a long work on a store is: bytes done, bytes in all, and what is being looked at."""

    def __call__(self, done_bytes: int, total_bytes: int, what: str, /) -> None: ...


class Upkeep:
    """What a store can do for whoever looks after it. Class methods work on a store that nobody has opened in this process."""

    @classmethod
    def plan_upgrade(cls, uri: Uri, settings: Any = None) -> UpgradeReport:
        """What `upgrade` would do. Writes nothing. Raises StoreUnavailable when there is no store yet, StoreSchema."""
        cls._has_no_upkeep()

    @classmethod
    def upgrade(cls, uri: Uri, settings: Any = None, *, backup: bool = True, progress: Progress | None = None) -> UpgradeReport:
        """Bring the schema up to the newest version, after a backup that was looked through; a store that is there already stays as it is.

        Interrupted at any moment, the store is as it was or as it shall be. Only one process upgrades at a time, the others wait. Raises
        StoreBusy while somebody has the store open, StoreUnavailable without a store or when no backup can be made, StoreFull, StoreSchema.
        """
        cls._has_no_upkeep()

    @classmethod
    def back_up(cls, uri: Uri, settings: Any = None, *, target: Path, progress: Progress | None = None) -> int:
        """Write all that the store holds at one moment, whoever writes to it meanwhile, into the new file `target`; the version of its schema.

        The file is on the disk when this returns, and was looked through. Raises StoreUnavailable, StoreCorrupt, StoreFull.
        """
        cls._has_no_upkeep()

    @classmethod
    def restore(
        cls, uri: Uri, settings: Any = None, *, source: Path, replace: bool = False, progress: Progress | None = None
    ) -> str | None:
        """Make the store at `uri` of a file that `back_up` wrote: all of it or nothing. Where what was replaced lies, None if nothing was.

        Raises AlreadyExists when a store is there, unless `replace`; StoreBusy while somebody has it open; StoreCorrupt for a file that is
        not whole; StoreFull.
        """
        cls._has_no_upkeep()

    def schema_version(self) -> int | None:
        """The version of the schema of what is stored; None where there is none, or it is not known."""
        return None

    def experiment_storage(self, experiment_id: str) -> ExperimentStorage | None:
        """What is kept of one experiment, nothing for one that is not there; None where the store does not tell.

        It may look at every run of the experiment, so a page asks for it when somebody wants to know, one experiment after the other.
        """
        return None

    @classmethod
    def vacuum(cls, uri: Uri, settings: Any = None, *, progress: Progress | None = None) -> SpaceReport:
        """Put small pieces together and give unused space back. Interrupted, the store is as it was. Raises StoreBusy, StoreFull."""
        cls._has_no_upkeep()

    def deleted(self) -> list[Deleted]:
        """All that was deleted and can be restored: runs and logged models, then experiments, each sorted by id."""
        self._has_no_upkeep()

    def remove(self, things: Sequence[Deleted]) -> None:
        """Take away for good what `deleted` told of, with all that belongs to it; of an experiment its runs and logged models too.

        What is not deleted any more stays, and so does experiment "0". Files are not touched. Several transactions may be made of it.
        """
        self._has_no_upkeep()

    @classmethod
    def _has_no_upkeep(cls) -> NoReturn:
        raise UnsupportedFeature(
            f"{cls.__name__} is not looked after with drupe store; use the tools of what it keeps its data in", feature=Feature.UPKEEP.name
        )
