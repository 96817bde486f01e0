"""All experiments in one answer, in columns: the first page shows them as a tree."""

from __future__ import annotations

from typing import Any

from drupe.entities import each
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.search import Kind, parse
from drupe_ui_web.asked import view_named
from drupe_ui_web.cells import shown
from drupe_ui_web.replies import json_reply

__all__ = ["Experiments"]

PAGE = 10_000
EXPERIMENTS_MAX = 50_000
HIDDEN_TAGS = "mlflow."


class Experiments:
    """The list over one store."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store.tracking

    def routes(self, path: str) -> list[WebRoute]:
        """What the first page asks."""
        return [WebRoute("GET", f"{path}/experiments", self.every)]

    def every(self, request: WebRequest) -> WebReply:
        """Ids, names, times of change, numbers of runs, begin of the newest run, notes and tags, aligned; `view` is "active" or "deleted".

        Times are ms since 1970; runs of deleted experiments are counted with the trash.
        """
        view = view_named(request.query.get("view", "active"))
        query = parse(Kind.EXPERIMENTS, None, ["name"])
        found = list(
            each(
                lambda size, token: self._store.search_experiments(query, view=view, limit=size, page_token=token),
                page_size=PAGE,
                at_most=EXPERIMENTS_MAX,
            )
        )
        activity = self._store.experiment_activity([one.experiment_id for one in found], view=view)
        told = [activity.get(one.experiment_id) for one in found]
        form: dict[str, Any] = {
            "ids": [one.experiment_id for one in found],
            "names": [one.name for one in found],
            "updated": [one.last_update_time for one in found],
            "runs": [0 if one is None else one.runs for one in told],
            "newest": [None if one is None else one.newest_start for one in told],
            "notes": [shown(one.tags.get("mlflow.note.content", "")) for one in found],
            "tags": [{key: shown(value) for key, value in one.tags.items() if not key.startswith(HIDDEN_TAGS)} for one in found],
            "is_cut": len(found) == EXPERIMENTS_MAX,
        }
        return json_reply(form)
