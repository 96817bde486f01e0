"""What is found broken in a store or a journal, and what a repair could keep."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Damage", "RepairReport", "TableReport"]


@frozen
class Damage:
    """One thing that is broken: `place` is a file, `told` a sentence; `run_id` and `key` are given where it is about one run or metric."""

    place: str
    told: str
    run_id: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.told}"


@frozen
class TableReport:
    """The rows of one table: `kept` as they were read, `rebuilt` from what else tells of them, `lost` those known to have been there."""

    table: str
    kept: int
    rebuilt: int = 0
    lost: int = 0


@frozen
class RepairReport:
    """What a repair came to: `place` holds all that could be read, `damaged` is where the damaged original lies, None when it stayed where it was.

    `losses` says what is missing or doubtful, by run and metric where they are known.
    """

    place: str
    damaged: str | None
    tables: tuple[TableReport, ...]
    losses: tuple[Damage, ...] = ()

    @property
    def lost(self) -> int:
        """How many rows are known to be lost, and how many metrics are known to have lost points."""
        return sum(table.lost for table in self.tables) + sum(loss.key is not None for loss in self.losses)
