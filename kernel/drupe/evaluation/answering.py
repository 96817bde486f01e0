"""Run as a process in a model's environment: loads the model, and predicts for the tables that come in, until there are no more.

`python -m drupe.evaluation.answering FOLDER` reads messages of `exchange` from standard input and answers on standard output; what the model prints goes
to standard error. `elsewhere` starts it. That the folder may be loaded was checked there, see `drupe.models.handed_over`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from drupe.errors import DrupeError
from drupe.evaluation.exchange import receive, send
from drupe.evaluation.judged import Judged
from drupe.models import load_model

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Answer until standard input ends. The first message says how to load the model; the answer to it, what the model is."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    questions = sys.stdin.buffer
    model: Judged | None = None
    while True:
        try:
            asked = receive(questions)
            if asked is None:
                return 0
            kind, value = asked
            if model is None:
                model = _opened(Path(arguments[0]), value)
                send(
                    answers, "opened", {"classes": model.classes, "features": model.feature_names, "probabilities": model.has_probabilities}
                )
            else:
                send(answers, "predicted", model.predict_proba(value) if kind == "predict_proba" else model.predict(value))
        except Exception as fault:  # the model's own code
            _tell(answers, fault)


def _opened(folder: Path, how: Any) -> Judged:
    return Judged(load_model(folder, model_config=how["model_config"]), how["name"], how["params"], is_array=how["is_array"])


def _tell(answers: BinaryIO, fault: Exception) -> None:
    is_ours = isinstance(fault, DrupeError)
    message = fault.message if isinstance(fault, DrupeError) else f"{type(fault).__name__}: {fault}"
    send(answers, "fault", {"kind": type(fault).__name__ if is_ours else None, "message": message})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
