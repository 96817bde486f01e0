"""`drupe models scan`: what is in a model, which of it could run code when it is loaded, and what that would import and call."""

from __future__ import annotations

from typing import Any

import click

from drupe import lazy
from drupe.cli import complete, formats
from drupe.cli.model_address import addressed, place_of
from drupe.cli.nouns import Verb, given
from drupe.cli.output import Column, Form, chosen_form, print_csv, print_json, table_of
from drupe.cli.tables import Cell, card
from drupe.models.scanning import Finding, scan_folder

__all__ = ["scan"]

NAMED = 4
RUNS_CODE, SAFE = "runs code when it is loaded", "safe to load: nothing in it runs code"


@click.command(
    "scan",
    cls=Verb,
    examples="""
        drupe models scan models:/churn/3
        drupe models scan ./downloaded-model --json
        drupe models scan ./downloaded-model && echo safe
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", hidden=True)
@click.pass_context
def scan(ctx: click.Context, uri: str | None, model_uri: str | None) -> None:
    """Look through the files of the model at URI for what could run code, without loading any of it.

    Ends with 1 when something could, whoever vouches for it. Environment files are looked through too: lines that fetch
    packages from elsewhere are told, though loading does not act on them.
    """
    _, address = addressed(ctx, given(uri, model_uri, "URI"))
    admitted = lazy.load("drupe.models.opening:admit_uri")(place_of(address))
    vouched: str | None = lazy.load("drupe.models.gate:vouched_by")(admitted)
    found = scan_folder(admitted.model, admitted.found, safe=lazy.load("drupe.models.opening:read_safely")(admitted))
    verdict = RUNS_CODE if found.runs_code else SAFE
    if chosen_form() is Form.JSON:
        print_json(
            {
                "model_uri": address,
                "digest": found.digest,
                "files": found.files,
                "size_bytes": found.size_bytes,
                "runs_code": found.runs_code,
                "vouched_by": vouched,
                "findings": [_plain(finding) for finding in found.findings],
                "notes": [_plain(note) for note in found.notes],
            }
        )
    elif chosen_form() is Form.CSV:
        rows = [(kind, *_plain(one).values()) for kind, ones in (("finding", found.findings), ("note", found.notes)) for one in ones]
        print_csv(["kind", "path", "reason", "names", "calls"], [(*row[:3], " ".join(row[3]), " ".join(row[4])) for row in rows])
    else:
        card(
            [
                ("model", Cell(formats.text(address), style="bold")),
                ("size", f"{formats.size(found.size_bytes)} in {found.files} files"),
                ("digest", found.digest),
                ("verdict", Cell(verdict, style="yellow" if found.runs_code else "green")),
                ("vouched", vouched or ("nobody vouches for it, so it is not loaded" if found.runs_code else "")),
            ]
        )
        _draw("WHAT COULD RUN CODE", found.findings)
        _draw("WHAT INSTALLING WOULD DO", found.notes)
    ctx.exit(1 if found.runs_code else 0)


def _draw(title: str, findings: tuple[Finding, ...]) -> None:
    if findings:
        click.echo()
        table_of(
            findings,
            [
                Column[Finding]("path", lambda finding: finding.path, heading=title, keep=True),
                Column[Finding]("reason", lambda finding: finding.reason, heading="", keep=True),
                Column[Finding]("names", lambda finding: _some(finding.names), heading="IMPORTS", rank=1),
            ],
        )


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _plain(finding: Finding) -> dict[str, Any]:
    return {"path": finding.path, "reason": finding.reason, "names": list(finding.names), "calls": list(finding.calls)}
