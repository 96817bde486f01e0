"""`drupe models diff`: what two models have in common and what not, side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

import click
from attrs import frozen

from drupe.cli import complete, formats
from drupe.cli.logged_models import known_of, saved_at
from drupe.cli.model_address import addressed
from drupe.cli.nouns import Verb
from drupe.cli.output import Form, chosen_form, note, print_csv, print_json, say
from drupe.cli.tables import Cell, Heading, draw, terminal_width
from drupe.models.card.content import flavors_told, number, signature_rows
from drupe.models.mlmodel import PYFUNC

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["diff"]

MISSING = "–"
_PROJECT = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[[^]]*\])?\s*(?:==)?\s*(.*)$")
Parts = Mapping[str, Mapping[str, str]]


@frozen
class _Row:
    section: str
    key: str
    values: tuple[str | None, str | None]

    @property
    def differs(self) -> bool:
        return self.values[0] != self.values[1]


@click.command(
    "diff",
    cls=Verb,
    examples="""
        drupe models diff models:/churn/3 models:/churn@champion
        drupe models diff brave-plum-12/model wild-fig-3/model --all
        drupe models diff models:/churn/3 models:/churn/4 --output csv
    """,
)
@click.argument("one", metavar="A", shell_complete=complete.run_paths)
@click.argument("other", metavar="B", shell_complete=complete.run_paths)
@click.option(
    "--all/--diff-only", "everything", default=True, help="Also rows that are the same, as by default, or only those that differ."
)
@click.pass_context
def diff(ctx: click.Context, one: str, other: str, everything: bool) -> None:
    """Show two models side by side: params, metrics, signature, environment, flavors, tags. Rows that differ are marked with ≠."""
    sides = []
    for named in (one, other):
        store, address = addressed(ctx, named)
        sides.append(_parts(store, address))
    rows = _rows(*sides)
    if not everything:
        rows = [row for row in rows if row.differs]
    form = chosen_form()
    if form is Form.JSON:
        print_json(
            {
                "models": [one, other],
                "rows": [{"section": row.section, "key": row.key, "differs": row.differs, "values": list(row.values)} for row in rows],
            }
        )
    elif form is Form.CSV:
        print_csv(["section", "key", "differs", one, other], ([row.section, row.key, int(row.differs), *row.values] for row in rows))
    else:
        _draw(one, other, rows)


def _parts(store: Client, address: str) -> Parts:
    """All that is compared, by section and key."""
    saved = saved_at(store, address)
    known = known_of(store, address, saved.model)
    model, entity, run = saved.model, known.entity, known.run
    metrics: dict[str, str] = {}
    if entity is not None and entity.metrics:
        for one in entity.metrics:
            metrics[f"{one.key} on {one.dataset_name}" if one.dataset_name else one.key] = number(one.value)
    elif run is not None:
        metrics = {key: number(value) for key, value in run.data.metrics.items() if not key.startswith("system/")}
    params = dict(entity.params if entity is not None else {} if run is None else run.data.params)
    tags = {} if entity is None else {key: text for key, text in entity.tags.items() if not key.startswith("mlflow.")}
    signature = {
        f"{part} {name or place}": f"{kind} {more}".strip() for part, place, name, kind, more in _placed(signature_rows(model.signature))
    }
    python = model.flavors.get(PYFUNC, {}).get("python_version")
    flavors = {told.partition(" ")[0]: told.partition(" ")[2] or "yes" for told in flavors_told(model.flavors)}
    about = {
        "model": (entity.model_id if entity is not None else model.model_uuid) or "",
        "name": (entity.name if entity is not None else model.artifact_path) or "",
        "type": (entity.model_type or "") if entity is not None else "",
        "run": model.run_id or "",
        "created": model.utc_time_created[:19],
        "size": formats.size(saved.size_bytes),
    }
    return {
        "model": {key: text for key, text in about.items() if text},
        "params": params,
        "metrics": metrics,
        "signature": signature,
        "flavors": flavors,
        "environment": {**({"python": str(python)} if python else {}), **_pins(saved.requirements)},
        "tags": tags,
        "metadata": {key: json.dumps(value, default=str, sort_keys=True) for key, value in (model.metadata or {}).items()},
    }


def _placed(rows: Iterable[tuple[str, str, str, str]]) -> Iterator[tuple[str, int, str, str, str]]:
    """The rows of a signature with the place of each in its part, which is what names one without a name."""
    for part, group in groupby(rows, key=lambda row: row[0]):
        yield from ((part, place, *rest) for place, (_, *rest) in enumerate(group))


def _pins(requirements: Iterable[str]) -> dict[str, str]:
    pins = {}
    for line in requirements:
        found = _PROJECT.match(line)
        if found is not None:
            pins[found[1].lower()] = found[2] or "any"
    return pins


def _rows(one: Parts, other: Parts) -> list[_Row]:
    return [
        _Row(section, key, (one[section].get(key), other[section].get(key)))
        for section in one
        for key in (list(one[section]) if section in ("model", "signature") else sorted(one[section]))
        + [key for key in other[section] if key not in one[section]]
    ]


def _draw(one: str, other: str, rows: list[_Row]) -> None:
    width = terminal_width()
    most = None if width is None else max(min(width, 200) // 2 - 4, 14)
    keys = [formats.text(row.key) if most is None else formats.shorten_middle(formats.text(row.key), most) for row in rows]
    key_width = max([10, *map(formats.cells, keys)]) + 4
    room = None if width is None else max((min(width, 200) - key_width) // 2 - 2, 14)

    def shown(value: str | None) -> Cell:
        if value is None:
            return Cell(MISSING, style="dim")
        return Cell(formats.text(value) if room is None else formats.shorten(formats.text(value), room))

    drawn: list[list[Cell] | str] = []
    section = ""
    for row, key in zip(rows, keys, strict=True):
        if row.section != section:
            section = row.section
            drawn.append(section)
        style = "yellow" if row.differs else ""
        drawn.append([Cell(f"{'≠' if row.differs else ' '} {key}", style=style), *map(shown, row.values)])
    if not any(row.differs for row in rows if row.section != "model"):
        say("these models do not differ in params, metrics, signature, flavors, environment, tags or metadata")
    if not rows:
        return
    headings = [formats.text(named) if room is None else formats.shorten(formats.text(named), room) for named in (one, other)]
    draw([Heading("", keep=True), *(Heading(title, keep=True) for title in headings)], drawn)
    click.echo()
    note("≠ differs")
