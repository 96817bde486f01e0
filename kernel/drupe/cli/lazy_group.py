"""A click group that knows its commands' names and one-line helps without importing them: one of the house's three lazy doors.

Built-in commands stand in a table; commands of plugins come from the catalog, which is asked only when the table does not have the word.
The key of a plugin's command has as many words as are typed: `mail` is found below `drupe`, `models serve` below `drupe models`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from drupe.errors import DrupeError
from drupe.lazy import load

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from drupe.loading import Entry

__all__ = ["LazyGroup", "Table", "plugin_commands"]

Table = Mapping[str, tuple[str, str]]


def plugin_commands() -> Sequence[Entry]:
    """The commands that plugins offer; none, with a line on stderr, when the settings cannot be read."""
    from drupe.loading import catalog  # here: most commands do without plugins of the command line

    try:
        return catalog().offers("drupe_cli_commands")
    except DrupeError as fault:  # a bad drupe.toml must not take away --help and the commands that repair it
        click.echo(f"drupe: commands of plugins are not available: {fault}", err=True)
        return ()


class LazyGroup(click.Group):
    """`table` maps a word to ("module:attr", help); `plugins` gives the offers of further commands, or nothing when there is trouble.

    `below` is the word of the group itself, empty for the root.
    """

    def __init__(self, *args: Any, table: Table, plugins: Callable[[], Sequence[Entry]] = tuple, below: str = "", **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.table, self._plugins, self._below = table, plugins, f"{below} " if below else ""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The built-in words in the order of their table, then those of plugins."""
        return [*self.table, *self._offered()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command, and nothing of any other. Raises PluginError when it is a plugin's and cannot be used."""
        if cmd_name in self.table:
            found: click.Command = load(self.table[cmd_name][0])
            return found
        if cmd_name in self._offered():
            catalog, key = load("drupe.loading:catalog")(), self._below + cmd_name
            offered: click.Command = catalog.load("drupe_cli_commands", key)
            if catalog.find("drupe_cli_commands", key).offer.settings is not None and not ctx.resilient_parsing:
                ctx.default_map = {**(ctx.default_map or {}), cmd_name: catalog.defaults("drupe_cli_commands", key)}
            return offered
        return None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown word gets the nearest known one."""
        word = args[0]
        command = self.get_command(ctx, word)
        if command is None and not ctx.resilient_parsing and not word.startswith("-"):
            from difflib import get_close_matches  # here: only a typo pays for it

            close = get_close_matches(word, self.list_commands(ctx), n=1)
            ctx.fail(f"there is no command {word!r}" + (f"; did you mean {close[0]!r}?" if close else f"; see: {ctx.command_path} --help"))
        return super().resolve_command(ctx, args) if command is None else (word, command, args[1:])

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the words with their helps, those of plugins in a part of their own."""
        with formatter.section("Commands"):
            formatter.write_dl([(word, help) for word, (_, help) in self.table.items()])
        offered = self._offered()
        if offered:
            with formatter.section("Commands of plugins"):
                formatter.write_dl([(word, f"{entry.offer.help} ({entry.plugin})".strip()) for word, entry in offered.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The words that begin like this, and the options; nothing is imported."""
        from click.shell_completion import CompletionItem  # here: only completion pays for it

        helps = {word: help for word, (_, help) in self.table.items()}
        helps.update({word: entry.offer.help for word, entry in self._offered().items()})
        words = [CompletionItem(word, help=help) for word, help in helps.items() if word.startswith(incomplete)]
        return [*words, *click.Command.shell_complete(self, ctx, incomplete)]

    def _offered(self) -> dict[str, Entry]:
        found = {
            key.removeprefix(self._below): entry for entry in self._plugins() for key in entry.offer.keys if key.startswith(self._below)
        }
        return {word: entry for word, entry in found.items() if " " not in word and word not in self.table}
