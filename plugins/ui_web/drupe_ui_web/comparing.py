"""Runs side by side: each param, metric, tag and fact as a row with one value for each run, and whether they differ.

The environment and the uncommitted changes lie in files of the runs; they are asked for apart, since a store of files may be slow.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from drupe.entities import Run, ViewType
from drupe.entities.codec import to_plain
from drupe.errors import ArtifactNotFound, DrupeError, ExperimentNotFound, InvalidValue
from drupe.extend import ServedStore, WebReply, WebRequest, WebRoute
from drupe_ui_web.asked import texts
from drupe_ui_web.cells import shown
from drupe_ui_web.files import whole_file
from drupe_ui_web.replies import json_reply
from drupe_ui_web.results import of_ids
from drupe_ui_web.subjects import place_of

__all__ = ["Comparing"]

RUNS_MAX = 100
WITH_FILES_MAX = 20
ROWS_MAX = 20_000
FILE_BYTES = 2 << 20
OF_MLFLOW = "mlflow."
SHOWN_TAGS = ("mlflow.source.git.commit", "mlflow.source.git.branch", "mlflow.source.name", "mlflow.source.type", "mlflow.user")
Facts = Mapping[str, Any]


class Comparing:
    """The routes that compare runs."""

    def __init__(self, store: ServedStore) -> None:
        self._store = store

    def routes(self, path: str) -> list[WebRoute]:
        """What the page that compares runs asks."""
        return [
            WebRoute("POST", f"{path}/compared", self.compared),
            WebRoute("POST", f"{path}/compared-files", self.files),
            WebRoute("POST", f"{path}/origins", self.origins),
        ]

    def compared(self, request: WebRequest) -> WebReply:
        """The runs of the form's `runs`, in that order and without those that are gone, and their `rows` by section and key.

        A row has one value for each run, None where a run has none; numbers are numbers. `is_cut` means that there are more rows. Raises
        InvalidValue.
        """
        runs = self._runs(texts(request.form(), "runs", most=RUNS_MAX))
        experiments = {run.info.experiment_id for run in runs}
        names = {one: self._store.tracking.get_experiment(one).name for one in experiments}
        rows = [
            *_rows("run", [_attributes(run, names[run.info.experiment_id]) for run in runs], in_order=True),
            *_rows("params", [run.data.params for run in runs]),
            *_rows("metrics", [run.data.metrics for run in runs]),
            *_rows("tags", [_tags(run) for run in runs]),
        ]
        told = [
            {"run_id": run.info.run_id, "name": run.info.run_name or run.info.run_id, "experiment_id": run.info.experiment_id}
            for run in runs
        ]
        return json_reply({"runs": told, "rows": rows[:ROWS_MAX], "is_cut": len(rows) > ROWS_MAX})

    def files(self, request: WebRequest) -> WebReply:
        """The `rows` of environments and packages, `diffs` with the uncommitted changes of each run, and why a run's files cannot be read."""
        runs = self._runs(texts(request.form(), "runs", most=WITH_FILES_MAX))
        faults: list[str] = []
        environments, packages, diffs = [], [], []
        for run in runs:
            fault = ""
            found = {"environment.json": "", "requirements.txt": "", "uncommitted.diff": ""}
            try:
                for name in found:
                    found[name] = self._file(run, name)
            except DrupeError as problem:
                fault = problem.message
            environments.append(_environment(found["environment.json"]))
            packages.append(_packages(found["requirements.txt"].splitlines()))
            diffs.append(found["uncommitted.diff"])
            faults.append(fault)
        rows = [*_rows("environment", environments), *_rows("packages", packages)]
        return json_reply({"run_ids": [run.info.run_id for run in runs], "rows": rows, "diffs": diffs, "faults": faults})

    def origins(self, request: WebRequest) -> WebReply:
        """The ids and names of the `experiments` of the form's `runs`, or of those that it names itself; those that are gone are left out.

        Raises InvalidValue.
        """
        form = request.form()
        run_ids = texts(form, "runs", most=RUNS_MAX)
        asked = [run.info.experiment_id for run in self._runs(run_ids)] if run_ids else texts(form, "experiments", most=RUNS_MAX)
        told = []
        for experiment_id in dict.fromkeys(asked):
            with suppress(ExperimentNotFound):
                told.append([experiment_id, self._store.tracking.get_experiment(experiment_id).name])
        return json_reply({"experiments": told})

    def _runs(self, run_ids: Sequence[str]) -> list[Run]:
        if not run_ids:
            raise InvalidValue("'runs' is empty; name the ids of at least one")
        page = self._store.tracking.search_runs(
            of_ids(run_ids), experiment_ids=None, view=ViewType.ALL, limit=len(run_ids), summaries=False
        )
        found = {run.info.run_id: run for run in page}
        return [found[run_id] for run_id in run_ids if run_id in found]

    def _file(self, run: Run, name: str) -> str:
        try:
            place = place_of(self._store, {"run_id": run.info.run_id, "path": f"environment/{name}"})
            return whole_file(place, FILE_BYTES).decode("utf-8", "replace")
        except ArtifactNotFound:
            return ""


def _rows(section: str, sides: Sequence[Facts], *, in_order: bool = False) -> list[dict[str, Any]]:
    keys: Iterable[str] = dict.fromkeys(key for side in sides for key in side)
    rows = []
    for key in keys if in_order else sorted(keys):
        values = [side.get(key) for side in sides]
        # NaN equals no number, itself among them, so texts are compared
        differs = len({repr(value) for value in values}) > 1
        rows.append({"section": section, "key": key, "values": [shown(value) for value in values], "differs": differs})
    return rows


def _attributes(run: Run, experiment: str) -> Facts:
    info = to_plain(run)["info"]
    start, end = run.info.start_time, run.info.end_time
    return {
        "status": info.get("status"),
        "started": start,
        "duration": None if start is None or end is None else end - start,
        "user": run.info.user_id or None,
        "experiment": experiment,
        "id": run.info.run_id,
    }


def _tags(run: Run) -> Facts:
    return {key: text for key, text in run.data.tags.items() if not key.startswith(OF_MLFLOW) or key in SHOWN_TAGS}


def _environment(text: str) -> Facts:
    """The facts of `environment.json`, those inside of others with a dot between."""
    try:
        told = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    facts: dict[str, str] = {}
    for key, value in told.items() if isinstance(told, dict) else ():
        if isinstance(value, dict):
            facts.update({f"{key}.{name}": _said(inner) for name, inner in value.items()})
        else:
            facts[key] = _said(value)
    return facts


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _packages(lines: Sequence[str]) -> Facts:
    parted = [line.partition("==") for line in (line.strip() for line in lines) if line and not line.startswith(("#", "-"))]
    return {name.strip(): version.strip() or "any" for name, _, version in parted}
