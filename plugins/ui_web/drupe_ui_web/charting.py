"""What is known of runs before they are drawn: their names, states and begins, and which metrics they have. The runs are named, or those that a
table shows first. The points come from MLflow's side of the server, `drupe/series`, which thins them for the width of a chart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drupe.entities import ViewType
from drupe.errors import InvalidValue
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.search import Entity
from drupe_ui_web.asked import field_named, name_of, number, question, text, texts
from drupe_ui_web.cells import shown
from drupe_ui_web.replies import json_reply
from drupe_ui_web.results import found_by, of_ids

__all__ = ["Charting"]

RUNS_MAX = 500
COUNT = 20
KEYS_MAX = 5000
GROUPS_MAX = 200


class Charting:
    """The route that charts of several runs begin with."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store.tracking

    def routes(self, path: str) -> list[WebRoute]:
        """What charts ask."""
        return [WebRoute("POST", f"{path}/charted", self.charted)]

    def charted(self, request: WebRequest) -> WebReply:
        """The runs of the form's `runs`, in that order and without those that are gone; and their metrics, by name.

        In place of `runs` there may be a `question`, as the table asks it: then they are the first `count` of what it finds, without those in
        `hidden`, and the answer's `found` says how many of the first there were with these, and `total` how many there are at all.

        Where `group` names a param, a tag or an attribute, `group` of a run is its value of that, as a text; otherwise it is None. `groups` are
        the names and keys of params of which several runs share a value, and not all.

        A metric is told as its key, how many of the runs have it, and the number of points of the longest of its series; `is_cut` means that
        there are more than `KEYS_MAX`. Times are ms since 1970. Raises InvalidValue, InvalidQuery.
        """
        asked = request.form()
        if asked.get("question") is None:
            run_ids: Sequence[str] = texts(asked, "runs", most=RUNS_MAX)
            if not run_ids:
                raise InvalidValue("'runs' is empty; name the ids of at least one, or ask a 'question'")
            return json_reply(self._told(run_ids, text(asked, "group")))
        if not isinstance(asked["question"], dict):
            raise InvalidValue("'question' must be an object: what the table of runs asks")
        count = number(asked, "count", COUNT, least=1, most=RUNS_MAX)
        hidden = set(texts(asked, "hidden"))
        every = found_by(self._store, question(asked["question"])).run_ids
        run_ids = [run_id for run_id in every[:count] if run_id not in hidden]
        return json_reply({**self._told(run_ids, text(asked, "group")), "total": len(every), "found": min(count, len(every))})

    def _told(self, run_ids: Sequence[str], group: str) -> dict[str, Any]:
        if not run_ids:
            return {"runs": [], "metrics": [], "groups": [], "is_cut": False}
        page = self._store.search_runs(of_ids(run_ids), experiment_ids=None, view=ViewType.ALL, limit=len(run_ids))
        found = {run.info.run_id: run for run in page}
        keys: dict[str, list[int]] = {}
        for run in found.values():
            summaries = run.data.summaries
            for key in run.data.metrics:
                told = keys.setdefault(key, [0, 0])
                told[0] += 1
                told[1] = max(told[1], summaries[key].count if key in summaries else 1)
        groups = self._groups(run_ids, group)
        return {
            "runs": [
                {
                    "run_id": run_id,
                    "name": found[run_id].info.run_name or run_id,
                    "status": found[run_id].info.status.name,
                    "start_time": found[run_id].info.start_time,
                    "experiment_id": found[run_id].info.experiment_id,
                    "group": groups.get(run_id),
                }
                for run_id in run_ids
                if run_id in found
            ],
            "metrics": [[key, *keys[key]] for key in sorted(keys)[:KEYS_MAX]],
            "groups": _grouping([run.data.params for run in found.values()]),
            "is_cut": len(keys) > KEYS_MAX,
        }

    def _groups(self, run_ids: Sequence[str], name: str) -> dict[str, str]:
        if not name:
            return {}
        columns = self._store.run_columns(
            of_ids(run_ids), experiment_ids=None, view=ViewType.ALL, fields=[field_named(name)], limit=len(run_ids)
        )
        return {run_id: str(shown(value)) for run_id, value in zip(columns.run_ids, columns.columns[0], strict=True) if value is not None}


def _grouping(params: Sequence[Mapping[str, str]]) -> list[tuple[str, str]]:
    told = []
    for key in sorted({key for own in params for key in own}):
        different = {own.get(key) for own in params}
        name = name_of(Entity.PARAM, key)
        if name is not None and 1 < len(different) < len(params):
            told.append((name, key))
    return told[:GROUPS_MAX]
