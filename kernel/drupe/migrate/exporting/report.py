"""What an export came to: how many of each kind are new there, were there, or got more; what is called what there; and what was not carried over."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from drupe.extend import Loss
from drupe.migrate.report import Tally

__all__ = ["MARK_TAG", "MODEL_TAG", "RUN_TAG", "VERSION_TAG", "ExportReport", "Mapping"]

RUN_TAG, MODEL_TAG, VERSION_TAG = "drupe.run_id", "drupe.model_id", "drupe.version"
"""Tags of what was sent, with the id or number that it has here."""
MARK_TAG = "drupe.exported"
"""The digest of what was sent, written last: one that has it is there whole, and need not be sent again."""

_TALLIED = ("experiments", "runs", "logged_models", "models", "versions", "files")


@define
class Mapping:
    """What is called what there: by the id here, the id there; versions as `name/number`."""

    experiments: dict[str, str] = field(factory=dict)
    runs: dict[str, str] = field(factory=dict)
    logged_models: dict[str, str] = field(factory=dict)
    versions: dict[str, str] = field(factory=dict)


@define
class ExportReport:
    """What one export did, or would do with `is_dry_run`.

    `digest` is the SHA-256 over all that was compared, None until then; `mismatches` names what is not there as it is here.
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
    mapping: Mapping = field(factory=Mapping)
    losses: list[Loss] = field(factory=list)
    mismatches: list[str] = field(factory=list)
    digest: str | None = None

    @property
    def is_whole(self) -> bool:
        """True when nothing was damaged and all that was sent is there as it is here."""
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
            "ids": {
                "experiments": self.mapping.experiments,
                "runs": self.mapping.runs,
                "logged_models": self.mapping.logged_models,
                "versions": self.mapping.versions,
            },
            "not_carried_over": [
                {"what": one.what, "name": one.name, "why": one.why, "count": one.count, "damage": one.is_damage} for one in self.losses
            ],
            "verified": self.digest is not None and not self.mismatches,
            "digest": self.digest,
            "mismatches": self.mismatches,
        }
