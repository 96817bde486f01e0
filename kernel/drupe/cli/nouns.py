"""The shape that all commands share: `drupe NOUN VERB`, examples in every help text, and the options for address and output form.

A `Noun` is a click group whose verbs keep the order they are written in; a `Verb` is a command with `examples`. Every verb takes
`--tracking-uri` (also given before the verb), and those that print something take `--output` and `--json`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import click

from drupe import lazy
from drupe.cli.lazy_group import LazyGroup
from drupe.cli.output import META_KEY, Form, say
from drupe.uris import redact

if TYPE_CHECKING:
    from pathlib import Path

    from drupe.client import Client
    from drupe.entities import Page

__all__ = [
    "LazyNoun",
    "Noun",
    "Verb",
    "address_for_process",
    "client",
    "confirm",
    "given",
    "missing_store",
    "pages",
    "reader",
    "shown_address",
    "tags_told",
    "tracking_uri",
    "yes_option",
]

T = TypeVar("T")
URI_KEY = "drupe.tracking_uri"
MISSING_KEY = "drupe.missing_store"
PAGE = 1000
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Verb(click.Command):
    """A command with examples below its options; `prints` says that it has a result to show as table, JSON or CSV."""

    def __init__(self, *args: Any, examples: str = "", prints: bool = True, store: bool = True, **rest: Any) -> None:
        rest.setdefault("context_settings", CONTEXT)
        super().__init__(*args, **rest)
        self.examples = inspect.cleandoc(examples)
        if prints:
            self.params += [_output_option(), _json_option()]
        if store:
            self.params.append(_uri_option())

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        _write_examples(self.examples, formatter)


class Noun(click.Group):
    """A group of verbs about one kind of thing; `also` maps other words for a verb, MLflow's among them, to ours."""

    command_class = Verb

    def __init__(self, *args: Any, examples: str = "", store: bool = True, also: Mapping[str, str] | None = None, **rest: Any) -> None:
        rest.setdefault("context_settings", CONTEXT)
        super().__init__(*args, **rest)
        self.examples, self.also = inspect.cleandoc(examples), dict(also or {})
        if store:
            self.params.append(_uri_option())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name, or of that other word."""
        return super().get_command(ctx, self.also.get(cmd_name, cmd_name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order in which they are written."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        _write_examples(self.examples, formatter)


class LazyNoun(Noun, LazyGroup):
    """A noun whose verbs stand in a table and are imported when they are used; plugins add verbs of their own to it."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name, or of that other word. Raises PluginError when it is a plugin's and cannot be used."""
        return LazyGroup.get_command(self, ctx, self.also.get(cmd_name, cmd_name))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs of the table, then those of plugins."""
        return LazyGroup.list_commands(self, ctx)


def tracking_uri(ctx: click.Context | None = None) -> str | None:
    """The address given with `--tracking-uri`, or None: then settings decide."""
    found: str | None = (ctx or click.get_current_context()).meta.get(URI_KEY)
    return found


def client(ctx: click.Context | None = None) -> Client:
    """The client for the address that the command line, the environment or the settings name."""
    made: Client = lazy.load("drupe.client:Client")(tracking_uri(ctx))
    return made


def missing_store(ctx: click.Context | None = None) -> Path | None:
    """The file of the default store when nobody chose another and it is not there yet; None otherwise."""
    missing: Path | None = None if tracking_uri(ctx) else lazy.load("drupe.tracking.address:missing_default")()
    return missing


def reader(ctx: click.Context | None = None) -> Client:
    """The client of a command that only reads, which makes no store where nobody chose one and none is yet.

    It then reads an empty store of its own that is gone with the command, so that every form of the result is as of a store without runs.
    """
    ctx = ctx or click.get_current_context()
    missing = missing_store(ctx)
    if missing is None:
        return client(ctx)
    folder = ctx.with_resource(TemporaryDirectory(prefix="drupe-"))
    ctx.meta[MISSING_KEY] = str(missing)
    ctx.meta[URI_KEY] = f"sqlite:///{folder}/empty.db?artifact_root={quote(str(missing.with_name(f'{missing.stem}-artifacts')))}"
    say(f"there is no store yet: the first run makes {missing.name} here; to read another, give --tracking-uri or set DRUPE_TRACKING_URI")
    registry_uri = lazy.load("drupe.settings:settings")().get("registry_uri")
    empty: Client = lazy.load("drupe.client:Client")(ctx.meta[URI_KEY], registry_uri)
    return empty


def shown_address(store: Client) -> str:
    """The address of the tracking store for a message."""
    return redact(str(click.get_current_context().meta.get(MISSING_KEY, store.tracking_uri)))


def address_for_process(ctx: click.Context) -> None:
    """Make `--tracking-uri` the address of the whole process while this command runs, for use cases that know no client."""
    uri = tracking_uri(ctx)
    if uri:
        set_tracking_uri = lazy.load("drupe.tracking.address:set_tracking_uri")
        set_tracking_uri(uri)
        ctx.call_on_close(lambda: set_tracking_uri(""))


def pages(search: Callable[[int, str | None], Page[T]], *, limit: int | None = None) -> Iterator[T]:
    """Everything that a search finds, asked for page by page: `search(size, token)`. With `limit`, one more than that is read at most."""
    left = None if limit is None else limit + 1  # one more tells the table that there are more
    token: str | None = None
    while left is None or left > 0:
        page = search(PAGE if left is None else min(left, PAGE), token)
        yield from page
        token = page.token
        if token is None:
            return
        left = None if left is None else left - len(page)


def given(value: str | None, option: str | None, what: str) -> str:
    """A thing named as argument or, the way MLflow's command line has it, as option. Exactly one of both is needed."""
    if value is None and option is None:
        raise click.UsageError(f"Missing argument '{what}'.")
    if value is not None and option is not None:
        raise click.UsageError(f"{what} is given twice: {value!r} and {option!r}.")
    return value if value is not None else str(option)


