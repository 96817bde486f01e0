"""The run that a training is logged to: the user's active one, or one that is started for it and ends with it.

Everything goes through the fluent functions, as if the user had called them; a run of an earlier training is written through its client.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from drupe.entities.limits import KEY_MAX, PARAM_VALUE_MAX, check_key
from drupe.errors import InvalidName
from drupe.tracking import active, fluent_logging
from drupe.tracking.active import ActiveRun
from drupe.tracking.autolog.guard import Faults
from drupe.tracking.chosen import client_of
from drupe.tracking.fluent import get_run, start_run
from drupe.tracking.journal import outbox

__all__ = ["AUTOLOGGING_TAG", "Run"]

AUTOLOGGING_TAG = "mlflow.autologging"
T = TypeVar("T")
_UNUSABLE = re.compile(r"[^\w./:\- ]")


class Run:
    """A `drupe.extend.TrainingRun`."""

    def __init__(self, run_id: str, faults: Faults, *, ours: ActiveRun | None = None) -> None:
        self.run_id, self.faults = run_id, faults
        self.is_ours = ours is not None
        self.last_steps: Mapping[str, int] = {}
        self._ours = ours

    @classmethod
    def take(cls, library: str, faults: Faults, extra_tags: Mapping[str, str] | None = None) -> Run:
        """The active run of this thread or task, or one that is started now."""
        there = active.top()
        if there is not None:
            return cls(there.info.run_id, faults)
        ours = start_run(tags={AUTOLOGGING_TAG: library, **(extra_tags or {})})
        return cls(ours.info.run_id, faults, ours=ours)

    def end(self, fault: BaseException | None = None) -> None:
        """End the run if it is ours: FINISHED, or as `fault` says."""
        if self._ours is not None:
            self._ours.__exit__(type(fault) if fault is not None else None, fault, None)

    # --- what an autologger may do

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log params, but for those that a run of the user has with another value."""
        texts = {key: text for name, value in params.items() if (key := self._key(name)) for text in (_text(value)[:PARAM_VALUE_MAX],)}
        if not self.is_ours:
            there = self._params()
            clashes = sorted(key for key, text in texts.items() if there.get(key, text) != text)
            if clashes:
                self.warn(
                    f"the run has other values of {', '.join(clashes)}; they stay, as params never change. A run per fit keeps them all"
                )
            texts = {key: text for key, text in texts.items() if key not in there}
        if texts:
            fluent_logging.log_params(texts, run_id=self.run_id)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None, *, model_id: str | None = None) -> None:
        """Log one value each, at this step, and as measured on a logged model where one is named; what is no number is left out."""
        numbers: dict[str, float] = {}
        for name, value in metrics.items():
            try:
                numbers[self._key(name)] = float(value)
            except (TypeError, ValueError):
                continue
        numbers.pop("", None)
        if not numbers:
            return
        at = step or 0
        self.last_steps = {**self.last_steps, **{key: max(at, self.last_steps.get(key, at)) for key in numbers}}
        if self._is_active():
            fluent_logging.log_metrics(numbers, step, run_id=self.run_id, model_id=model_id)
        else:
            client_of(self.run_id).log_points(self.run_id, numbers, step=step, model_id=model_id)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        if self._is_active():
            fluent_logging.set_tags(tags)
            return
        for key, value in tags.items():
            client_of(self.run_id).set_tag(self.run_id, key, value)

    def log_input(self, dataset: Any, context: str) -> None:
        """Say which data set was used, and what for."""
        if self._is_active():
            fluent_logging.log_input(dataset, context)
        else:
            client_of(self.run_id).log_input(self.run_id, dataset, context)

    def log_files(self, files: Mapping[str, bytes]) -> None:
        """Keep these files among the run's artifacts."""
        if not files:
            return
        with tempfile.TemporaryDirectory(prefix="drupe-autolog-") as place:
            for name, content in files.items():
                (Path(place) / name).write_bytes(content)
            fluent_logging.log_artifacts(place, run_id=self.run_id)

    @contextmanager
    def child(self, tags: Mapping[str, str]) -> Iterator[Run]:
        """A run nested in this one."""
        own = {AUTOLOGGING_TAG: self.faults.library, **tags}
        with start_run(nested=True, parent_run_id=self.run_id, tags=own) as started:
            yield Run(started.info.run_id, self.faults, ours=started)

    def attempt(self, what: str, do: Callable[[], T]) -> T | None:
        """Do one part of the logging; a fault in it becomes one warning."""
        return self.faults.attempt(what, do)

    def warn(self, text: str) -> None:
        """Say something once per process."""
        self.faults.warn(text)

    def _params(self) -> Mapping[str, str]:
        """What this process knows of the run's params; a store that is away is not asked."""
        line = outbox.line_of(self.run_id)
        return get_run(self.run_id).data.params if line is None else line.params

    def _is_active(self) -> bool:
        there = active.top()
        return there is not None and there.info.run_id == self.run_id

    def _key(self, name: Any) -> str:
        """The name as a run can have it; empty, with a warning, where none can be made of it."""
        key = _UNUSABLE.sub("_", str(name))[:KEY_MAX]
        try:
            return check_key("param or metric", key)
        except InvalidName:
            self.warn(f"{str(name)!r:.100} can be no name of a param or metric and is left out")
            return ""


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # an object of the user, whose __str__ fails
        return f"<{type(value).__qualname__}>"
