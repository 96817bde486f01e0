"""The tag in which MLflow before 3.0 lists the models among a run's artifacts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from drupe.entities.limits import RUN_TAG_VALUE_MAX

__all__ = ["HISTORY_TAG", "listed"]

HISTORY_TAG = "mlflow.log-model.history"


def listed(known: str | None, model: Mapping[str, Any]) -> str:
    """The tag's text with one more model at its end; the oldest are left out when they would not fit into a tag. What is no list counts as none."""
    try:
        history = json.loads(known or "[]")
    except ValueError:
        history = []  # somebody else's text
    entries = [*(history if isinstance(history, list) else []), model]
    while len(entries) > 1 and len(json.dumps(entries)) > RUN_TAG_VALUE_MAX:
        entries.pop(0)
    if len(json.dumps(entries)) > RUN_TAG_VALUE_MAX:  # a signature of very many columns
        entries = [{key: value for key, value in model.items() if key not in ("signature", "metadata")}]
    return json.dumps(entries)
