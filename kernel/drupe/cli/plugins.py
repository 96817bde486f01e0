"""`drupe plugins`: what is installed, what it offers, whether it keeps the rules, and which of it is used."""

from __future__ import annotations

import contextlib
import sys
import traceback
from pathlib import Path
from typing import Any

import click

from drupe import loading, settings
from drupe.cli.nouns import Noun
from drupe.cli.output import META_KEY, Column, Form, chosen_form, note, print_json, print_list, say
from drupe.cli.tables import card
from drupe.errors import InvalidValue
from drupe.loading import Entry, Plugin, State
from drupe.loading.calls import Call
from drupe.loading.check import Finding, check
from drupe.loading.hooks import Hook
from drupe.settings.edit import set_value

__all__ = ["plugins"]

PROBLEM = 3
_Checked = tuple[str, Finding]
_COLOURS = {State.ACTIVE: "green", State.DISABLED: "dim", State.REFUSED: "yellow", State.BROKEN: "red"}


@click.group(
    cls=Noun,
    store=False,
    invoke_without_command=True,
    examples="""
        drupe plugins
        drupe plugins show store-sqlite
        drupe plugins check my-plugin
        drupe plugins disable flavor-sklearn
    """,
)
@click.option("--output", type=click.Choice([form.value for form in Form]), help="Form of the result; table is the default.")
@click.option("--json", "as_json", is_flag=True, help="Short for --output json.")
@click.pass_context
def plugins(ctx: click.Context, output: str | None, as_json: bool) -> None:
    """See, check, enable and disable plugins. Without a verb, list them."""
    form = "json" if as_json else output
    if form:
        ctx.meta[META_KEY] = form
    if ctx.invoked_subcommand is None:
        _print_plugins()


@plugins.command("list", store=False, examples="drupe plugins list --json")
def _list() -> None:
    """List every installed plugin with its state and offers."""
    _print_plugins()


@plugins.command("show", store=False, examples="drupe plugins show store-sqlite --json")
@click.argument("name")
def _show(name: str) -> None:
    """Show everything that is known of the plugin NAME."""
    found = loading.catalog().plugin(name)
    if chosen_form() is not Form.TABLE:
        print_json(_plain(found))
        return
    hooks = [hook.name for hook in loading.catalog().hooks() if name in loading.catalog().implementers(hook.name)]
    card(
        [
            ("state", found.state.value),
            ("because", found.reason),
            ("try", found.advice),
            ("raised at", _place(found.fault)),
            ("version", found.version),
            ("distribution", found.distribution),
            ("front door", found.module),
            ("API", found.api),
            ("hooks", ", ".join(hooks)),
            *((f"offer {entry.offer.name}", _offer_lines(entry)) for entry in found.entries),
            ("since then", "\n".join(found.reports)),
            ("loaded in", f"{found.load_ms:.2f} ms" if found.front is not None else None),
        ],
        title=found.name,
    )
    if found.fault is not None and getattr(click.get_current_context().find_root().obj, "debug", False):
        traceback.print_exception(found.fault)


@plugins.command("hooks", store=False, examples="drupe plugins hooks\ndrupe plugins hooks drupe_run_tags")
@click.argument("name", required=False)
def _hooks(name: str | None) -> None:
    """List the hooks that plugins can implement, or show one of them with its description."""
    catalog = loading.catalog()
    found = [hook for hook in catalog.hooks() if name in (None, hook.name)]
    if name is not None and not found:
        raise InvalidValue(f"there is no hook {name!r}; see: drupe plugins hooks")
    if name is not None and chosen_form() is Form.TABLE:
        click.echo(f"{found[0].name}({', '.join(found[0].arguments)})  [{found[0].kind.value}]\n\n{found[0].doc}")
        return
    print_list(
        found,
        [
            Column[Hook]("name", lambda hook: hook.name, keep=True),
            Column[Hook]("kind", lambda hook: hook.kind.value, heading="ANSWERS"),
            Column[Hook]("arguments", lambda hook: ", ".join(hook.arguments)),
            Column[Hook]("plugins", lambda hook: ", ".join(catalog.implementers(hook.name))),
            Column[Hook]("help", lambda hook: hook.doc.partition("\n")[0]),
        ],
        empty="there are no hooks",
        as_plain=lambda hook: hook._asdict() | {"kind": hook.kind.value, "plugins": catalog.implementers(hook.name)},
    )


