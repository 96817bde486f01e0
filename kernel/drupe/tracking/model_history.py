"""The tags that say which models a run has logged: MLflow's list of them before 3.0, and the digest of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from drupe.entities.limits import RUN_TAG_VALUE_MAX

__all__ = ["DIGEST_TAG", "HISTORY_TAG", "digest_tag", "listed"]

HISTORY_TAG = "mlflow.log-model.history"
DIGEST_TAG = "drupe.model_digest"
"""On a version or a logged model: the digest of its files, so that they are known again wherever they lie. On runs see `digest_tag`."""


def digest_tag(path: str) -> str:
    """The run's tag for the digest of the model at `path` among its artifacts."""
    return f"{DIGEST_TAG}.{path}"


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
