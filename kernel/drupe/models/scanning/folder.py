"""A whole model: every file of it and what its MLmodel asks for, put together to one verdict."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from attrs import frozen

from drupe.artifacts.survey import Survey
from drupe.models.mlmodel import Model
from drupe.models.scanning.environments import environment_notes
from drupe.models.scanning.fields import field_findings
from drupe.models.scanning.files import Content, file_findings
from drupe.models.scanning.findings import Budget, Finding

__all__ = ["Scan", "findings_of", "scan_folder"]

_PLAIN = {
    "MLmodel",
    "conda.yaml",
    "python_env.yaml",
    "requirements.txt",
    "constraints.txt",
    "input_example.json",
    "serving_input_example.json",
}
"""Files that drupe writes around every model and reads as text or YAML with bounds; no flavor is given them."""


@frozen
class Scan:
    """What could run code in a model (`findings`), and what installing its environment would do beyond naming packages (`notes`)."""

    digest: str
    files: int
    size_bytes: int
    findings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def runs_code(self) -> bool:
        """True when loading the model could run code that stands in it."""
        return bool(self.findings)


def scan_folder(model: Model, found: Survey, *, safe: Collection[str] = ()) -> Scan:
    """Look at all files of a model; nothing of it is loaded. `safe` as in `findings_of`."""
    return Scan(
        digest=found.digest,
        files=len(found.files),
        size_bytes=sum(seen.size for seen in found.files.values()),
        findings=tuple(findings_of(model, found, safe=safe)),
        notes=tuple(environment_notes(found.folder)),
    )


def findings_of(model: Model, found: Survey, *, safe: Collection[str] = ()) -> Iterator[Finding]:
    """What could run code, one after the other as it is found, so that whoever needs only one need not wait for all.

    `safe` are files and folders that the flavor which loads the model reads without running anything, whatever they hold.
    """
    yield from field_findings(model.flavors, safe=safe)
    budget = Budget()
    for path in found.files:
        if path in _PLAIN and not _is_asked_for(model, path):
            continue
        if any(path == name or path.startswith(f"{name}/") for name in safe):
            continue
        yield from file_findings(Content.of_file(found.folder / path, path), budget)


def _is_asked_for(model: Model, path: str) -> bool:
    """True when a flavor's key names this file, as a hostile one may do."""
    return any(path in str(value) for config in model.flavors.values() for key, value in config.items() if key != "env")
