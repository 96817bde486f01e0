"""A crash as a value: how a run's process died, and when. In a store it is four tags of the run, which every client shows.

Finding out is for `reaper`; MLflow's clients see the run FAILED, or KILLED after SIGTERM.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from attrs import frozen

from drupe.entities import Run
from drupe.errors import TagNotFound
from drupe.extend import TrackingStore

__all__ = ["Crash", "take_back"]

SIGNAL, LAST_STEP, AT, REASON = _TAGS = ("drupe.crash.signal", "drupe.crash.last_step", "drupe.crash.at", "drupe.crash.reason")


@frozen
class Crash:
    """`signal` such as SIGKILL, None where it is not known or there was none; `at_ms` is the last sign of life; `reason` is a sentence."""

    at_ms: int
    reason: str
    signal: str | None = None
    last_step: int | None = None

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> Crash | None:
        """The crash that a run's tags tell of; None when they do not."""
        try:
            at = datetime.fromisoformat(tags[AT])
            step = tags.get(LAST_STEP)
            return cls(round(at.timestamp() * 1000), tags.get(REASON, ""), tags.get(SIGNAL), None if step is None else int(step))
        except (KeyError, ValueError):  # tags are free text
            return None

    def tags(self) -> dict[str, str]:
        """The tags that say so."""
        seconds, ms = divmod(self.at_ms, 1000)
        found = {AT: f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{ms:03}Z", REASON: self.reason}
        if self.signal is not None:
            found[SIGNAL] = self.signal
        if self.last_step is not None:
            found[LAST_STEP] = str(self.last_step)
        return found


def take_back(store: TrackingStore, run: Run) -> None:
    """Remove the tags of a crash from a run that goes on after all."""
    for key in _TAGS:
        if key in run.data.tags:
            with suppress(TagNotFound):  # somebody was quicker
                store.delete_run_tag(run.info.run_id, key)
