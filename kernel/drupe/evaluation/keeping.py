"""Puts the results of an evaluation where they belong: files and numbers on the active run, numbers on the logged model too."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.data import DescribedDataset
from drupe.entities import ModelInput
from drupe.errors import InvalidValue
from drupe.evaluation.formats import as_table
from drupe.evaluation.judged import Judged
from drupe.evaluation.results import EvaluationArtifact, EvaluationResult
from drupe.tracking.active_model import get_active_model_id
from drupe.tracking.fluent import active_run, get_artifact_uri, start_run
from drupe.tracking.fluent_logging import log_artifacts, log_dict, log_input, log_metrics, log_table

__all__ = ["Kept", "keep"]


@frozen(eq=False)
class Kept:
    """What the results are about: the logged model, if it is one, the data, and what the data was used for."""

    model_id: str | None
    dataset: DescribedDataset
    context: str | None

    @classmethod
    def of(cls, subject: Judged | None, dataset: DescribedDataset, model_id: str | None, context: str | None) -> Kept:
        """Raises InvalidValue when the given id is not that of the given model."""
        own = None if subject is None else subject.model_id
        if own is not None and model_id is not None and own != model_id:
            raise InvalidValue(f"model_id is {model_id!r}, and the model is {own!r}; leave model_id out, or give the model of that id")
        return cls(model_id or own or get_active_model_id(), dataset, context)


def keep(result: EvaluationResult, kept: Kept, begin: Mapping[str, Any]) -> None:
    """Log to the active run, or to one that is started and ended for it as `begin` says; the result's artifacts get their addresses."""
    if active_run() is not None:
        _log(result, kept)
        return
    with start_run(**begin):
        _log(result, kept)


def _log(result: EvaluationResult, kept: Kept) -> None:
    run = active_run()
    assert run is not None
    result.run_id, result.model_id = str(run.info.run_id), kept.model_id
    log_input(kept.dataset, context=kept.context or "eval", model=None if kept.model_id is None else ModelInput(kept.model_id))
    log_metrics(result.metrics, model_id=kept.model_id, dataset=kept.dataset)
    with tempfile.TemporaryDirectory(prefix="drupe-evaluation-") as place:
        for artifact in result.artifacts.values():
            if _is_listed(artifact):
                log_table(as_table(artifact.file_name, artifact.raw), artifact.file_name)
            else:
                (Path(place) / artifact.file_name).write_bytes(artifact.raw)
        log_artifacts(place)
    result.artifacts = {name: EvaluationArtifact(get_artifact_uri(one.file_name), one.raw) for name, one in result.artifacts.items()}
    if result.failures:
        log_dict(result.failures, "evaluation_failures.json")


def _is_listed(artifact: EvaluationArtifact) -> bool:
    """True for tables in MLflow's JSON, which `load_table` finds by a tag."""
    return artifact.file_name.endswith(".json") and as_table(artifact.file_name, artifact.raw) is not None
