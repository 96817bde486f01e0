"""`drupe models list`: the models that runs have logged."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import click
from attrs import frozen

from drupe.cli import complete
from drupe.cli.model_address import created_ms
from drupe.cli.models_search import short_model
from drupe.cli.nouns import Verb, pages, reader, shown_address
from drupe.cli.output import Column, Form, chosen_form, print_list
from drupe.cli.references import find_experiment, find_run, short_id
from drupe.entities import Run
from drupe.tracking.model_history import HISTORY_TAG

__all__ = ["list_"]

PYFUNC = "python_function"
TABLE_LIMIT = 50


@frozen
class _Logged:
    """One model that a run has logged."""

    run: Run
    path: str
    flavors: tuple[str, ...]
    created: str
    model_id: str = ""

    @property
    def uri(self) -> str:
        return f"runs:/{self.run.info.run_id}/{self.path}"


@click.command(
    "list",
    cls=Verb,
    examples="""
        drupe models list
        drupe models list brave-plum-12
        drupe models list -e churn --output csv
    """,
)
@click.argument("run", required=False, shell_complete=complete.runs)
@click.option("-e", "--experiment", metavar="NAME", shell_complete=complete.experiments, help="Models of this experiment (name or id).")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given."
)
def list_(run: str | None, experiment: str | None, limit: int | None) -> None:
    """List the models that RUN has logged, or those of an experiment or of all runs, newest runs first.

    `drupe models search` finds logged models that no run has saved, too; registered models are listed by `drupe registry list`.
    """
    if run and experiment:
        raise click.UsageError("Give a run or an experiment, not both.")
    store = reader()
    if limit is None and chosen_form() is Form.TABLE:
        limit = TABLE_LIMIT
    if run:
        found: Iterator[_Logged] = iter(_logged_by(find_run(store, run)))
    else:
        ids = [find_experiment(store, experiment).experiment_id] if experiment else None
        runs = pages(lambda size, token: store.search_runs(ids, f"tags.`{HISTORY_TAG}` IS NOT NULL", max_results=size, page_token=token))
        found = (model for one in runs for model in _logged_by(one))
    where = f"run {run!r}" if run else f"experiment {experiment!r}" if experiment else shown_address(store)
    print_list(found, _COLUMNS, empty=f"no logged models in {where}", limit=limit, as_plain=_plain_logged)


def _logged_by(run: Run) -> list[_Logged]:
    try:
        entries = json.loads(run.data.tags.get(HISTORY_TAG, "[]"))
    except ValueError:
        return []  # a tag is free text, and older clients cut it off in the middle
    newest: dict[str, _Logged] = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, Mapping) and isinstance(entry.get("artifact_path"), str):
            flavors = tuple(name for name in entry.get("flavors") or () if isinstance(name, str))
            model_id = entry.get("model_id")
            newest[entry["artifact_path"]] = _Logged(
                run, entry["artifact_path"], flavors, str(entry.get("utc_time_created", "")), model_id if isinstance(model_id, str) else ""
            )
    return list(newest.values())


def _plain_logged(model: _Logged) -> dict[str, Any]:
    run = model.run.info
    return {
        "model_uri": model.uri,
        "model_id": model.model_id or None,
        "run_id": run.run_id,
        "artifact_path": model.path,
        "flavors": model.flavors,
        "utc_time_created": model.created,
    }


_COLUMNS: list[Column[_Logged]] = [
    Column("run_id", lambda model: model.run.info.run_id, short_id, heading="RUN", keep=True),
    Column("run_name", lambda model: model.run.info.run_name, heading="NAME"),
    Column("path", lambda model: model.path, keep=True),
    Column("model_id", lambda model: model.model_id, short_model, heading="MODEL"),
    Column("flavors", lambda model: ", ".join(flavor for flavor in model.flavors if flavor != PYFUNC) or PYFUNC),
    Column.time("created", lambda model: created_ms(model.created)),
    Column("model_uri", lambda model: model.uri, in_table=False),
]
