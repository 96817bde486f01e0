"""`drupe registry`: registered models, their versions, aliases, stages, tags and descriptions."""

from __future__ import annotations

from collections.abc import Iterator

import click

from drupe.cli import complete, formats
from drupe.cli.nouns import Noun, address_for_process, client, confirm, pages, reader, tags_told, yes_option
from drupe.cli.output import Column, Form, chosen_form, plain, print_csv, print_json, print_list, say, table_of
from drupe.cli.references import full_address, quoted, short_id
from drupe.cli.tables import card
from drupe.entities import ModelVersion, RegisteredModel, Stage
from drupe.extend.pairs import read_pairs
from drupe.registry import register_model

__all__ = ["registry"]

TABLE_LIMIT = 50
MODELS_PAGE = 1000
STAGES = [stage.value for stage in Stage]
STAGE_STYLES = {Stage.PRODUCTION: "green", Stage.STAGING: "yellow", Stage.ARCHIVED: "dim"}


@click.group(
    cls=Noun,
    also={"search": "list"},
    examples="""
        drupe registry register churn brave-plum-12/model
        drupe registry alias set churn champion 3
        drupe registry show churn
    """,
)
def registry() -> None:
    """Register models; move their aliases and stages; tag and describe them."""


@registry.command(
    "list",
    examples="""
        drupe registry list
        drupe registry list --filter "name LIKE 'churn%' AND tags.team = 'growth'"
    """,
)
@click.argument("filter", required=False, metavar="[FILTER]")
@click.option("-f", "--filter", "filter_option", metavar="FILTER", help="Which models, by name and tags.")
@click.option("-o", "--order-by", multiple=True, metavar="KEY [DESC]", help="Sort by name or last_updated_timestamp.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given."
)
def _list(filter: str | None, filter_option: str | None, order_by: tuple[str, ...], limit: int | None) -> None:
    """List registered models."""
    store = reader()
    if limit is None and chosen_form() is Form.TABLE:
        limit = TABLE_LIMIT
    condition = filter or filter_option

    def found() -> Iterator[RegisteredModel]:
        return pages(
            lambda size, token: store.search_registered_models(condition, min(size, MODELS_PAGE), list(order_by), token), limit=limit
        )

    empty = "no model matches" if condition else f"no registered models in {store.registry_uri}; `drupe registry register` makes one"
    print_list(found(), _MODELS, empty=empty, limit=limit)


@registry.command("show", examples="drupe registry show churn\ndrupe registry show churn --json")
@click.argument("name", shell_complete=complete.models)
def _show(name: str) -> None:
    """Show the registered model NAME with its versions."""
    store = reader()
    model = store.get_registered_model(name)
    if chosen_form() is Form.JSON:
        print_json(plain(model))
        return
    if chosen_form() is Form.CSV:
        print_csv([c.name for c in _MODELS], [[c.field(model) for c in _MODELS]])
        return
    card(
        [
            ("model", model.name),
            ("description", model.description),
            ("created", formats.moment(model.creation_timestamp)),
            ("updated", formats.moment(model.last_updated_timestamp)),
            ("aliases", _aliases(model)),
            *((f"tag {key}", value) for key, value in sorted(model.tags.items())),
        ]
    )
    by_version: dict[str, list[str]] = {}
    for alias, version in sorted(model.aliases.items()):
        by_version.setdefault(version, []).append(alias)
    versions = list(store.search_model_versions(f"name = {quoted(name)}", TABLE_LIMIT, ["version_number DESC"]))
    if versions:
        click.echo()
        table_of(versions, _versions(by_version))


@registry.command(
    "create",
    examples="""
        drupe registry create churn --description "Who leaves next month" --tag team=growth
    """,
)
@click.argument("name")
@click.option("-d", "--description", default="", help="What it is for.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag; may be repeated.")
def _create(name: str, description: str, tags: tuple[str, ...]) -> None:
    """Create the registered model NAME, with no versions yet."""
    model = client().create_registered_model(name, read_pairs(tags), description)
    if chosen_form() is Form.TABLE:
        say(f"created {model.name!r}; `drupe registry register {model.name} runs:/RUN/model` adds a version")
    else:
        print_list([model], _MODELS, empty="")


