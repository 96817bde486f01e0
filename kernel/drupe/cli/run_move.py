"""`drupe runs move`: put runs into another experiment."""

from __future__ import annotations

import click

from drupe.cli import complete
from drupe.cli.nouns import Verb, client
from drupe.cli.output import Form, chosen_form, print_csv, print_json, say
from drupe.cli.references import find_experiment, find_runs, short_id

__all__ = ["move"]


@click.command(
    "move",
    cls=Verb,
    examples="""
        drupe runs move 3f2a91c0 --experiment churn
        drupe runs move 3f2a91c0 brave-plum-12 -e churn/final --json
    """,
)
@click.argument("named", nargs=-1, required=True, metavar="RUN...", shell_complete=complete.runs)
@click.option(
    "-e",
    "--experiment",
    required=True,
    metavar="NAME",
    shell_complete=complete.experiments,
    help="Where to: the name or id of an experiment that is there.",
)
def move(named: tuple[str, ...], experiment: str) -> None:
    """Put each RUN into another experiment, all of them or none.

    With a run go its data, its datasets and the logged models that it has made. Ids stay, artifacts stay where they are, and a program that
    logs to the run goes on.
    """
    store = client()
    target = find_experiment(store, experiment)
    found = find_runs(store, named)
    before = {run.info.run_id: run.info.experiment_id for run in found}
    store.move_runs(list(before), target.experiment_id)
    moved = [run_id for run_id, home in before.items() if home != target.experiment_id]
    if chosen_form() is Form.JSON:
        print_json({"experiment_id": target.experiment_id, "experiment": target.name, "runs": list(before), "moved": moved})
    elif chosen_form() is Form.CSV:
        print_csv(
            ["run_id", "from_experiment_id", "experiment_id"], [(run_id, home, target.experiment_id) for run_id, home in before.items()]
        )
    elif not moved:
        say(f"nothing to do: {'the run is' if len(before) == 1 else 'all runs are'} in {target.name!r} already")
    else:
        which = f"run {found[0].info.run_name!r} ({short_id(moved[0])})" if len(before) == 1 else f"{len(moved)} runs"
        say(f"moved {which} to {target.name!r}")
