"""`drupe models lineage`: from the data through the run to the model and its registered versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from drupe.cli import complete, formats
from drupe.cli.logged_models import Known, known_of, saved_at
from drupe.cli.model_address import addressed
from drupe.cli.models_search import short_model
from drupe.cli.nouns import Verb, given
from drupe.cli.output import Form, chosen_form, print_csv, print_json
from drupe.cli.references import short_id
from drupe.entities import DatasetInput, Run
from drupe.errors import DrupeError
from drupe.models.mlmodel import Model
from drupe.uris import redact

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["lineage"]


@click.command(
    "lineage",
    cls=Verb,
    examples="""
        drupe models lineage models:/churn@champion
        drupe models lineage brave-plum-12/model --json
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", hidden=True)
@click.pass_context
def lineage(ctx: click.Context, uri: str | None, model_uri: str | None) -> None:
    """Show where the model at URI comes from and what became of it: datasets → run → model → versions."""
    store, address = addressed(ctx, given(uri, model_uri, "URI"))
    model = None
    try:
        model = saved_at(store, address).model
    except DrupeError:
        if not address.startswith("models:/m-"):
            raise  # a logged model may have no files yet
    known = known_of(store, address, model)
    if chosen_form() is Form.JSON:
        print_json(_plain(address, model, known))
    elif chosen_form() is Form.CSV:
        print_csv(["kind", "id", "name", "remark"], _rows(address, model, known))
    else:
        click.echo("\n".join(_drawn(store, address, model, known)))


def _rows(address: str, model: Model | None, known: Known) -> Iterator[tuple[str, str, str, str]]:
    for used in () if known.run is None else known.run.inputs.dataset_inputs:
        yield "dataset", used.dataset.digest, used.dataset.name, _context(used)
    if known.run is not None:
        yield "run", known.run.info.run_id, known.run.info.run_name, ""
    if known.entity is not None:
        yield "model", known.entity.model_id, known.entity.name, f"step {_step(known)}" if _step(known) is not None else ""
    else:
        yield "model", address, (model.artifact_path or "") if model is not None else "", ""
    for version in known.versions:
        yield "version", version.version, version.name, ", ".join((version.current_stage.value, *version.aliases))


def _plain(address: str, model: Model | None, known: Known) -> dict[str, Any]:
    run, entity = known.run, known.entity
    return {
        "model": {
            "model_uri": address if entity is None else entity.model_uri,
            "model_id": None if entity is None else entity.model_id,
            "name": (None if model is None else model.artifact_path) if entity is None else entity.name,
            "step": _step(known),
        },
        "run": None if run is None else {"run_id": run.info.run_id, "run_name": run.info.run_name},
        "datasets": [
            {
                "name": used.dataset.name,
                "digest": used.dataset.digest,
                "context": _context(used),
                "source": redact(used.dataset.source),
            }
            for used in (() if run is None else run.inputs.dataset_inputs)
        ],
        "measured_on": [{"name": name, "digest": digest} for name, digest in _measured(known)],
        "uses": [] if run is None else [one.model_id for one in run.inputs.model_inputs],
        "versions": [
            {"name": one.name, "version": one.version, "stage": one.current_stage.value, "aliases": list(one.aliases)}
            for one in known.versions
        ],
    }


def _drawn(store: Client, address: str, model: Model | None, known: Known) -> list[str]:
    """The lines of a tree: what went into the run, the run, the model, and what is known of that."""
    run, entity = known.run, known.entity
    sources = []
    for used in () if run is None else run.inputs.dataset_inputs:
        context = _context(used)
        sources.append(f"dataset {used.dataset.name}  {used.dataset.digest}{f'  ({context})' if context else ''}")
    others = () if run is None else run.inputs.model_inputs
    sources += [f"model {_name(store, one.model_id)}  {short_model(one.model_id)}  (used)" for one in others]
    middle = [] if run is None else [f"run {run.info.run_name}  {short_id(run.info.run_id)}"]
    if entity is None:
        middle.append(f"model {address}")
    else:
        step = _step(known)
        at = "" if step is None else f"  step {step}"
        middle.append(f"model {entity.name}  {short_model(entity.model_id)}{at}  {entity.status.value.lower()}")
    leaves = [f"measured on {name}  {digest}" for name, digest in _measured(known)]
    for version in known.versions:
        aliases = "".join(f" @{alias}" for alias in version.aliases)
        stage = "" if version.current_stage.value == "None" else f"  {version.current_stage.value}"
        leaves.append(f"version {version.name} {version.version}{aliases}{stage}")
    start = 1 if sources else 0
    lines = [*sources, *(f"{'   ' * (start + place - 1)}└─ {text}" if start + place else text for place, text in enumerate(middle))]
    margin = "   " * (start + len(middle) - 1)
    lines += [f"{margin}{'└─' if place == len(leaves) - 1 else '├─'} {text}" for place, text in enumerate(leaves)]
    return list(map(formats.text, lines))


def _name(store: Client, model_id: str) -> str:
    try:
        return store.get_logged_model(model_id).name
    except DrupeError:
        return ""


def _context(used: DatasetInput) -> str:
    return ", ".join(tag.value for tag in used.tags if tag.key == "mlflow.data.context")


def _step(known: Known) -> int | None:
    run: Run | None = known.run
    if run is None or known.entity is None:
        return None
    return next((one.step for one in run.outputs.model_outputs if one.model_id == known.entity.model_id), None)


def _measured(known: Known) -> list[tuple[str, str]]:
    metrics = () if known.entity is None else known.entity.metrics
    return sorted({(one.dataset_name, one.dataset_digest or "") for one in metrics if one.dataset_name})
