"""The files of one evaluation: pictures with the data they were drawn from, tables, and what the user's own functions made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from drupe.extend import Evaluation, Findings

__all__ = ["Report"]


class Report:
    """Collects what an evaluator finds out; a part that fails becomes a failure and the others go on."""

    def __init__(self, evaluation: Evaluation) -> None:
        self.folder: Path = evaluation.folder
        self.draws = evaluation.draws
        self.has_pictures = evaluation.config.get("pictures") is not False
        self.metrics: dict[str, float] = {}
        self.artifacts: dict[str, str] = {}
        self.failures: dict[str, str] = {}
        self.better: dict[str, bool] = {}

    def attempt(self, what: str, do: Callable[[], Any]) -> Any:
        """What `do` returns; None after a fault, which is noted under the name of what was tried."""
        try:
            return do()
        except (KeyboardInterrupt, MemoryError):
            raise
        except Exception as fault:  # a library that meets odd data, or the user's own function
            self.failures[what] = f"{type(fault).__name__}: {fault}"
            return None

    def picture(self, subject: str, draw: Callable[[], bytes], data: Any, *, name: str | None = None) -> None:
        """Keep a picture as `<subject>_plot.png` (or `name`) and the DataFrame it shows as `<subject>_data.csv`."""
        if not self.draws:
            return
        name = name or f"{subject}_plot"
        self.table(f"{subject}_data", data)
        drawn = self.attempt(name, draw) if self.has_pictures else None
        if drawn is not None:
            self.file(name, f"{name}.png", drawn)

    def table(self, name: str, frame: Any) -> None:
        """Keep a DataFrame as CSV."""
        if self.draws:
            self.file(name, f"{name}.csv", frame.to_csv(index=False).encode())

    def file(self, name: str, file: str, content: bytes) -> None:
        """Keep a file, as the artifact of that name."""
        (self.folder / file).write_bytes(content)
        self.artifacts[name] = file

    def findings(self) -> Findings:
        """All of it."""
        return Findings(metrics=self.metrics, artifacts=self.artifacts, failures=self.failures, better=self.better)
