"""What helps to write a filter: the keys that runs have, the frequent values of one, and what is wrong with a text."""

from __future__ import annotations

from collections import Counter
from typing import Any

from drupe.entities import RunKey
from drupe.errors import InvalidQuery
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.search import Entity, Kind, parse
from drupe.search.fields import SEARCHES
from drupe_ui_web.asked import field_named, name_of, number, question, text
from drupe_ui_web.exporting import can_parquet
from drupe_ui_web.picking import KeysOfRuns
from drupe_ui_web.replies import json_reply

__all__ = ["Completing"]

KEYS_MAX = 5000
LOOKED_AT = 5000
VALUES_MAX = 50


class Completing:
    """The answers to a filter bar and to a picker of columns."""

    def __init__(self, store: ServedStore, keys: KeysOfRuns) -> None:
        self._store, self._keys = store.tracking, keys

    def routes(self, path: str) -> list[WebRoute]:
        """What is asked while a filter is written."""
        return [
            WebRoute("POST", f"{path}/keys", self.keys),
            WebRoute("POST", f"{path}/values", self.values),
            WebRoute("POST", f"{path}/check", self.check),
        ]

    def keys(self, request: WebRequest) -> WebReply:
        """The metrics, params and tags of the runs, those of most runs first: key, name in the query language, number of runs, and whether
        their values differ. `attributes` are the names that all runs have."""
        form = request.form()
        asked = question(form)
        limit = number(form, "limit", 2000, least=1, most=KEYS_MAX)
        keys = self._keys.of(asked.experiments, asked.view, prefix=text(form, "prefix"), limit=limit)
        return json_reply(
            {
                "metrics": _told(Entity.METRIC, keys.metrics),
                "params": _told(Entity.PARAM, keys.params),
                "tags": _told(Entity.TAG, keys.tags),
                "attributes": [attribute.key for attribute in SEARCHES[Kind.RUNS].attributes],
                "exports": [kind for kind in ("csv", "parquet") if kind != "parquet" or can_parquet()],
                "looked_at": keys.looked_at,
                "is_whole": keys.is_whole,
                "cut": keys.cut,
            }
        )

    def values(self, request: WebRequest) -> WebReply:
        """The most frequent values of a field `name`, a param, tag or text attribute, among the newest runs: value and number of runs."""
        form = request.form()
        asked = question(form)
        field = field_named(text(form, "name"))
        found = self._store.run_columns(
            parse(Kind.RUNS), experiment_ids=asked.experiments, view=asked.view, fields=[field], limit=LOOKED_AT
        )
        counted = Counter(str(value) for value in found.columns[0] if value is not None)
        return json_reply({"values": counted.most_common(VALUES_MAX), "different": len(counted), "looked_at": len(found.run_ids)})

    def check(self, request: WebRequest) -> WebReply:
        """Whether a `filter` can be read, and if not what is wrong with it and where: `position` and `width` count code points."""
        written = text(request.form(), "filter")
        try:
            parse(Kind.RUNS, written)
        except InvalidQuery as fault:
            return json_reply({"is_right": False, "message": fault.message, "position": fault.column, "width": fault.width})
        return json_reply({"is_right": True})


def _told(entity: Entity, keys: tuple[RunKey, ...]) -> list[Any]:
    return [[key.name, name, key.runs, key.differs] for key in keys if (name := name_of(entity, key.name)) is not None]
