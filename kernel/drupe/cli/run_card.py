"""What `drupe runs show` prints for a person: a card of the run, then its metrics, params, tags and datasets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from drupe.cli import formats, metric_columns
from drupe.cli.metric_columns import metric_rows
from drupe.cli.output import table_of
from drupe.cli.references import short_id
from drupe.cli.run_columns import PARENT, STATUS_STYLES, length_ms, shown_status
from drupe.cli.run_environment import environment_of, environment_rows, is_dirty
from drupe.cli.tables import Cell, Heading, card, draw
from drupe.entities import Dataset, LifecycleStage, Run
from drupe.errors import DrupeError
from drupe.tracking.reaper import crash_of

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["show_card"]


def show_card(client: Client, run: Run, *, everything: bool = False) -> None:
    """Print the run; `everything` adds the system tags that the card does not show by themselves."""
    card(_about(client, run))
    if run.data.metrics:
        click.echo()
        table_of(metric_rows(run, metric_columns.shapes(client, run)), metric_columns.COLUMNS)
    if run.data.params:
        _section(("PARAM", "VALUE"), sorted(run.data.params.items()))
    tags = [(key, value) for key, value in sorted(run.data.tags.items()) if everything or not key.startswith("mlflow.")]
    if tags:
        _section(("TAG", "VALUE"), tags)
    if run.inputs.dataset_inputs:
        rows = [
            (used.dataset.name, used.dataset.digest, ", ".join(tag.value for tag in used.tags), *_data_facts(used.dataset))
            for used in run.inputs.dataset_inputs
        ]
        _section(("DATASET", "DIGEST", "USED FOR", "ROWS", "SOURCE"), rows)


def _about(client: Client, run: Run) -> list[tuple[str, object]]:
    info, tags = run.info, run.data.tags
    status = shown_status(run) + (" (deleted)" if info.lifecycle_stage is LifecycleStage.DELETED else "")
    length = formats.duration(length_ms(run))
    commit, branch = tags.get("mlflow.source.git.commit", ""), tags.get("mlflow.source.git.branch", "")
    facts = environment_of(client, info.run_id)
    changes = ", with uncommitted changes" if is_dirty(facts) else ""
    return [
        ("run", Cell(formats.text(info.run_name), style="bold")),
        ("id", info.run_id),
        ("experiment", _experiment(client, info.experiment_id)),
        ("status", Cell(status, style=STATUS_STYLES[info.status])),
        ("crashed", _crash(run)),
        ("started", formats.moment(info.start_time)),
        ("ended", f"{formats.moment(info.end_time)}, after {length}" if length else ""),
        ("user", info.user_id or tags.get("mlflow.user", "")),
        ("source", tags.get("mlflow.source.name", "")),
        ("git", f"{commit[:12]}{f' on {branch}' if branch else ''}{changes}" if commit else ""),
        *((name, formats.text(value)) for name, value in environment_rows(facts)),
        ("part of", _parent(client, tags.get(PARENT))),
        ("artifacts", info.artifact_uri),
        ("note", tags.get("mlflow.note.content", "")),
    ]


def _data_facts(dataset: Dataset) -> tuple[str, str]:
    """Rows, and the address or kind of the source; both are JSON that any client may have written."""
    profile, source = (_json_table(text) for text in (dataset.profile, dataset.source))
    rows = profile.get("num_rows", (profile.get("features_shape") or [""])[0] if isinstance(profile.get("features_shape"), list) else "")
    return str(rows), str(source.get("uri") or source.get("url") or dataset.source_type)


def _json_table(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _crash(run: Run) -> str:
    crash = crash_of(run)
    if crash is None:
        return ""
    step = "" if crash.last_step is None else f" at step {crash.last_step}"
    return f"{crash.signal or 'ended'}{step}, last sign of life {formats.moment(crash.at_ms)}; {crash.reason}"


def _experiment(client: Client, experiment_id: str) -> str:
    return f"{client.get_experiment(experiment_id).name} (id {experiment_id})"


def _parent(client: Client, run_id: str | None) -> str:
    if not run_id:
        return ""
    try:
        return f"{client.get_run(run_id).info.run_name} ({short_id(run_id)})"
    except DrupeError:  # the tag is free text; a run that is not in this store is still worth naming
        return run_id


def _section(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    click.echo()
    draw([Heading(title) for title in titles], [[Cell(formats.text(value)) for value in row] for row in rows])
