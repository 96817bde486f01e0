"""`drupe experiments`: make, find, rename, delete and tag experiments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from drupe.cli import complete, formats
from drupe.cli.nouns import Noun, client, confirm, given, pages, reader, shown_address, tags_told, yes_option
from drupe.cli.output import Column, Form, chosen_form, plain, print_csv, print_json, print_list, say
from drupe.cli.references import find_experiment
from drupe.cli.tables import card
from drupe.entities import Experiment, LifecycleStage, ViewType
from drupe.extend.pairs import read_pairs

__all__ = ["VIEWS", "experiments"]

VIEWS = {
    "active": ViewType.ACTIVE_ONLY,
    "active_only": ViewType.ACTIVE_ONLY,
    "deleted": ViewType.DELETED_ONLY,
    "deleted_only": ViewType.DELETED_ONLY,
}
VIEWS["all"] = ViewType.ALL
TABLE_LIMIT = 50


@click.group(
    cls=Noun,
    examples="""
        drupe experiments create churn --tag team=growth
        drupe experiments list
        drupe experiments get churn --json
    """,
)
def experiments() -> None:
    """Make, find, rename, delete and tag experiments.

    An experiment is named by its name or its id.
    """


def _experiment_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option("-x", "--experiment-id", "by_id", hidden=True)  # as MLflow's command line has it
    return click.argument("experiment", required=False, metavar="EXPERIMENT", shell_complete=complete.experiments)(option(function))


@experiments.command(
    "create",
    examples="""
        drupe experiments create churn
        drupe experiments create churn --artifact-location /data/churn --tag team=growth
    """,
)
@click.argument("name", required=False, metavar="NAME")
@click.option("-n", "--experiment-name", "name_option", hidden=True)
@click.option(
    "-l", "--artifact-location", metavar="URI", help="Where its runs keep their files; below the store's artifact root if not given."
)
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag; may be repeated.")
def _create(name: str | None, name_option: str | None, artifact_location: str | None, tags: tuple[str, ...]) -> None:
    """Create the experiment NAME."""
    store = client()
    experiment_id = store.create_experiment(given(name, name_option, "NAME"), artifact_location, read_pairs(tags))
    _show(store.get_experiment(experiment_id), title="created")


@experiments.command(
    "list",
    examples="""
        drupe experiments list
        drupe experiments list --view all --output csv > experiments.csv
    """,
)
@click.option(
    "--view", type=click.Choice(sorted(VIEWS)), default="active", show_default=True, metavar="active|deleted|all", help="Which ones."
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given."
)
def _list(view: str, limit: int | None) -> None:
    """List experiments, the newest first."""
    _print_found(None, (), view, limit)


@experiments.command(
    "search",
    examples="""
        drupe experiments search "name LIKE 'churn%'"
        drupe experiments search "tags.team = 'growth' OR tags.team = 'sales'" --order-by "name ASC"
    """,
)
@click.argument("filter", required=False)
@click.option("--filter", "filter_option", hidden=True)
@click.option("--order-by", multiple=True, metavar="KEY [DESC]", help="Sort by name, experiment_id, creation_time or last_update_time.")
@click.option(
    "--view", type=click.Choice(sorted(VIEWS)), default="active", show_default=True, metavar="active|deleted|all", help="Which ones."
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given."
)
def _search(filter: str | None, filter_option: str | None, order_by: tuple[str, ...], view: str, limit: int | None) -> None:
    """Find experiments by name, times and tags with FILTER."""
    _print_found(filter or filter_option, order_by, view, limit)


@experiments.command(
    "get",
    examples="""
        drupe experiments get churn
        drupe experiments get 3 --json
    """,
)
@_experiment_argument
@click.option("-n", "--experiment-name", "by_name", hidden=True)
def _get(experiment: str | None, by_id: str | None, by_name: str | None) -> None:
    """Show one EXPERIMENT."""
    _show(find_experiment(reader(), given(experiment, by_id or by_name, "EXPERIMENT")))


@experiments.command(
    "rename",
    prints=False,
    examples="drupe experiments rename churn churn-2025",
)
@_experiment_argument
@click.argument("new_name", required=False, metavar="NEW_NAME")
@click.option("--new-name", "new_name_option", hidden=True)
def _rename(experiment: str | None, by_id: str | None, new_name: str | None, new_name_option: str | None) -> None:
    """Give EXPERIMENT the name NEW_NAME."""
    store = client()
    found = find_experiment(store, given(experiment, by_id, "EXPERIMENT"))
    name = given(new_name, new_name_option, "NEW_NAME")
    store.rename_experiment(found.experiment_id, name)
    say(f"experiment {found.experiment_id} is now named {name!r} (was {found.name!r})")


@experiments.command(
    "delete",
    prints=False,
    examples="""
        drupe experiments delete churn
        drupe experiments delete churn --yes
    """,
)
@_experiment_argument
@yes_option
def _delete(experiment: str | None, by_id: str | None, yes: bool) -> None:
    """Move EXPERIMENT and all its runs to the trash.

    `drupe experiments restore` brings them back. Artifacts stay where they are.
    """
    store = client()
    found = find_experiment(store, given(experiment, by_id, "EXPERIMENT"))
    confirm(f"Move experiment {found.name!r} (id {found.experiment_id}) and all its runs to the trash?", yes=yes)
    store.delete_experiment(found.experiment_id)
    say(f"deleted experiment {found.name!r}; to undo: drupe experiments restore {found.experiment_id}")


@experiments.command("restore", prints=False, examples="drupe experiments restore churn")
@_experiment_argument
def _restore(experiment: str | None, by_id: str | None) -> None:
    """Bring EXPERIMENT and all its runs back from the trash."""
    store = client()
    found = find_experiment(store, given(experiment, by_id, "EXPERIMENT"))
    store.restore_experiment(found.experiment_id)
    say(f"restored experiment {found.name!r} (id {found.experiment_id}) and its runs")


@experiments.command(
    "tag",
    prints=False,
    examples="""
        drupe experiments tag churn team=growth stage=final
        drupe experiments tag churn --delete stage
    """,
)
@click.argument("experiment", shell_complete=complete.experiments)
@click.argument("tags", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--delete", "removed", multiple=True, metavar="KEY", help="Remove a tag; may be repeated.")
def _tag(experiment: str, tags: tuple[str, ...], removed: tuple[str, ...]) -> None:
    """Set tags of EXPERIMENT, or remove them."""
    if not tags and not removed:
        raise click.UsageError("Give KEY=VALUE to set a tag or --delete KEY to remove one.")
    store, pairs = client(), read_pairs(tags)
    found = find_experiment(store, experiment)
    for key, value in pairs.items():
        store.set_experiment_tag(found.experiment_id, key, value)
    for key in removed:
        store.delete_experiment_tag(found.experiment_id, key)
    say(f"experiment {found.name!r}: {tags_told(pairs, removed)}")


def _print_found(condition: str | None, order_by: tuple[str, ...], view: str, limit: int | None) -> None:
    store = reader()
    if limit is None and chosen_form() is Form.TABLE:
        limit = TABLE_LIMIT

    def found() -> Iterator[Experiment]:
        return pages(lambda size, token: store.search_experiments(VIEWS[view], size, condition, list(order_by), token), limit=limit)

    columns = _COLUMNS if VIEWS[view] is not ViewType.ACTIVE_ONLY else [c for c in _COLUMNS if c.name != "lifecycle_stage"]
    empty = "no experiment matches" if condition else f"no {'' if view == 'all' else view + ' '}experiments in {shown_address(store)}"
    print_list(found(), columns if chosen_form() is Form.TABLE else _COLUMNS, empty=empty, limit=limit)


def _show(experiment: Experiment, *, title: str = "") -> None:
    form = chosen_form()
    if form is Form.JSON:
        print_json(plain(experiment))
    elif form is Form.CSV:
        print_csv([c.name for c in _COLUMNS], [[c.field(experiment) for c in _COLUMNS]])
    else:
        is_deleted = experiment.lifecycle_stage is LifecycleStage.DELETED
        card(
            [
                ("experiment", experiment.name + (" (deleted)" if is_deleted else "")),
                ("id", experiment.experiment_id),
                ("artifacts", experiment.artifact_location),
                ("created", formats.moment(experiment.creation_time)),
                ("updated", formats.moment(experiment.last_update_time)),
                *((f"tag {key}", value) for key, value in sorted(experiment.tags.items())),
            ],
            title=title,
        )


def _tags_text(experiment: Experiment) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(experiment.tags.items()) if not key.startswith("mlflow."))


_COLUMNS: list[Column[Experiment]] = [
    Column("experiment_id", lambda e: e.experiment_id, heading="ID", right=True, keep=True),
    Column("name", lambda e: e.name),
    Column("lifecycle_stage", lambda e: e.lifecycle_stage.value, heading="STATE"),
    Column.time("created", lambda e: e.creation_time, keep=True),
    Column.time("updated", lambda e: e.last_update_time),
    Column("tags", _tags_text),
    Column("artifact_location", lambda e: e.artifact_location, in_table=False),
]