@registry.command(
    "register",
    examples="""
        drupe registry register churn brave-plum-12/model
        drupe registry register churn models:/churn-candidate@best --alias champion --description "retrained in May"
    """,
)
@click.argument("name", shell_complete=complete.models)
@click.argument("source", metavar="URI")
@click.option("--alias", "aliases", multiple=True, help="Point this alias to the new version; may be repeated.")
@click.option("-d", "--description", help="What is new in it.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the version; may be repeated.")
@click.pass_context
def _register(ctx: click.Context, name: str, source: str, aliases: tuple[str, ...], description: str | None, tags: tuple[str, ...]) -> None:
    """Make the model at URI the next version of NAME, which is created if needed.

    URI is RUN/PATH, runs:/ID/PATH, models:/NAME/VERSION, a folder or an address of artifacts.
    """
    address_for_process(ctx)
    pairs = read_pairs(tags)
    store = client()
    version = register_model(full_address(store, source), name, tags=pairs)
    for alias in aliases:
        store.set_registered_model_alias(name, alias, version.version)
    if description is not None:
        store.update_model_version(name, version.version, description)
    if chosen_form() is Form.TABLE:
        also = f", alias {', '.join(aliases)}" if aliases else ""
        say(f"registered version {version.version} of {name!r}{also}; load it with models:/{name}/{version.version}")
    else:
        print_list([store.get_model_version(name, version.version)], _versions({version.version: list(aliases)}), empty="")


@registry.command("rename", prints=False, examples="drupe registry rename churn churn-monthly")
@click.argument("name", shell_complete=complete.models)
@click.argument("new_name")
def _rename(name: str, new_name: str) -> None:
    """Give the model NAME the name NEW_NAME; versions and aliases go along."""
    client().rename_registered_model(name, new_name)
    say(f"{name!r} is now named {new_name!r}")


@registry.command("delete", prints=False, examples="drupe registry delete churn\ndrupe registry delete churn --version 2 --yes")
@click.argument("name", shell_complete=complete.models)
@click.option("--version", shell_complete=complete.versions, help="Only this version.")
@yes_option
def _delete(name: str, version: str | None, yes: bool) -> None:
    """Delete the model NAME with all its versions, or one version, for good.

    The files that versions point to stay where they are.
    """
    store = client()
    if version is not None:
        found = store.get_model_version(name, version)
        loses = f", which is {' and '.join(found.aliases)}" if found.aliases else ""
        confirm(f"Delete version {version} of {name!r}{loses}, for good?", yes=yes)
        store.delete_model_version(name, version)
        say(f"deleted version {version} of {name!r}")
        return
    count = len(store.search_model_versions(f"name = {quoted(store.get_registered_model(name).name)}"))
    confirm(f"Delete the model {name!r} with its {count} version{'' if count == 1 else 's'}, for good?", yes=yes)
    store.delete_registered_model(name)
    say(f"deleted {name!r}")


@registry.command(
    "versions",
    examples="""
        drupe registry versions churn
        drupe registry versions --filter "tags.team = 'growth'" --output csv
    """,
)
@click.argument("name", required=False, shell_complete=complete.models)
@click.option("-f", "--filter", "condition", metavar="FILTER", help="Which versions: by name, run_id, version_number, tags.KEY.")
@click.option(
    "-o",
    "--order-by",
    multiple=True,
    metavar="KEY [DESC]",
    help="Sort by name, version_number, creation_timestamp or last_updated_timestamp.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given."
)
def _versions_command(name: str | None, condition: str | None, order_by: tuple[str, ...], limit: int | None) -> None:
    """List the versions of the model NAME, the newest first, or those of all models."""
    store = reader()
    if limit is None and chosen_form() is Form.TABLE:
        limit = TABLE_LIMIT
    by_version: dict[str, list[str]] = {}
    parts = [f"({condition})"] if condition else []
    if name is not None:
        for alias, version in store.get_registered_model(name).aliases.items():
            by_version.setdefault(version, []).append(alias)
        parts.insert(0, f"name = {quoted(name)}")
    order = list(order_by) or (["version_number DESC"] if name else [])

    def found() -> Iterator[ModelVersion]:
        return pages(lambda size, token: store.search_model_versions(" AND ".join(parts), size, order, token), limit=limit)

    print_list(found(), [*([] if name else [_NAME]), *_versions(by_version)], empty="no versions", limit=limit)


@registry.command(
    "stage",
    prints=False,
    examples="""
        drupe registry stage churn 3 Production --archive-existing
    """,
)
@click.argument("name", shell_complete=complete.models)
@click.argument("version", shell_complete=complete.versions)
@click.argument("stage", type=click.Choice(STAGES, case_sensitive=False))
@click.option("--archive-existing", is_flag=True, help="Move the others of that stage to Archived.")
def _stage(name: str, version: str, stage: str, archive_existing: bool) -> None:
    """Move VERSION of NAME to STAGE."""
    moved = client().transition_model_version_stage(name, version, stage, archive_existing)
    say(f"version {moved.version} of {name!r} is in {moved.current_stage.value}")


@registry.group(
    "alias",
    cls=Noun,
    examples="""
        drupe registry alias set churn champion 3
        drupe registry alias delete churn champion
    """,
)
def _alias() -> None:
    """Point aliases to versions, for models:/NAME@ALIAS."""


