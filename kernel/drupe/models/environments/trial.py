"""Run as a process in a model's environment: loads the model, predicts for its input example, and writes what came of it to a file.

`python -m drupe.models.environments.trial FOLDER REPORT [DIGEST]`: the model passed the gate with that digest. `verifying` starts it and reads the report.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drupe.models.examples import read_example
from drupe.models.opening import load_model
from drupe.models.predictions import plain_prediction

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Try the model in the folder `arguments[0]`; the report goes to the file `arguments[1]`. Faults are in the report."""
    folder, report = Path(arguments[0]), Path(arguments[1])
    report.write_text(json.dumps(_try(folder, arguments[2] if len(arguments) > 2 else None)), encoding="utf-8")
    return 0


def _try(folder: Path, digest: str | None) -> dict[str, Any]:
    stage = "load"
    try:
        model = load_model(folder, trust=digest)
        info = model.metadata.saved_input_example_info
        if info is None:
            return {"stage": "loaded"}
        stage = "predict"
        example = read_example(folder, info, model.signature.inputs if model.signature else None)
        prediction = model.predict(example.inputs, params=dict(example.params) if example.params else None)
    except Exception as fault:  # the user's model raised it
        return {"stage": stage, "fault": _told(fault), "module": _missing_module(fault)}
    try:
        return {"stage": "predicted", "prediction": plain_prediction(prediction)}
    except (TypeError, ValueError):
        return {"stage": "predicted"}


def _told(fault: BaseException) -> str:
    return str(getattr(fault, "message", "")) or f"{type(fault).__name__}: {fault}"


def _missing_module(fault: BaseException | None) -> str | None:
    while fault is not None:
        if isinstance(fault, ModuleNotFoundError):
            return fault.name
        if getattr(fault, "details", {}).get("module"):
            return str(fault.details["module"])  # type: ignore[attr-defined]
        fault = fault.__cause__ or fault.__context__
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
