"""What an export came to: how many of each kind are new there, were there, or got more; what is called what there; and what was not carried over."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from drupe.migrate.report import Report

__all__ = ["MARK_TAG", "MODEL_TAG", "RUN_TAG", "VERSION_TAG", "ExportReport", "Mapping"]

RUN_TAG, MODEL_TAG, VERSION_TAG = "drupe.run_id", "drupe.model_id", "drupe.version"
"""Tags of what was sent, with the id or number that it has here."""
MARK_TAG = "drupe.exported"
"""The digest of what was sent, written last: one that has it is there whole, and need not be sent again."""


@define
class Mapping:
    """What is called what there: by the id here, the id there; versions as `name/number`."""

    experiments: dict[str, str] = field(factory=dict)
    runs: dict[str, str] = field(factory=dict)
    logged_models: dict[str, str] = field(factory=dict)
    versions: dict[str, str] = field(factory=dict)


@define
class ExportReport(Report):
    """What one export did."""

    mapping: Mapping = field(factory=Mapping)

    def _own_plain(self) -> dict[str, Any]:
        return {
            "ids": {
                "experiments": self.mapping.experiments,
                "runs": self.mapping.runs,
                "logged_models": self.mapping.logged_models,
                "versions": self.mapping.versions,
            }
        }
