"""Two models side by side: params, metrics, signature, flavors, environment, tags and metadata, row by row, with those marked that differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drupe.errors import DrupeError
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe.models.card.content import flavors_told, metric_rows, number, signature_rows
from drupe.models.mlmodel import PYFUNC
from drupe_ui_web.model_page import KnownModel, SavedModel, known_model, saved_model
from drupe_ui_web.replies import json_reply

__all__ = ["Differences"]

OTHER = "with_"
ROWS_MAX = 5000
SYSTEM = "system/"
_PROJECT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*([^;#\s].*?)?\s*(?:[;#].*)?")
Parts = Mapping[str, Mapping[str, str]]


class Differences:
    """The route that compares two models."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store

    def routes(self, root: str) -> Sequence[WebRoute]:
        """The routes, below `root`."""
        return [WebRoute("GET", f"{root}/differences", self.differences)]

    def differences(self, request: WebRequest) -> WebReply:
        """The rows of the model that the address names, and of the one that its parameters with `with_` before them name."""
        other = {name.removeprefix(OTHER): text for name, text in request.query.items() if name.startswith(OTHER)}
        sides = [self._side(query) for query in (request.query, other)]
        rows = _rows(sides[0][0], sides[1][0])
        form = {"rows": rows[:ROWS_MAX], "is_cut": len(rows) > ROWS_MAX, "faults": [fault for _, fault in sides]}
        return json_reply(form)

    def _side(self, query: Mapping[str, str]) -> tuple[Parts, str]:
        """All that is compared of one model, and why its files are not among that, if they are not."""
        saved: SavedModel | None = None
        fault = ""
        try:
            saved = saved_model(self._store, query)
        except DrupeError as problem:
            fault = problem.message
        return _parts(saved, known_model(self._store, query, None if saved is None else saved.model)), fault


def _parts(saved: SavedModel | None, known: KnownModel) -> Parts:
    entity, run, model = known.entity, known.run, None if saved is None else saved.model
    flavors = {} if model is None else model.flavors
    python = flavors.get(PYFUNC, {}).get("python_version")
    signature = signature_rows(None if model is None else model.signature)
    return {
        "params": dict(entity.params) if entity is not None and entity.params else {} if run is None else dict(run.data.params),
        "metrics": _metrics(known),
        "signature": {f"{part} {name or place}": f"{kind} {more}".strip() for place, (part, name, kind, more) in enumerate(signature)},
        "flavors": {told.partition(" ")[0]: told.partition(" ")[2] or "yes" for told in flavors_told(flavors)} if flavors else {},
        "environment": {
            **({"python": str(python)} if python else {}),
            **_pins(() if saved is None else saved.requirements),
        },
        "tags": {} if entity is None else {key: text for key, text in entity.tags.items() if not key.startswith(("mlflow.", "drupe."))},
        "metadata": {str(key): _in_order(value) for key, value in ((model.metadata if model is not None else None) or {}).items()},
    }


def _in_order(value: Any) -> str:
    """As JSON with sorted keys; as it is, where keys are of several kinds, as YAML allows."""
    try:
        return json.dumps(value, default=str, sort_keys=True)
    except TypeError:
        return str(value)


def _metrics(known: KnownModel) -> dict[str, str]:
    """Those of the model by key and dataset; else those of its run."""
    if known.entity is not None and known.entity.metrics:
        return {f"{key} on {dataset}" if dataset else key: value for key, value, _, dataset in metric_rows(known.entity.metrics)}
    run = known.run
    return {} if run is None else {key: number(value) for key, value in run.data.metrics.items() if not key.startswith(SYSTEM)}


def _pins(requirements: Iterable[str]) -> dict[str, str]:
    pins = {}
    for line in requirements:
        found = _PROJECT.fullmatch(line)
        if found is not None:
            pins[found[1].lower()] = found[2] or "any"
    return pins


def _rows(one: Parts, other: Parts) -> list[dict[str, Any]]:
    rows = []
    for section in one:
        keys = list(dict.fromkeys([*one[section], *other[section]]))
        for key in keys if section == "signature" else sorted(keys):
            values = [one[section].get(key), other[section].get(key)]
            rows.append({"section": section, "key": key, "values": values, "differs": values[0] != values[1]})
    return rows