@plugins.command("check", store=False, examples="drupe plugins check my-plugin\ndrupe plugins check --json")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def _check(names: tuple[str, ...]) -> None:
    """Check that plugins keep the rules: all of them, or those named. Imports everything that they offer.

    The exit code is 3 when a rule is broken.
    """
    catalog = loading.catalog()
    chosen = [catalog.plugin(name) for name in names] or [plugin for plugin in catalog.plugins if plugin.state is not State.DISABLED]
    found = [(plugin.name, finding) for plugin in chosen for finding in check(plugin)]
    print_list(
        found,
        [
            Column[_Checked]("plugin", lambda row: row[0], keep=True),
            Column[_Checked](
                "kept", lambda row: row[1].is_kept, lambda kept: "ok" if kept else "NO", heading="", keep=True, style=_verdict
            ),
            Column[_Checked]("rule", lambda row: row[1].rule),
            Column[_Checked]("detail", lambda row: row[1].detail),
        ],
        empty="no plugin is installed",
        as_plain=lambda row: {"plugin": row[0], **row[1]._asdict()},
    )
    if not all(finding.is_kept for _, finding in found):
        click.get_current_context().exit(PROBLEM)


@plugins.command("enable", store=False, prints=False, examples="drupe plugins enable flavor-sklearn")
@click.argument("name")
def _enable(name: str) -> None:
    """Use the plugin NAME again."""
    loading.catalog().plugin(name)
    current = settings.settings()
    only, disabled = current.value("plugins.only"), current.value("plugins.disabled")
    if name in disabled.value:
        _rewrite(disabled, [other for other in disabled.value if other != name])
    if only.value is not None and name not in only.value:
        _rewrite(only, [*only.value, name])
    _say_state(name)


@plugins.command("disable", store=False, prints=False, examples="drupe plugins disable flavor-sklearn")
@click.argument("name")
@click.option("--user", is_flag=True, help="In your own settings, not in the project's.")
def _disable(name: str, user: bool) -> None:
    """Never load the plugin NAME: written to the nearest drupe.toml, or to a new one in this folder."""
    loading.catalog().plugin(name)
    disabled = settings.settings().value("plugins.disabled")
    if name not in disabled.value:
        _rewrite(disabled, [*disabled.value, name], instead=settings.user_file() if user else settings.project_file() or Path("drupe.toml"))
    _say_state(name)


@plugins.command(
    "trace",
    store=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": ["-h", "--help"]},
    examples="""
        drupe plugins trace
        drupe plugins trace runs list --limit 5
    """,
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND]...")
def _trace(command: tuple[str, ...]) -> None:
    """Show every call of a hook with its time: while plugins are loaded, or while the drupe COMMAND runs.

    The calls of a COMMAND go to stderr, its own output stays on stdout. As JSON, both change places.
    """
    calls: list[Call] = []
    is_live = bool(command) and chosen_form() is Form.TABLE
    loading.reset((lambda call: say(f"drupe: {call}")) if is_live else calls.append)
    if not command:
        loading.catalog()
    elif is_live:
        _run(command)
        return
    else:
        with contextlib.redirect_stdout(sys.stderr):
            _run(command)
    print_list(
        calls,
        [
            Column[Call]("plugin", lambda call: call.plugin, keep=True),
            Column[Call]("hook", lambda call: call.hook),
            Column[Call]("ms", lambda call: round(call.ms, 3), right=True),
            Column[Call]("outcome", lambda call: call.outcome),
        ],
        empty="no plugin was called",
        as_plain=lambda call: call._asdict(),
    )


