"""Every command explains itself: a sentence, examples that fit the terminal, and options that exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import click
import pytest

from drupe.cli.main import COMMANDS, root
from drupe.lazy import load


def commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in [*command.commands.items(), *built_in(command)]:
            yield from commands(inner, (*path, name))


def built_in(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name, (target, _) in getattr(group, "table", {}).items():
        yield name, load(target)


EVERY = [found for word, (target, _) in COMMANDS.items() for found in commands(load(target), (word,))]


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])
def test_help_has_a_sentence_and_examples_of_the_command(drupe_cli: Any, path: tuple[str, ...], command: click.Command) -> None:
    told = drupe_cli(*path, "--help")
    assert told.code == 0
    assert command.help
    assert command.help.partition("\n")[0].rstrip().endswith((".", ")", ":"))
    examples = told.out.partition("Examples:\n")[2]
    assert f"drupe {' '.join(path)}" in examples
    assert max(map(len, told.lines)) <= 120


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])
def test_examples_use_only_words_and_options_that_exist(path: tuple[str, ...], command: click.Command) -> None:
    for line in getattr(command, "examples", "").splitlines():
        for words in drupe_calls(line):
            parse(words)


def drupe_calls(line: str) -> Iterator[list[str]]:
    for call in re.findall(r"(?:^|[|(]\s*)drupe ((?:'[^']*'|\"[^\"]*\"|[^|>)#])*)", line.strip()):
        yield shlex.split(call)


def parse(words: list[str]) -> None:
    """Make click read the words without running anything; it raises UsageError for what does not exist."""
    context: click.Context = click.Context(root, info_name="drupe")
    command: click.Command = root
    while isinstance(command, click.Group) and words:
        found = command.get_command(context, words[0])
        assert found is not None, words
        command, words = found, words[1:]
        context = click.Context(command, info_name=command.name, parent=context, **command.context_settings)
    parser = command.make_parser(context)
    parser.parse_args(list(words))


def test_verbs_stand_in_the_order_in_which_they_are_written(drupe_cli: Any) -> None:
    part = drupe_cli("runs", "--help").out.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in part.splitlines()] == [
        "list",
        "show",
        "compare",
        "logs",
        "move",
        "rename",
        "tag",
        "end",
        "delete",
        "restore",
    ]


def test_mlflows_words_lead_to_ours(drupe_cli: Any, three_runs: list[str]) -> None:
    assert drupe_cli("runs", "describe", "baseline", "--json").code == 0
    assert drupe_cli("runs", "search", "metrics.auc > 0", "--json").code == 0
    assert drupe_cli("experiments", "get", "-n", "churn").code == 0
