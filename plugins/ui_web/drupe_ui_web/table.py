"""The runs table: windows of what a question found, its groups with their figures, and the columns that it begins with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve

from drupe.errors import InvalidValue
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.search import Field
from drupe_ui_web.asked import DURATION, Question, field_named, number, question, text, texts
from drupe_ui_web.cells import ATTRIBUTES, values_of
from drupe_ui_web.figures import figures_of
from drupe_ui_web.picking import KeysOfRuns, all_columns, picked_columns
from drupe_ui_web.replies import json_reply
from drupe_ui_web.results import RUNS_MAX, Kept, Result, begun_by, found_by

__all__ = ["RunsTable"]

WINDOW_MAX = 500
COLUMNS_MAX = 200
FIRST_COLUMNS = 40
PICKED = "picked"
EVERY = "all"
OF_PAGE = (*ATTRIBUTES, DURATION, "experiment")
"""Columns that the page makes from the attributes of runs, which are in every window."""


class RunsTable:
    """The table over one store."""

    def __init__(self, store: ServedStore, keys: KeysOfRuns) -> None:
        self._store, self._keys = store.tracking, keys
        self._kept = Kept()

    def routes(self, path: str) -> list[WebRoute]:
        """What is asked of a table."""
        return [
            WebRoute("POST", f"{path}/runs", self.runs),
            WebRoute("POST", f"{path}/ids", self.ids),
            WebRoute("POST", f"{path}/groups", self.groups),
        ]

    def runs(self, request: WebRequest) -> WebReply:
        """A window of the runs that a question finds.

        With the `result` of an earlier answer the window is one of that; without, or where it is not kept any more, the store is asked now.
        `columns` are names of fields, or "picked" or "all", and then the answer's `picked` says which these are. `since` names a result: `new`
        is how many of the runs were not in it, if that is known, and the answer has its name if it would be the same now. Times are ms since 1970.
        """
        form = request.form()
        asked = question(form)
        offset, count = number(form, "offset", 0), number(form, "count", 100, most=WINDOW_MAX)
        names, picked = self._columns(form, asked)
        result = self._result(form, asked, offset, count)
        run_ids = result.run_ids[offset : offset + count]
        attributes, columns = values_of(self._store, asked, run_ids, _fields_of(names))
        answer: dict[str, Any] = {
            "result": result.name,
            "total": result.total,
            "is_cut": result.is_cut,
            "pinned": result.pinned,
            "offset": offset,
            "ids": run_ids,
            "attributes": attributes,
            "columns": columns,
        }
        if picked is not None:
            answer["picked"] = picked
        if result.groups is not None:
            answer["groups"] = {"values": [group.value for group in result.groups], "counts": [group.count for group in result.groups]}
        before = self._kept.get(text(form, "since")) if form.get("since") else None
        if before is not None and before.has(0, before.total) and result.has(0, result.total):
            answer["new"] = len(set(result.run_ids).difference(before.run_ids))
        return json_reply(answer)

    def ids(self, request: WebRequest) -> WebReply:
        """The ids of `count` runs of a result from `offset` on, however many, for those who select them."""
        form = request.form()
        offset, count = number(form, "offset", 0), number(form, "count", RUNS_MAX)
        result = self._result(form, question(form), offset, count)
        return json_reply({"result": result.name, "ids": result.run_ids[offset : offset + count]})

    def groups(self, request: WebRequest) -> WebReply:
        """Figures of each group of a result, for some columns: of metrics the mean, deviation and number, of texts what all have in common."""
        form = request.form()
        asked = question(form)
        if not asked.group:
            raise InvalidValue("'group' is empty; name the param or tag that the runs are grouped by")
        result = self._result(form, asked)
        names = texts(form, "columns", most=COLUMNS_MAX)
        return json_reply({"result": result.name, "columns": figures_of(self._store, result, _fields_of(names))})

    def _result(self, form: dict[str, Any], asked: Question, offset: int = 0, count: int = RUNS_MAX) -> Result:
        """The result that a form asks for, with these places of it at least."""
        since = text(form, "since")
        kept = self._kept.get(since or text(form, "result"), asked)
        if kept is None and not since and offset == 0:
            return self._kept.put(begun_by(self._store, asked, count))
        if kept is not None and not since and kept.has(offset, count):
            return kept
        whole = found_by(self._store, asked)
        return self._kept.put(evolve(whole, name=kept.name) if kept is not None and kept.is_of(whole) else whole)

    def _columns(self, form: dict[str, Any], asked: Question) -> tuple[Sequence[str], list[str] | None]:
        wanted = form.get("columns", PICKED)
        if wanted not in (PICKED, EVERY):
            return texts(form, "columns", most=COLUMNS_MAX), None
        if wanted == PICKED:
            picked = picked_columns(self._store, asked)
        else:
            picked = all_columns(self._store, asked, self._keys.of(asked.experiments, asked.view))
        return picked[:FIRST_COLUMNS], picked


def _fields_of(names: Sequence[str]) -> dict[str, Field]:
    """The fields that the store is asked for, by their names. Raises InvalidQuery."""
    return {name: field_named(name) for name in names if name not in OF_PAGE}
