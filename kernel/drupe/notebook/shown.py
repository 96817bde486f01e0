"""Which room shows which value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from drupe.entities import Experiment, LoggedModel, ModelVersion, Page, RegisteredModel, Run
from drupe.notebook.models import logged_models_html, registered_model_html, registered_models_html, version_html, versions_html
from drupe.notebook.runs import experiment_html, experiments_html, run_html, runs_html

__all__ = ["html_of"]

_ALONE: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (Run, run_html),
    (Experiment, experiment_html),
    (RegisteredModel, registered_model_html),
    (ModelVersion, version_html),
)
_LISTS: tuple[tuple[type, str, str, Callable[[Sequence[Any], str], str]], ...] = (
    (Run, "run", "runs", runs_html),
    (Experiment, "experiment", "experiments", experiments_html),
    (RegisteredModel, "registered model", "registered models", registered_models_html),
    (ModelVersion, "model version", "model versions", versions_html),
    (LoggedModel, "logged model", "logged models", logged_models_html),
)


def html_of(value: object) -> str | None:
    """`value` as a part of a notebook's page; None for what has no form of its own, such as an empty list, which its plain text says best."""
    if isinstance(value, Page):
        return _listed(value)
    return next((show(value) for kind, show in _ALONE if isinstance(value, kind)), None)


def _listed(page: Page[Any]) -> str | None:
    for kind, one, many, show in _LISTS:
        if page and all(isinstance(item, kind) for item in page):
            more = "; the token of this page leads to more" if page.token else ""
            return show(page, f"{len(page):,} {one if len(page) == 1 else many}{more}")
    return None