def _print_plugins() -> None:
    catalog = loading.catalog()
    print_list(
        catalog.plugins,
        [
            Column[Plugin]("name", lambda plugin: plugin.name, keep=True),
            Column[Plugin]("version", lambda plugin: plugin.version),
            Column[Plugin](
                "state",
                lambda plugin: plugin.state,
                lambda state: state.value,
                export=lambda state: state.value,
                style=_COLOURS.__getitem__,
            ),
            Column[Plugin]("offers", lambda plugin: ", ".join(map(_offer_word, plugin.entries))),
            Column[Plugin]("load_ms", lambda plugin: round(plugin.load_ms, 2), heading="LOAD MS", right=True),
        ],
        empty="no plugin is installed: pip install drupe",
        as_plain=_plain,
    )
    if chosen_form() is Form.TABLE:
        for plugin in catalog.plugins:
            if plugin.reason:
                note(f"{plugin.name} is {plugin.state.value}: {plugin.reason}" + (f"; try: {plugin.advice}" if plugin.advice else ""))


def _plain(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "version": plugin.version,
        "state": plugin.state.value,
        "reason": plugin.reason,
        "advice": plugin.advice,
        "raised_at": _place(plugin.fault),
        "distribution": plugin.distribution,
        "front_door": plugin.module,
        "api": plugin.api,
        "load_ms": round(plugin.load_ms, 3),
        "offers": [_plain_offer(entry) for entry in plugin.entries],
        "reports": plugin.reports,
    }


def _plain_offer(entry: Entry) -> dict[str, Any]:
    offer = entry.offer
    return {
        "hook": entry.hook,
        "name": offer.name,
        "keys": list(offer.keys),
        "state": entry.state,
        "help": offer.help,
        "load": offer.load,
        "handles": list(offer.handles),
        "requires": list(offer.requires),
        "settings": offer.settings,
        "rivals": list(entry.rivals),
    }


def _offer_word(entry: Entry) -> str:
    kind = entry.hook.removeprefix("drupe_").removesuffix("s").replace("_", " ")
    return f"{kind} {entry.offer.name}" + ("" if entry.state == "ready" else f" ({entry.state})")


def _offer_lines(entry: Entry) -> str:
    lines = [f"{entry.offer.help or entry.hook}: {entry.state}", f"{entry.hook}, for {', '.join(entry.offer.keys)}, {entry.offer.load}"]
    if entry.rivals:
        lines.append(f"also offered by {', '.join(entry.rivals)}")
    if entry.offer.handles:
        lines.append(f"handles {', '.join(entry.offer.handles)}")
    return "\n".join(lines)


def _place(fault: BaseException | None) -> str:
    """File and line of the plugin's code where the fault came from."""
    if isinstance(fault, SyntaxError) and fault.filename:
        return f"{fault.filename}:{fault.lineno}"
    frames = traceback.extract_tb(fault.__traceback__) if fault else []
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _verdict(kept: bool) -> str:
    return "green" if kept else "red"


def _rewrite(setting: settings.Setting, names: list[str], instead: Path | None = None) -> None:
    """Write a list of names where it stands now; `instead` is for one that stands nowhere yet."""
    path = instead if setting.source == "default" else Path(setting.source)
    if path is None or not path.suffix:
        raise InvalidValue(
            f"{setting.key} is set by the environment variable {setting.source}, which goes before drupe.toml; change or unset it"
        )
    set_value(path, setting.key.split("."), names)
    say(f"wrote {setting.key} = {names} to {path}")


def _say_state(name: str) -> None:
    settings.reset()
    loading.reset()
    found = loading.catalog().plugin(name)
    say(f"{name} is {found.state.value}" + (f": {found.reason}" if found.reason else ""))


def _run(command: tuple[str, ...]) -> None:
    root = click.get_current_context().find_root()
    root.command.main(args=list(command), prog_name="drupe", obj=root.obj, standalone_mode=False)
