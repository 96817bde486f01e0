"""Puts the results of an evaluation where they belong: files and numbers on the active run, numbers on the logged model too."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from drupe.data import DescribedDataset
from drupe.entities import ModelInput
from drupe.entities.logged_limits import check_model_id
from drupe.errors import InvalidValue, LoggedModelNotFound, StoreError, UnsupportedFeature
from drupe.evaluation.elsewhere import JudgedElsewhere
from drupe.evaluation.formats import as_table
from drupe.evaluation.judged import Judged
from drupe.evaluation.results import EvaluationArtifact, EvaluationResult
from drupe.tracking.active_model import get_active_model_id
from drupe.tracking.artifact_client import ArtifactClient
from drupe.tracking.chosen import client_of
from drupe.tracking.fluent import active_run, get_artifact_uri, start_run
from drupe.tracking.fluent_logging import log_artifacts, log_dict, log_input, log_metrics, log_table
from drupe.tracking.measured import log_measured_elsewhere
from drupe.tracking.run_log import line_here

__all__ = ["Kept", "keep"]

log = logging.getLogger("drupe.evaluation")


@frozen(eq=False)
class Kept:
    """What the results are about: the logged model, if it is one, the data, and what the data was used for.

    `is_elsewhere` when the model says that it is a logged model which the store of the run does not know: it was logged to another store, or
    its folder was copied. Its results are the run's alone then.
    """

    model_id: str | None
    dataset: DescribedDataset
    context: str | None
    begin: Mapping[str, Any]
    is_elsewhere: bool = False

    @classmethod
    def of(
        cls,
        subject: Judged | JudgedElsewhere | None,
        dataset: DescribedDataset,
        model_id: str | None,
        context: str | None,
        begin: Mapping[str, Any],
    ) -> Kept:
        """Asked before anything is computed. Raises InvalidValue when the given id is not that of the given model, LoggedModelNotFound."""
        own = None if subject is None else subject.model_id
        if own is not None and model_id is not None and own != model_id:
            raise InvalidValue(f"model_id is {model_id!r}, and the model is {own!r}; leave model_id out, or give the model of that id")
        client = _client(begin)
        if model_id is not None:
            _is_known(client, model_id)
            return cls(model_id, dataset, context, begin)
        if own is not None:
            try:
                _is_known(client, own)
                return cls(own, dataset, context, begin)
            except (LoggedModelNotFound, UnsupportedFeature, InvalidValue) as fault:
                log.info("the results are logged on the run alone: the model says that it is the logged model %s, but %s", own, fault)
        active = get_active_model_id()
        return cls(active, dataset, context, begin, is_elsewhere=own is not None and active is None)


def keep(result: EvaluationResult, kept: Kept) -> None:
    """Log to the active run, or to one that is started and ended for it; the result's artifacts get their addresses."""
    if active_run() is not None:
        _log(result, kept)
        return
    with start_run(**kept.begin):
        _log(result, kept)


def _client(begin: Mapping[str, Any]) -> ArtifactClient:
    """The client of the store that the results will go to."""
    run = active_run()
    run_id = begin.get("run_id") if run is None else run.info.run_id
    return ArtifactClient() if run_id is None else client_of(str(run_id))


def _is_known(client: ArtifactClient, model_id: str) -> None:
    """Raises LoggedModelNotFound or UnsupportedFeature where the store has no such model; one that cannot be asked now may have it."""
    try:
        client.get_logged_model(check_model_id(model_id))
    except StoreError as fault:
        log.debug("whether there is a logged model %s is not known now: %s", model_id, fault)


def _log(result: EvaluationResult, kept: Kept) -> None:
    run = active_run()
    assert run is not None
    result.run_id, result.model_id = str(run.info.run_id), kept.model_id
    log_input(kept.dataset, context=kept.context or "eval", model=None if kept.model_id is None else ModelInput(kept.model_id))
    line = line_here(run.info.run_id) if kept.is_elsewhere else None
    if line is not None:
        log_measured_elsewhere(line, result.metrics)
    else:
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
