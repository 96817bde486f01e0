"""Writes the reference pages that are made from code: hooks, errors, settings, the query language and the command line.

python docs/generate.py            write docs/reference/*.md
python docs/generate.py --check    write nothing, fail if a page is not what the code says
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from pluggy import PluginManager
from search_page import query_language

from drupe import errors
from drupe.cli.main import COMMANDS, root
from drupe.extend import API, hookspecs
from drupe.loading.hooks import HookKind, all_hooks
from drupe.settings import KEYS

FOLDER = Path(__file__).parent / "reference"
MADE = "<!-- made by docs/generate.py from {source}; change that instead -->"
ANSWERS = {
    HookKind.OFFERS: "a list of offers, asked for once when the catalog is built",
    HookKind.FIRST: "the first answer that is not None wins",
    HookKind.ALL: "the answers of all plugins are used",
    HookKind.OBSERVERS: "none; all plugins are told",
    HookKind.ONCE: "none; called once for each plugin",
}


def hooks() -> str:
    """The page of all hooks, from their docstrings."""
    manager = PluginManager("drupe")
    manager.add_hookspecs(hookspecs)
    found = all_hooks(manager)
    lines = [
        "# Hooks",
        MADE.format(source="kernel/drupe/extend/hookspecs.py"),
        *_paragraphs(inspect.getdoc(hookspecs) or ""),
        f"This is version {API} of the boundary, which a plugin names as `DRUPE_API`. How to write a plugin: [a complete example](../how-to/write-a-plugin.md).",
        "| hook | arguments | answers |\n|---|---|---|\n"
        + "\n".join(f"| [`{hook.name}`](#{hook.name}) | {_codes(hook.arguments)} | {ANSWERS[hook.kind]} |" for hook in found),
    ]
    for hook in found:
        lines += [f"## {hook.name}", f"`{hook.name}({', '.join(hook.arguments)})`: {ANSWERS[hook.kind]}.", *_paragraphs(hook.doc)]
    return "\n\n".join(lines) + "\n"


def error_codes() -> str:
    """The page of all errors, from the classes."""
    found = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, errors.DrupeError)]
    rows = [
        f"| <a id='{kind.code.lower()}'></a>{kind.code} | `{kind.__name__}` | `{kind.__base__.__name__ if kind.__base__ else ''}` | "
        f"`{kind.error_code}` | {kind.http_status} | {_first_line(kind)} |"
        for kind in sorted(found, key=lambda kind: kind.code)
    ]
    return (
        "\n\n".join(
            [
                "# Errors",
                MADE.format(source="kernel/drupe/errors.py"),
                "Every error that drupe raises on purpose is a `drupe.DrupeError`. Its message ends with its code, which never changes its meaning.\n"
                "`error_code` is the name that MLflow clients know, and HTTP the status with which a server answers.\n"
                "The command line exits with 1 for an error, 2 for wrong usage and 3 for those below `PluginError`.",
                "| code | class | is a | error_code | HTTP | when |\n|---|---|---|---|---|---|\n" + "\n".join(rows),
            ]
        )
        + "\n"
    )


def settings() -> str:
    """The page of all settings of the kernel, from their table."""
    rows = [
        f"| `{key.name}` | {_cell(key.help)} | {_codes(key.variables)} | {'' if key.default in (None, ()) else f'`{str(key.default).lower()}`'} |"
        for key in KEYS.values()
    ]
    return (
        "\n\n".join(
            [
                "# Settings",
                MADE.format(source="kernel/drupe/settings/keys.py"),
                "An argument goes before the environment, that before the project's `drupe.toml` (in the working folder or above it), that before your own\n"
                "`~/.config/drupe/drupe.toml`, and that before the default. `drupe config list` shows every value and where it comes from.",
                "Options of plugins stand in `[plugins.<name>]`, or in variables such as `DRUPE_STORE_SQLITE__OPTION`. Unknown keys are errors.\n"
                '`[plugins.prefer]` decides between plugins that offer the same key: `"drupe_artifact_repos.s3" = "store-s3"`.',
                "| key | what | variables | default |\n|---|---|---|---|\n" + "\n".join(rows),
            ]
        )
        + "\n"
    )


def search() -> str:
    """The page of the query language, from its tables."""
    return query_language(MADE.format(source="kernel/drupe/search/fields.py and docs/search_page.py"))


def command_line() -> str:
    """The page of all built-in commands, from click."""
    lines = [
        "# The command line",
        MADE.format(source="kernel/drupe/cli"),
        "`drupe NOUN VERB`. Exit codes: 0 done, 1 failure, 2 wrong usage, 3 a problem with a plugin, 130 interrupted.\n"
        "An error is one paragraph on stderr; `drupe --debug` in front shows the traceback.",
        "| command | |\n|---|---|\n" + "\n".join(f"| [`drupe {word}`](#drupe-{word}) | {help} |" for word, (_, help) in COMMANDS.items()),
    ]
    context = click.Context(root, info_name="drupe")
    for word in COMMANDS:
        command = root.get_command(context, word)
        assert command is not None
        lines += _command(command, f"drupe {word}", context, depth=2)
    return "\n\n".join(lines) + "\n"


def _command(command: click.Command, words: str, parent: click.Context, *, depth: int) -> Iterator[str]:
    context = click.Context(command, info_name=words.rpartition(" ")[2], parent=parent)
    yield f"{'#' * depth} {words}"
    yield f"`{' '.join([words, *command.collect_usage_pieces(context)])}`"
    yield from _paragraphs(inspect.cleandoc(command.help or "").replace("\b\n", ""))
    options = [
        param for param in command.get_params(context) if isinstance(param, click.Option) and not param.hidden and param.name != "help"
    ]
    if options:
        yield "| option | |\n|---|---|\n" + "\n".join(f"| `{_option(option)}` | {_cell(option.help or '')} |" for option in options)
    examples = getattr(command, "examples", "")
    if examples:
        yield f"```text\n{examples}\n```"
    if isinstance(command, click.Group):
        for verb in command.list_commands(context):
            inner = command.get_command(context, verb)
            if inner is not None and not inner.hidden:
                yield from _command(inner, f"{words} {verb}", context, depth=depth + 1)


def _option(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return names
    choices = "|".join(map(str, option.type.choices)) if isinstance(option.type, click.Choice) else option.type.name.upper()
    return _cell(f"{names} {option.metavar or choices}")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs of a docstring; those that are indented are Python."""
    for paragraph in re.split(r"\n\s*\n(?=\S)|\n\s*\n(?=    )", text.strip("\n")):
        if paragraph.startswith("    "):
            yield f"```py\n{inspect.cleandoc(paragraph)}\n```"
        elif paragraph.strip():
            yield paragraph


def _first_line(kind: type) -> str:
    return _cell(" ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split()))


PAGES: dict[str, Callable[[], str]] = {
    "hooks.md": hooks,
    "errors.md": error_codes,
    "cli.md": command_line,
    "settings.md": settings,
    "search.md": search,
}


def main(arguments: list[str]) -> int:
    """Write or check every page; returns the exit code."""
    stale = [name for name, made in PAGES.items() if not _is_current(FOLDER / name, made())]
    if "--check" in arguments:
        for name in stale:
            print(f"docs/reference/{name} is not what the code says; run: python docs/generate.py", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"wrote docs/reference/{name}")
    return 0


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