@_alias.command("set", prints=False, examples="drupe registry alias set churn champion 3")
@click.argument("name", shell_complete=complete.models)
@click.argument("alias", shell_complete=complete.aliases)
@click.argument("version", shell_complete=complete.versions)
def _alias_set(name: str, alias: str, version: str) -> None:
    """Point ALIAS of NAME to VERSION, wherever it pointed before."""
    store = client()
    before = store.get_registered_model(name).aliases.get(alias)
    store.set_registered_model_alias(name, alias, version)
    was = f" (was version {before})" if before and before != version else ""
    say(f"models:/{name}@{alias} is version {version}{was}")


@_alias.command("delete", prints=False, examples="drupe registry alias delete churn champion")
@click.argument("name", shell_complete=complete.models)
@click.argument("alias", shell_complete=complete.aliases)
def _alias_delete(name: str, alias: str) -> None:
    """Remove ALIAS of NAME; the version stays."""
    store = client()
    before = store.get_registered_model(name).aliases.get(alias)
    store.delete_registered_model_alias(name, alias)
    say(f"{name!r} has no alias {alias!r}" + (f" now (was version {before})" if before else ""))


@registry.command(
    "tag",
    prints=False,
    examples="""
        drupe registry tag churn team=growth
        drupe registry tag churn --version 3 approved=yes --delete draft
    """,
)
@click.argument("name", shell_complete=complete.models)
@click.argument("tags", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--version", shell_complete=complete.versions, help="Of this version rather than of the model.")
@click.option("--delete", "removed", multiple=True, metavar="KEY", help="Remove a tag; may be repeated.")
def _tag(name: str, tags: tuple[str, ...], version: str | None, removed: tuple[str, ...]) -> None:
    """Set tags of the model NAME or of one version, or remove them."""
    if not tags and not removed:
        raise click.UsageError("Give KEY=VALUE to set a tag or --delete KEY to remove one.")
    store, pairs = client(), read_pairs(tags)
    for key, value in pairs.items():
        if version is None:
            store.set_registered_model_tag(name, key, value)
        else:
            store.set_model_version_tag(name, version, key, value)
    for key in removed:
        if version is None:
            store.delete_registered_model_tag(name, key)
        else:
            store.delete_model_version_tag(name, version, key)
    say(f"{f'version {version} of ' if version else ''}{name!r}: {tags_told(pairs, removed)}")


@registry.command(
    "describe",
    prints=False,
    examples="""
        drupe registry describe churn "Who leaves next month"
        drupe registry describe churn --version 3 "trained on data until May"
    """,
)
@click.argument("name", shell_complete=complete.models)
@click.argument("text")
@click.option("--version", shell_complete=complete.versions, help="Of this version rather than of the model.")
def _describe(name: str, text: str, version: str | None) -> None:
    """Set the description of the model NAME or of one version to TEXT."""
    store = client()
    if version is None:
        store.update_registered_model(name, text)
    else:
        store.update_model_version(name, version, text)
    say(f"{f'version {version} of ' if version else ''}{name!r} is described as: {formats.shorten(formats.text(text), 60)}")


def _aliases(model: RegisteredModel) -> str:
    return ", ".join(f"{alias} → {version}" for alias, version in sorted(model.aliases.items()))


def _latest(model: RegisteredModel) -> str:
    return max((version.version for version in model.latest_versions), key=int, default="")


def _tags(thing: RegisteredModel | ModelVersion) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(thing.tags.items()))


def _versions(aliases: dict[str, list[str]]) -> list[Column[ModelVersion]]:
    return [
        Column("version", lambda v: v.version, right=True, keep=True),
        Column("aliases", lambda v: ", ".join(v.aliases or aliases.get(v.version, ())), style=lambda _: "cyan"),
        Column("stage", lambda v: v.current_stage, lambda stage: stage.value, style=lambda stage: STAGE_STYLES.get(stage, "")),
        Column.time("created", lambda v: v.creation_timestamp, keep=True),
        Column("run_id", lambda v: v.run_id, lambda run_id: short_id(run_id or ""), heading="RUN"),
        Column("description", lambda v: v.description, rank=1),
        Column("tags", _tags, rank=2),
        Column("source", lambda v: v.source, in_table=False),
    ]


_NAME: Column[ModelVersion] = Column("name", lambda v: v.name, keep=True)
_MODELS: list[Column[RegisteredModel]] = [
    Column("name", lambda m: m.name, keep=True),
    Column("latest", _latest, right=True),
    Column("aliases", _aliases, style=lambda _: "cyan"),
    Column.time("updated", lambda m: m.last_updated_timestamp),
    Column("description", lambda m: m.description, rank=1),
    Column("tags", _tags, rank=2),
]