def tags_told(pairs: Mapping[str, str], removed: Sequence[str]) -> str:
    """What became of tags, for a message: `2 tags set, 1 removed`."""
    parts = [f"{len(pairs)} tag{'' if len(pairs) == 1 else 's'} set"] if pairs else []
    if removed:
        parts.append(f"{len(removed)} removed" if pairs else f"{len(removed)} tag{'' if len(removed) == 1 else 's'} removed")
    return ", ".join(parts)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost; `--yes` answers. Ends the command when the answer is no."""
    if not yes:
        click.confirm(question, abort=True, err=True)


def yes_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--yes`, for commands that ask."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask.")(function)


def _output_option() -> click.Option:
    return click.Option(
        ["--output"],
        type=click.Choice([form.value for form in Form]),
        expose_value=False,
        callback=lambda ctx, param, value: _remember(ctx, META_KEY, value),
        help="Form of the result; table is the default.",
    )


def _json_option() -> click.Option:
    return click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        callback=lambda ctx, param, value: _remember(ctx, META_KEY, "json" if value else None),
        help="Short for --output json.",
    )


def _uri_option() -> click.Option:
    return click.Option(
        ["--tracking-uri"],
        metavar="URI",
        expose_value=False,
        callback=lambda ctx, param, value: _remember(ctx, URI_KEY, value),
        help="Where runs are kept, such as sqlite:///drupe.db; else DRUPE_TRACKING_URI or the settings.",
    )


def _remember(ctx: click.Context, key: str, value: Any) -> None:
    if value:
        ctx.meta[key] = value


def _write_examples(examples: str, formatter: click.HelpFormatter) -> None:
    if examples:
        with formatter.section("Examples"):
            for line in examples.splitlines():
                formatter.write(f"{'':{formatter.current_indent}}{line}\n" if line else "\n")
