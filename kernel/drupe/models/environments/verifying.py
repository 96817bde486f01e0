"""Whether a model works in the environment that its folder asks for: loaded there and asked for its input example in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.errors import EnvironmentUnusable
from drupe.models.environments.preparing import OF_THE_CALLER, prepared_environment, vouched_model
from drupe.models.gate import Admitted
from drupe.models.pinning import pinned_requirements
from drupe.models.predictions import compare_predictions, read_prediction

__all__ = ["TIMEOUT_S", "Verified", "verify_environment"]

TIMEOUT_S = 600.0
_MODULE = "drupe.models.environments.trial"
_MOST_CHARACTERS = 2000


@frozen
class Verified:
    """What became of the trial. `steps` are what worked, in order; `fault` is what did not and what would help, or None."""

    steps: Sequence[str]
    fault: str | None = None
    missing: Sequence[str] = ()

    @property
    def works(self) -> bool:
        """True when nothing failed."""
        return self.fault is None


def verify_environment(
    model: str | Path | Admitted,
    *,
    env_manager: str = "uv",
    is_fresh: bool = True,
    timeout_s: float = TIMEOUT_S,
    tell: Callable[[str], None] | None = None,
) -> Verified:
    """Load the model in its own environment, predict for its input example, compare with what was recorded.

    The environment is made for this and removed afterwards, or with `is_fresh=False` the kept one is used. An environment that cannot be
    built is a fault of the result, too. Raises InvalidModelFolder and what the gate of models raises.
    """
    admitted = vouched_model(model)
    steps: list[str] = []
    try:
        with prepared_environment(admitted, env_manager=env_manager, fresh=is_fresh, tell=tell) as (python, is_new):
            steps.append(f"its environment {'was built' if is_new else 'is there'}")
            told = _try(python, admitted, timeout_s)
    except EnvironmentUnusable as fault:
        return Verified(steps, fault.message)
    return _judged(admitted, told, steps)


def _judged(admitted: Admitted, told: dict[str, Any], steps: list[str]) -> Verified:
    stage = told["stage"]
    if stage in ("loaded", "predict", "predicted"):
        steps.append("it loads")
    if "fault" in told:
        doing = "predict for its input example" if stage == "predict" else "be loaded"
        missing = pinned_requirements([told["module"]]) if told.get("module") else []
        advice = ""
        if missing:
            advice = f"; {', '.join(missing)} would bring it: log the model again with extra_pip_requirements={missing}"
        elif told.get("module"):
            advice = f"; no package here has the module {told['module']!r}: give your own modules to log_model with code_paths"
        return Verified(steps, f"the model cannot {doing} in its environment: {told['fault']}{advice}", missing)
    if stage == "loaded":
        steps.append("it has no input example, so nothing was predicted")
        return Verified(steps)
    steps.append("it predicts for its input example")
    expected = read_prediction(admitted.folder, admitted.model.saved_input_example_info or {})
    if expected is None or "prediction" not in told:
        steps.append("there is no recorded prediction to compare with")
        return Verified(steps)
    different = compare_predictions(expected, told["prediction"])
    if different is not None:
        return Verified(steps, f"it predicts something else than where it was logged: {different}")
    steps.append("it predicts what it predicted where it was logged")
    return Verified(steps)


def _try(python: Path, admitted: Admitted, timeout_s: float) -> dict[str, Any]:
    environ = {key: value for key, value in os.environ.items() if key not in OF_THE_CALLER}
    with tempfile.TemporaryDirectory(prefix="drupe-trial-") as place:
        report = Path(place) / "report.json"
        command = [str(python), "-s", "-P", "-m", _MODULE, str(admitted.folder.absolute()), str(report), admitted.digest]
        try:
            done = subprocess.run(
                command, env=environ, cwd=place, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            return {"stage": "load", "fault": f"it took longer than {timeout_s:g} seconds"}
        if done.returncode == 0 and report.is_file():
            found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
            return found
    said = " ".join((done.stderr or done.stdout).split())[-_MOST_CHARACTERS:]
    return {"stage": "load", "fault": f"its process ended with code {done.returncode}: {said}"}
