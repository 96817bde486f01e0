"""`drupe runs`: list, show, tag, end, delete and restore runs. Comparing, moving and logs have files of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from drupe.cli import complete
from drupe.cli.compare import compare
from drupe.cli.experiments import VIEWS
from drupe.cli.nouns import Noun, client, confirm, given, pages, reader, shown_address, tags_told, yes_option
from drupe.cli.output import Form, chosen_form, plain, print_csv, print_json, print_list, say
from drupe.cli.references import experiment_labels, find_experiment, find_run, find_runs, short_id
from drupe.cli.run_card import show_card
from drupe.cli.run_columns import ATTRIBUTES, default_columns, named_columns, stored_columns
from drupe.cli.run_logs import logs
from drupe.cli.run_move import move
from drupe.entities import Run, RunStatus
from drupe.extend.pairs import read_pairs
from drupe.search import Kind, parse

if TYPE_CHECKING:
    from drupe.client import Client
    from drupe.search.query import Field

__all__ = ["runs"]

TABLE_LIMIT = 50


@click.group(
    cls=Noun,
    also={"describe": "show", "search": "list"},
    examples="""
        drupe runs list --experiment churn --order-by "metrics.auc DESC" --limit 10
        drupe runs show 3f2a91c0
        drupe runs compare 3f2a91c0 brave-plum-12
    """,
)
def runs() -> None:
    """List, show, compare, tag, move, end, delete and restore runs.

    A run is named by its id, by the first characters of its id (at least 4), or by its name.
    """


def _run_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option("--run-id", "by_id", hidden=True)  # as MLflow's command line has it
    return click.argument("run", required=False, metavar="RUN", shell_complete=complete.runs)(option(function))


@runs.command(
    "list",
    examples="""
        drupe runs list
        drupe runs list --filter "metrics.loss < 0.1 AND params.model = 'forest'"
        drupe runs list -e churn --order-by "metrics.auc.max DESC" --columns name,status,metrics.auc.max
        drupe runs list --view deleted --output csv > deleted.csv
    """,
)
@click.argument("filter", required=False, metavar="[FILTER]")
@click.option("-f", "--filter", "filter_option", metavar="FILTER", help="Which runs, such as \"metrics.loss < 0.1 OR tags.team = 'x'\".")
@click.option(
    "-o",
    "--order-by",
    multiple=True,
    metavar="KEY [DESC]",
    help="Sort by an attribute, metrics.KEY, params.KEY or tags.KEY; may be repeated.",
)
@click.option(
    "-e",
    "--experiment",
    "experiments",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.experiments,
    help="Only runs of this experiment (name or id); all experiments if not given.",
)
@click.option("-x", "--experiment-id", "by_id", multiple=True, hidden=True)
@click.option(
    "-c",
    "--columns",
    multiple=True,
    metavar="NAMES",
    help=f"What to show, with commas: {', '.join(ATTRIBUTES[:5])}, …, metrics.KEY, params.KEY, tags.KEY.",
)
@click.option(
    "--view", type=click.Choice(sorted(VIEWS)), default="active", show_default=True, metavar="active|deleted|all", help="Which ones."
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given."
)
def _list(
    filter: str | None,
    filter_option: str | None,
    order_by: tuple[str, ...],
    experiments: tuple[str, ...],
    by_id: tuple[str, ...],
    columns: tuple[str, ...],
    view: str,
    limit: int | None,
) -> None:
    """List runs, the newest first, or those that FILTER finds.

    The table shows every metric and the params that differ, as far as there is room.
    """
    if filter and filter_option:
        raise click.UsageError("The filter is given twice.")
    store = reader()
    named = (*experiments, *by_id)
    ids = [find_experiment(store, name).experiment_id for name in named] if named else None
    condition = filter or filter_option or ""
    if limit is None and chosen_form() is Form.TABLE:
        limit = TABLE_LIMIT

    def found() -> Iterator[Run]:
        return pages(lambda size, token: store.search_runs(ids, condition, VIEWS[view], size, list(order_by), token), limit=limit)

    wanted = [name.strip() for entry in columns for name in entry.split(",") if name.strip()]
    empty = "no run matches" if condition else f"no {'' if view == 'all' else view + ' '}runs in {', '.join(named) or shown_address(store)}"
    sorted_by = [one.field for one in parse(Kind.RUNS, condition, order_by).order]
    _print_runs(store, found, wanted, sorted_by, limit=limit, empty=empty)


@runs.command(
    "show",
    examples="""
        drupe runs show 3f2a91c0
        drupe runs show brave-plum-12 --json
    """,
)
@_run_argument
@click.option("--all", "everything", is_flag=True, help="Also system tags, in full.")
def _show(run: str | None, by_id: str | None, everything: bool) -> None:
    """Show everything that is known of RUN."""
    store = reader()
    found = find_run(store, given(run, by_id, "RUN"))
    if chosen_form() is Form.JSON:
        print_json(plain(found))
    elif chosen_form() is Form.CSV:
        columns = stored_columns(_keys([found]), experiment_labels(store))
        print_csv(["field", "value"], [(column.name, column.field(found)) for column in columns])
    else:
        show_card(store, found, everything=everything)


runs.add_command(compare)
runs.add_command(logs)
runs.add_command(move)


@runs.command(
    "rename",
    prints=False,
    examples="drupe runs rename 3f2a91c0 baseline",
)
@click.argument("run", shell_complete=complete.runs)
@click.argument("name")
def _rename(run: str, name: str) -> None:
    """Give RUN the name NAME."""
    store = client()
    found = find_run(store, run)
    store.update_run(found.info.run_id, name=name)
    say(f"run {short_id(found.info.run_id)} is now named {name!r} (was {found.info.run_name!r})")


@runs.command(
    "tag",
    prints=False,
    examples="""
        drupe runs tag brave-plum-12 team=growth reviewed=yes
        drupe runs tag brave-plum-12 --delete reviewed
    """,
)
@click.argument("run", shell_complete=complete.runs)
@click.argument("tags", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--delete", "removed", multiple=True, metavar="KEY", help="Remove a tag; may be repeated.")
def _tag(run: str, tags: tuple[str, ...], removed: tuple[str, ...]) -> None:
    """Set tags of RUN, or remove them."""
    if not tags and not removed:
        raise click.UsageError("Give KEY=VALUE to set a tag or --delete KEY to remove one.")
    store, pairs = client(), read_pairs(tags)
    found = find_run(store, run)
    for key, value in pairs.items():
        store.set_tag(found.info.run_id, key, value)
    for key in removed:
        store.delete_tag(found.info.run_id, key)
    say(f"{_label(found)}: {tags_told(pairs, removed)}")


@runs.command(
    "end",
    prints=False,
    examples="""
        drupe runs end brave-plum-12
        drupe runs end brave-plum-12 --status FAILED
    """,
)
@_run_argument
@click.option(
    "--status",
    type=click.Choice([status.value for status in RunStatus if status.has_ended], case_sensitive=False),
    default="FINISHED",
    show_default=True,
    help="How it ended.",
)
def _end(run: str | None, by_id: str | None, status: str) -> None:
    """Mark RUN as ended, for one whose program is gone."""
    store = client()
    found = find_run(store, given(run, by_id, "RUN"))
    if found.info.status.has_ended:
        say(f"{_label(found)} has ended already: {found.info.status.value}")
        return
    store.set_terminated(found.info.run_id, status)
    say(f"{_label(found)} ended: {status}")


@runs.command(
    "delete",
    prints=False,
    examples="""
        drupe runs delete 3f2a91c0
        drupe runs delete 3f2a91c0 77b0c1d2 --yes
    """,
)
@click.argument("named", nargs=-1, metavar="RUN...", shell_complete=complete.runs)
@click.option("--run-id", "by_id", multiple=True, hidden=True)
@yes_option
def _delete(named: tuple[str, ...], by_id: tuple[str, ...], yes: bool) -> None:
    """Move each RUN to the trash.

    `drupe runs restore` brings them back. Artifacts stay where they are.
    """
    store = client()
    found = find_runs(store, _at_least_one(named, by_id))
    which = _label(found[0]) if len(found) == 1 else f"{len(found)} runs ({', '.join(run.info.run_name for run in found)})"
    confirm(f"Move {which} to the trash?", yes=yes)
    for run in found:
        store.delete_run(run.info.run_id)
    say(f"deleted {which}; to undo: drupe runs restore {' '.join(short_id(run.info.run_id) for run in found)}")


@runs.command("restore", prints=False, examples="drupe runs restore 3f2a91c0")
@click.argument("named", nargs=-1, metavar="RUN...", shell_complete=complete.runs)
@click.option("--run-id", "by_id", multiple=True, hidden=True)
def _restore(named: tuple[str, ...], by_id: tuple[str, ...]) -> None:
    """Bring each RUN back from the trash."""
    store = client()
    for run in find_runs(store, _at_least_one(named, by_id), deleted_first=True):
        store.restore_run(run.info.run_id)
        say(f"restored {_label(run)}")


def _print_runs(
    store: Client, found: Callable[[], Iterator[Run]], wanted: Sequence[str], sorted_by: Sequence[Field], *, limit: int | None, empty: str
) -> None:
    form = chosen_form()
    if form is Form.JSON:
        print_list(found(), [], empty=empty, limit=limit)
        return
    experiments = experiment_labels(store)
    if wanted:
        print_list(found(), named_columns(wanted, experiments), empty=empty, limit=limit)
    elif form is Form.CSV:
        # a header needs every key before the first row: read once for the keys and again for the rows, so that memory stays flat
        print_list(found(), stored_columns(_keys(islice(found(), limit)), experiments), empty=empty, limit=limit)
    else:
        rest = found()
        shown = list(islice(rest, limit))
        print_list(chain(shown, rest), default_columns(shown, experiments, sorted_by), empty=empty, limit=limit)


def _keys(found: Iterator[Run] | Sequence[Run]) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {"metrics": set(), "params": set(), "tags": set()}
    for run in found:
        for entity, known in keys.items():
            known.update(getattr(run.data, entity))
    return keys


def _at_least_one(named: tuple[str, ...], by_id: tuple[str, ...]) -> tuple[str, ...]:
    if not named and not by_id:
        raise click.UsageError("Missing argument 'RUN...'.")
    return (*named, *by_id)


def _label(run: Run) -> str:
    return f"run {run.info.run_name!r} ({short_id(run.info.run_id)})"
