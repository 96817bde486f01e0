"""What an import or export came to: how many of each kind are new, were there, or got more; what was not carried over, and whether all arrived."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import define, field

from drupe.extend import Loss

__all__ = ["Fate", "ImportReport", "Report", "Tally"]


_TALLIED = ("experiments", "runs", "logged_models", "models", "versions", "files")


class Fate(StrEnum):
    """What became of a thing of the source."""

    NEW = "new"
    EXTENDED = "extended"
    UNCHANGED = "unchanged"


@define
class Tally:
    """How many things of one kind were found, by what became of them."""

    new: int = 0
    extended: int = 0
    unchanged: int = 0

    @property
    def total(self) -> int:
        """All that arrived."""
        return self.new + self.extended + self.unchanged

    def add(self, fate: Fate, count: int = 1) -> None:
        """Count things with this fate."""
        setattr(self, fate.value, getattr(self, fate.value) + count)


@define
class Report:
    """What was done with everything that one place holds, or would be with `is_dry_run`.

    `digest` is the SHA-256 over all that was compared, in the order of the ids; None until then. `mismatches` names what differs.
    """

    source: str
    target: str
    is_dry_run: bool = False
    experiments: Tally = field(factory=Tally)
    runs: Tally = field(factory=Tally)
    logged_models: Tally = field(factory=Tally)
    models: Tally = field(factory=Tally)
    versions: Tally = field(factory=Tally)
    files: Tally = field(factory=Tally)
    file_bytes: int = 0
    points: int = 0
    losses: list[Loss] = field(factory=list)
    mismatches: list[str] = field(factory=list)
    digest: str | None = None

    @property
    def is_whole(self) -> bool:
        """True when nothing was damaged and all that was carried over is as it was."""
        return not self.mismatches and not any(loss.is_damage for loss in self.losses)

    def tallies(self) -> dict[str, Tally]:
        """The tallies by what they count."""
        return {name: getattr(self, name) for name in _TALLIED}

    def to_plain(self) -> dict[str, Any]:
        """The report for programs."""
        return {
            "source": self.source,
            "target": self.target,
            "dry_run": self.is_dry_run,
            **{name: {"new": one.new, "extended": one.extended, "unchanged": one.unchanged} for name, one in self.tallies().items()},
            "file_bytes": self.file_bytes,
            "points": self.points,
            **self._own_plain(),
            "not_carried_over": [
                {"what": one.what, "name": one.name, "why": one.why, "count": one.count, "damage": one.is_damage} for one in self.losses
            ],
            "verified": self.digest is not None and not self.mismatches,
            "digest": self.digest,
            "mismatches": self.mismatches,
        }

    def _own_plain(self) -> dict[str, Any]:
        """What only one kind of report tells."""
        return {}


@define
class ImportReport(Report):
    """What one import did. `renumbered` lists experiments that have another id here: (name, id there, id here)."""

    params: int = 0
    tags: int = 0
    inputs: int = 0
    model_ties: int = 0
    renumbered: list[tuple[str, str, str]] = field(factory=list)

    def _own_plain(self) -> dict[str, Any]:
        return {
            "params": self.params,
            "tags": self.tags,
            "inputs": self.inputs,
            "model_ties": self.model_ties,
            "renumbered": [{"name": name, "there": there, "here": here} for name, there, here in self.renumbered],
        }
