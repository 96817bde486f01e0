"""`drupe config`: what is set, by whom, and changing it. Values that look like secrets are never printed."""

from __future__ import annotations

import tomllib
from math import isfinite
from pathlib import Path
from typing import Any

import click

from drupe import loading, settings
from drupe.cli.nouns import Noun
from drupe.cli.output import Column, Form, chosen_form, print_json, print_list, say
from drupe.errors import InvalidSettings, PluginError
from drupe.settings import KEYS, Setting, shown
from drupe.settings.edit import set_value, unset_value
from drupe.settings.reading import nearest
from drupe.settings.values import Unfit, of_kind

__all__ = ["config"]


@click.group(
    cls=Noun,
    store=False,
    examples="""
        drupe config list
        drupe config set tracking_uri sqlite:////data/team.db
        drupe config set plugins.store-sqlite.busy_timeout_s 30
        drupe config get tracking_uri --json
    """,
)
def config() -> None:
    """Show and change settings.

    An argument goes before an address's options, those before environment variables (DRUPE_*, then MLFLOW_*), those before the project's
    drupe.toml (in this folder or above), that before your own, and that before the default.
    """


@config.command("list", store=False, examples="drupe config list\ndrupe config list --set --json")
@click.option("--set", "only_set", is_flag=True, help="Only what somebody has set.")
def _list(only_set: bool) -> None:
    """List all settings with their values and where these come from."""
    current = settings.settings()
    found = [setting for setting in current if not only_set or setting.source != "default"]
    print_list(
        found,
        [
            Column[Setting]("key", lambda setting: setting.key, keep=True),
            Column[Setting]("value", _text),
            Column[Setting]("source", lambda setting: setting.source, style=lambda source: "dim" if source == "default" else ""),
            Column[Setting]("help", lambda setting: KEYS[setting.key].help if setting.key in KEYS else ""),
        ],
        empty="nothing is set",
        as_plain=_plain,
    )
    for name, near in current.unknown_variables().items():
        say(f"drupe: the environment variable {name} means nothing here" + (f"; did you mean {near}?" if near else ""))
    for fault in _faults_of_plugins(current):
        say(f"drupe: {fault}")


@config.command("get", store=False, examples="drupe config get tracking_uri")
@click.argument("key")
def _get(key: str) -> None:
    """Print the value of KEY; nothing when it is not set."""
    found = settings.settings().value(key)
    if chosen_form() is Form.JSON:
        print_json(_plain(found))
    else:
        click.echo(_text(found))


@config.command(
    "set",
    store=False,
    prints=False,
    examples="""
        drupe config set experiment_name churn
        drupe config set --user tracking_uri http://mlflow.example.com
        drupe config set plugins.prefer.drupe_artifact_repos.s3 store-s3
    """,
)
@click.argument("key")
@click.argument("value")
@click.option("--user", is_flag=True, help="In your own settings, not in the project's.")
def _set(key: str, value: str, user: bool) -> None:
    """Write KEY = VALUE to the nearest drupe.toml, or to a new one in this folder.

    What a project may not decide for its readers, such as whose models are trusted, goes to your own settings.
    """
    path = _file(user or _is_personal(key))
    set_value(path, _names(key), _typed(key, value))
    settings.reset()
    say(f"wrote {key} to {path}")
    current = settings.settings().value(key)
    if current.source != str(path.absolute()):
        say(f"it is not in use: {current.source} goes before it")


@config.command("unset", store=False, prints=False, examples="drupe config unset experiment_name")
@click.argument("key")
@click.option("--user", is_flag=True, help="In your own settings, not in the project's.")
def _unset(key: str, user: bool) -> None:
    """Remove KEY from the nearest drupe.toml."""
    path = _file(user or _is_personal(key))
    if not unset_value(path, _names(key)):
        raise InvalidSettings(f"{key} is not set in {path}", key=key)
    say(f"removed {key} from {path}")


@config.command("path", store=False, examples="drupe config path")
def _path() -> None:
    """Show which files are read, the one that goes first at the top."""
    places = [("project", _file(False)), ("user", _file(True))]
    print_list(
        places,
        [
            Column[tuple[str, Path]]("file", lambda place: place[0]),
            Column[tuple[str, Path]]("path", lambda place: str(place[1]), keep=True),
            Column[tuple[str, Path]]("exists", lambda place: place[1].is_file(), lambda is_there: "yes" if is_there else "not yet"),
        ],
        empty="no file is read",
        as_plain=lambda place: {"file": place[0], "path": str(place[1]), "exists": place[1].is_file()},
    )


def _file(user: bool) -> Path:
    return settings.user_file() if user else settings.project_file() or Path.cwd() / "drupe.toml"


def _is_personal(key: str) -> bool:
    return key in KEYS and KEYS[key].personal


def _plain(setting: Setting) -> dict[str, Any]:
    return {"key": setting.key, "value": _as_json(shown(setting.key, setting.value)), "source": setting.source}


def _as_json(value: Any) -> Any:
    """What TOML has and JSON has not, dates, times, infinities and NaN, as text."""
    if isinstance(value, dict):
        return {name: _as_json(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(entry) for entry in value]
    is_kept = value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))
    return value if is_kept else str(value)


def _text(setting: Setting) -> str:
    value = shown(setting.key, setting.value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _names(key: str) -> list[str]:
    """The path of tables to a key. Raises InvalidSettings for one that nobody declared."""
    if key.startswith("plugins.prefer.") and key.count(".") > 2:
        return key.split(".", 2)
    if key in KEYS:
        return key.split(".")
    settings.Settings().value(key)  # refuses what is no option of a plugin either, with the nearest name
    return key.split(".", 2)


def _typed(key: str, text: str) -> Any:
    """The value as it is written to the file: by the declared kind, else whatever TOML makes of it, else text."""
    if key in KEYS:
        try:
            value = of_kind(KEYS[key].kind, text, is_text=True)
        except Unfit as fault:
            raise InvalidSettings(f"{key} {fault}", key=key) from fault
        return list(value) if isinstance(value, tuple) else value
    if key.startswith("plugins.prefer."):
        return text
    if "#" in text or "\n" in text:  # TOML would read a comment or a second key, and leave a part of the value out
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _faults_of_plugins(current: settings.Settings) -> list[str]:
    """What is wrong with the options that plugins were given, and for whom nobody is installed."""
    faults: dict[str, None] = {}
    catalog = loading.catalog()
    installed = [plugin.name for plugin in catalog.plugins]
    for name in current.sections():
        if name not in installed and not any(other.lower().replace("_", "-") == name for other in installed):
            near = nearest(name, installed)
            faults[f"plugins.{name} is set, and no plugin {name!r} is installed" + (f"; did you mean {near!r}?" if near else "")] = None
    for plugin in catalog.plugins:
        if not current.section(plugin.name):
            continue
        for entry in plugin.entries:
            try:
                entry.options(current, query={}, given={})
            except (InvalidSettings, PluginError) as fault:
                faults[str(fault)] = None
    return list(faults)
