"""`drupe models show`: the card of a model with its metrics as they are now. Nothing of the model is run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from drupe.cli import complete, formats
from drupe.cli.logged_models import Known, Saved, known_of, saved_at
from drupe.cli.model_address import addressed, created_ms
from drupe.cli.nouns import Verb, given
from drupe.cli.output import Form, chosen_form, print_csv, print_json
from drupe.cli.tables import Cell, Heading, card, draw
from drupe.models.card import Card, Code, Facts, Note, Prose, Table, as_markdown, as_page, card_of
from drupe.models.card.content import Block, signature_rows

__all__ = ["show"]

PYFUNC = "python_function"
_IN_HEADER = ("Environment", "Facts")


@click.command(
    "show",
    cls=Verb,
    examples="""
        drupe models show brave-plum-12/model
        drupe models show models:/churn@champion --json
        drupe models show models:/churn@champion --html > card.html
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", hidden=True)
@click.option("--html", "document", flag_value="html", help="The card as a page of HTML.")
@click.option("--markdown", "document", flag_value="markdown", help="The card as markdown.")
@click.pass_context
def show(ctx: click.Context, uri: str | None, model_uri: str | None, document: str | None) -> None:
    """Show the card of the model at URI: what it is for, its data and metrics as they are now, what it takes and gives, how to use it."""
    store, address = addressed(ctx, given(uri, model_uri, "URI"))
    saved = saved_at(store, address)
    known = known_of(store, address, saved.model)
    made = card_of(
        saved.model,
        uri=address,
        requirements=saved.requirements,
        files=saved.files,
        example=saved.example,
        entity=known.entity,
        run=known.run,
        versions=[(one.name, one.version) for one in known.versions],
    )
    form = chosen_form()
    if document is not None:
        click.echo(as_page(made) if document == "html" else as_markdown(made), nl=False)
    elif form is Form.JSON:
        print_json(_plain(address, saved, known))
    elif form is Form.CSV:
        print_csv(["part", "name", "type", "required"], ((f"{part}s", *rest) for part, *rest in signature_rows(saved.model.signature)))
    else:
        _draw(address, saved, known, made)


def _plain(address: str, saved: Saved, known: Known) -> dict[str, Any]:
    model, entity, run = saved.model, known.entity, known.run
    signature = None if model.signature is None else model.signature.to_dict()
    parsed = {name: None if text is None else json.loads(text) for name, text in (signature or {}).items()}
    return {
        "model_uri": address,
        "model_id": None if entity is None else entity.model_id,
        "name": model.artifact_path if entity is None else entity.name,
        "model_type": None if entity is None else entity.model_type,
        "status": None if entity is None else entity.status.value,
        "flavors": {name: dict(config) for name, config in model.flavors.items()},
        "signature": parsed or None,
        "requirements": list(saved.requirements),
        "has_input_example": model.saved_input_example_info is not None,
        "metadata": model.metadata,
        "card": model.extra.get("card"),
        "params": dict(entity.params if entity is not None else run.data.params if run is not None else {}),
        "metrics": [
            {"key": one.key, "value": one.value, "step": one.step, "dataset": one.dataset_name, "run_id": one.run_id}
            for one in (() if entity is None else entity.metrics)
        ],
        "tags": {} if entity is None else dict(entity.tags),
        "versions": [{"name": one.name, "version": one.version, "aliases": list(one.aliases)} for one in known.versions],
        "run_id": model.run_id,
        "artifact_path": model.artifact_path,
        "model_uuid": model.model_uuid,
        "utc_time_created": model.utc_time_created,
        "mlflow_version": model.mlflow_version,
        "files": saved.files,
        "size_bytes": saved.size_bytes,
    }


def _draw(address: str, saved: Saved, known: Known, made: Card) -> None:
    model, entity, run = saved.model, known.entity, known.run
    facts = dict(
        next(
            (block.rows for section in made.sections if section.title == "Facts" for block in section.blocks if isinstance(block, Facts)),
            (),
        )
    )
    card(
        [
            ("model", Cell(formats.text(address), style="bold")),
            ("id", entity.model_id if entity is not None and entity.model_id not in address else ""),
            ("status", "" if entity is None or entity.status.value == "READY" else entity.status.value.lower()),
            ("type", entity.model_type if entity is not None else ""),
            ("flavors", ", ".join(_flavor(name, config) for name, config in model.flavors.items())),
            ("created", formats.moment(created_ms(model.utc_time_created))),
            (
                "logged by",
                f"run {run.info.run_name} ({run.info.run_id})" if run is not None else f"run {model.run_id}" if model.run_id else "",
            ),
            ("versions", facts.get("versions", "")),
            ("with", f"MLflow {model.mlflow_version}" if model.mlflow_version else ""),
            ("licence", facts.get("licence", "").replace("not stated", "")),
            ("size", f"{formats.size(saved.size_bytes)} in {saved.files} files"),
            ("example", "yes" if model.saved_input_example_info else "none"),
            ("needs", "\n".join(saved.requirements)),
            ("metadata", json.dumps(model.metadata, default=str) if model.metadata else ""),
        ]
    )
    for section in made.sections:
        if section.title not in _IN_HEADER:
            click.echo()
            card([], title=formats.text(section.title).upper())
            for block in section.blocks:
                _draw_block(block)


def _draw_block(block: Block) -> None:
    match block:
        case Prose(text):
            for line in text.splitlines():
                click.echo(f"  {formats.text(line)}".rstrip())
        case Note(text):
            click.echo(f"  {formats.text(text)}")
        case Code(_, text):
            for line in text.splitlines():
                click.echo(f"    {formats.text(line)}".rstrip())
        case Facts(rows):
            card([(label, formats.text(value)) for label, value in rows])
        case Table(headings, rows, numbers):
            titles = [
                Heading(f"  {title.upper()}" if place == 0 else title.upper(), right=place in numbers)
                for place, title in enumerate(headings)
            ]
            shown = [
                [Cell(f"  {formats.text(cell)}" if place == 0 else formats.text(cell)) for place, cell in enumerate(row)] for row in rows
            ]
            draw(titles, shown)


def _flavor(name: str, config: Mapping[str, Any]) -> str:
    if name == PYFUNC:
        return f"{name} (Python {config['python_version']})" if config.get("python_version") else name
    release = config.get(f"{name}_version") or next((value for key, value in config.items() if key.endswith("_version")), "")
    return f"{name} {release}".strip()
