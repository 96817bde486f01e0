"""The lineage of a run, a logged model or a version, as things in columns and ties between them: data → run → models → versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from drupe.entities import DatasetInput, LoggedModel, ModelVersion, Run
from drupe.errors import DrupeError, LoggedModelNotFound
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.models.mlmodel import Model
from drupe_ui_web.model_page import KnownModel, known_model, saved_model
from drupe_ui_web.replies import json_reply
from drupe_ui_web.run_page import models_of, versions_of_run

__all__ = ["LineagePage"]

EACH_MAX = 40
DATASET, INPUT_MODEL, RUN, MODEL, VERSION = 0, 0, 1, 2, 3
CONTEXT = "mlflow.data.context"


@frozen
class _Drawing:
    """What has been found so far. `here` is the id of the thing that the page is about."""

    here: str
    things: dict[str, dict[str, Any]] = field(factory=dict)
    ties: dict[tuple[str, str], None] = field(factory=dict)

    def add(self, key: str, kind: str, column: int, title: str, note: str = "", path: Sequence[str] = ()) -> str:
        self.things.setdefault(
            key,
            {"id": key, "kind": kind, "title": title, "note": note, "path": list(path), "is_here": key == self.here, "column": column},
        )
        return key

    def tie(self, start: str, end: str) -> None:
        self.ties[start, end] = None


class LineagePage:
    """The route of lineage."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [WebRoute("GET", f"{root}/lineage", self.lineage)]

    def lineage(self, request: WebRequest) -> WebReply:
        """What a thing was made of and what was made of it. Raises NotFound, InvalidValue."""
        query = request.query
        drawing = _Drawing(_key_of(query))
        if query.get("run_id"):
            run = self._store.tracking.get_run(query["run_id"])
            known = KnownModel(None, run, tuple(versions_of_run(self._store, run.info.run_id)))
            models = models_of(self._store, run)
        else:
            known = known_model(self._store, query, _model_at(self._store, query))
            models = [known.entity] if known.entity is not None else []
        is_cut = self._draw(drawing, known.run, models, known.versions)
        return json_reply({"things": list(drawing.things.values()), "ties": list(drawing.ties), "is_cut": is_cut})

    def _draw(self, drawing: _Drawing, run: Run | None, models: Sequence[LoggedModel], versions: Sequence[ModelVersion]) -> bool:
        run_key = ""
        counts = [len(models), len(versions)]
        if run is not None:
            run_key = drawing.add(
                f"run {run.info.run_id}", "run", RUN, run.info.run_name, run.info.status.value.lower(), ("runs", run.info.run_id)
            )
            counts += [len(run.inputs.dataset_inputs), len(run.inputs.model_inputs)]
            for used in run.inputs.dataset_inputs[:EACH_MAX]:
                data = used.dataset
                drawing.tie(drawing.add(f"dataset {data.name} {data.digest}", "dataset", DATASET, data.name, _context(used)), run_key)
            for model_id in [one.model_id for one in run.inputs.model_inputs[:EACH_MAX]]:
                drawing.tie(self._model(drawing, model_id, INPUT_MODEL), run_key)
        keys = {}
        for model in models[:EACH_MAX]:
            keys[model.model_uri] = keys[model.artifact_location] = key = drawing.add(
                f"model {model.model_id}", "model", MODEL, model.name, model.model_type or "", ("logged-models", model.model_id)
            )
            keys[f"runs:/{model.source_run_id}/{model.name}"] = key
            if run_key:
                drawing.tie(run_key, key)
        for version in versions[:EACH_MAX]:
            told = [
                version.current_stage.value if version.current_stage.value != "None" else "",
                *(f"@{alias}" for alias in version.aliases),
            ]
            key = drawing.add(
                f"version {version.name} {version.version}",
                "version",
                VERSION,
                f"{version.name} {version.version}",
                " ".join(filter(None, told)),
                ("models", version.name, version.version),
            )
            source = keys.get(version.source) or (next(iter(keys.values())) if len(models) == 1 else run_key)
            if source:
                drawing.tie(source, key)
        return max(counts) > EACH_MAX

    def _model(self, drawing: _Drawing, model_id: str, column: int) -> str:
        try:
            model = self._store.tracking.get_logged_model(model_id)
        except LoggedModelNotFound:
            return drawing.add(f"model {model_id}", "model", column, model_id, "deleted")
        return drawing.add(f"model {model_id}", "model", column, model.name, model.model_type or "", ("logged-models", model_id))


def _model_at(store: ServedStore, query: Mapping[str, str]) -> Model | None:
    """The MLmodel of what is asked, which may name its logged model and run; None where there is none to read."""
    try:
        return saved_model(store, query).model
    except DrupeError:
        return None


def _context(used: DatasetInput) -> str:
    return ", ".join(tag.value for tag in used.tags if tag.key == CONTEXT)


def _key_of(query: Mapping[str, str]) -> str:
    if query.get("run_id"):
        return f"run {query['run_id']}"
    if query.get("model_id"):
        return f"model {query['model_id']}"
    return f"version {query.get('name', '')} {query.get('version', '')}"
