"""Params and metrics of many runs in columns, and how much each param tells of one metric: for the page that relates them.

Which runs is said by their ids, or by what a table of runs asks, see `asked`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drupe.entities import RunColumns, ViewType
from drupe.errors import InvalidValue
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.search import Entity, Field
from drupe_ui_web.asked import field_named, name_of, question, text, texts
from drupe_ui_web.cells import shown
from drupe_ui_web.importance import importance_of
from drupe_ui_web.replies import json_reply
from drupe_ui_web.results import of_ids

__all__ = ["Relations"]

RUNS_MAX = 20_000
NAMED_MAX = 2000
LOOKED_AT = 1000
COLUMNS_MAX = 24
PARAMS_MAX = 200
NAME = Field(Entity.ATTRIBUTE, "run_name")


class Relations:
    """The routes about params and metrics of many runs."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store.tracking

    def routes(self, path: str) -> list[WebRoute]:
        """What the page asks."""
        return [WebRoute("POST", f"{path}/related", self.related), WebRoute("POST", f"{path}/importance", self.importance)]

    def related(self, request: WebRequest) -> WebReply:
        """The ids and names of the runs and the form's `columns` of them, aligned; `fields` are names that columns may have.

        Fields are told as name, key, kind ("metric" or "param") and whether the runs looked at have different values.
        """
        form = request.form()
        names = texts(form, "columns", most=COLUMNS_MAX)
        found = self._columns(form, [NAME, *map(field_named, names)])
        answer = {
            "ids": found.run_ids,
            "names": [name or run_id for name, run_id in zip(found.columns[0], found.run_ids, strict=True)],
            "columns": {name: [shown(value) for value in column] for name, column in zip(names, found.columns[1:], strict=True)},
            "fields": self._fields(found.run_ids) if form.get("with_fields") else [],
            "is_cut": found.is_cut,
        }
        return json_reply(answer)

    def importance(self, request: WebRequest) -> WebReply:
        """How much each param of the runs tells of `metric`, the most telling first, see `importance`; `untold` is how many tell nothing."""
        form = request.form()
        metric = field_named(text(form, "metric"))
        if metric.entity is not Entity.METRIC:
            raise InvalidValue(f"'metric' must name a metric, such as metrics.loss, got {text(form, 'metric')[:60]!r}")
        params = texts(form, "params", most=PARAMS_MAX)
        found = self._columns(form, [metric, *map(field_named, params)])
        weights = []
        for name, column in zip(params, found.columns[1:], strict=True):
            weight = importance_of(column, found.columns[0])
            if weight is not None:
                weights.append((name, weight))
        weights.sort(key=lambda one: (-one[1].strength, one[0]))
        told = [
            {"name": name, "strength": one.strength, "correlation": one.correlation, "runs": one.runs, "groups": one.groups}
            for name, one in weights
        ]
        return json_reply({"params": told, "untold": len(params) - len(told), "runs": len(found.run_ids)})

    def _columns(self, form: dict[str, Any], fields: Sequence[Field]) -> RunColumns:
        run_ids = texts(form, "runs", most=NAMED_MAX)
        if run_ids:
            return self._store.run_columns(of_ids(run_ids), experiment_ids=None, view=ViewType.ALL, fields=fields, limit=len(run_ids))
        asked = question(form)
        return self._store.run_columns(asked.query(), experiment_ids=asked.experiments, view=asked.view, fields=fields, limit=RUNS_MAX)

    def _fields(self, run_ids: Sequence[str]) -> list[tuple[str, str, str, bool]]:
        """What the first runs have: enough to know the names, and quick among many runs."""
        some = run_ids[:LOOKED_AT]
        if not some:
            return []
        runs = list(self._store.search_runs(of_ids(some), experiment_ids=None, view=ViewType.ALL, limit=len(some), summaries=False))
        values: dict[tuple[Entity, str], set[Any]] = {}
        for run in runs:
            for entity, mapping in ((Entity.METRIC, run.data.metrics), (Entity.PARAM, run.data.params)):
                for key, value in mapping.items():
                    values.setdefault((entity, key), set()).add(value)
        told = []
        for (entity, key), different in sorted(values.items(), key=lambda one: (one[0][0].name, one[0][1])):
            name = name_of(entity, key)
            if name is not None:
                told.append((name, key, "metric" if entity is Entity.METRIC else "param", len(different) > 1))
        return told
