"""Reading the settings: which files, in which order, and what each value's source was.

An argument goes before the environment (`DRUPE_*`, then its `MLFLOW_*` twin), the project's `drupe.toml`, the user's
`~/.config/drupe/drupe.toml`, and the default. Options of plugins are read in `options`; changing files is in `edit`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from drupe.errors import InvalidSettings
from drupe.settings.keys import KEYS, RESERVED, SHARED
from drupe.settings.options import Source, fill, gather, option_types
from drupe.settings.values import Unfit, of_kind

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FILE_NAME", "Setting", "Settings", "nearest", "project_file", "user_file"]

FILE_NAME = "drupe.toml"
T = TypeVar("T")
_TABLES = {name.partition(".")[0] for name in KEYS if "." in name} - {"plugins"}


class Setting(NamedTuple):
    """One value and where it comes from: `default`, an environment variable, a file."""

    key: str
    value: Any
    source: str


class _SettingsFile(NamedTuple):
    """One file that was read: dotted keys of the kernel, the plugins' sections, and who serves contested keys."""

    path: Path
    values: Mapping[str, Any]
    sections: Mapping[str, Mapping[str, Any]]
    prefer: Mapping[str, str]


class Settings:
    """What was set, by whom. Files are read once; the environment is looked at whenever a value is asked for."""

    def __init__(self, files: tuple[_SettingsFile, ...] = (), environ: Mapping[str, str] | None = None) -> None:
        self._files = files
        self._environ: Mapping[str, str] = os.environ if environ is None else environ

    @classmethod
    def read(cls, folder: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the project file at or above `folder` (the working folder) and the user file. Raises InvalidSettings with all faults."""
        env = os.environ if environ is None else environ
        faults: list[str] = []
        own = _user_place(env)
        files = tuple(_read_file(place, faults, is_own=place == own) for place in _places(folder, env))
        if faults:
            raise InvalidSettings("; ".join(faults), faults=faults)
        return cls(files, env)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that were read; what stands in an earlier one wins."""
        return tuple(file.path for file in self._files)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a declared setting, `plugins.<name>.<option>` or `plugins.prefer.<hook>.<key>`; `default` when nobody set it and it has none of its own."""
        value = self.value(key).value
        return default if value is None else value

    def value(self, key: str) -> Setting:
        """The value with its source. Raises InvalidSettings for a key that nobody declared, or a value of the wrong kind."""
        declared = KEYS.get(key)
        if declared is None:
            return self._option(key)
        for variable in declared.variables:
            text = self._environ.get(variable)
            if text is None or (text == "" and declared.kind != "names"):
                continue
            try:
                return Setting(key, of_kind(declared.kind, text, is_text=True), variable)
            except Unfit as fault:
                raise InvalidSettings(f"{variable} {fault}", key=key) from fault
        for file in self._files:
            if key in file.values:
                return Setting(key, file.values[key], str(file.path))
        return Setting(key, declared.default, "default")

    def __iter__(self) -> Iterator[Setting]:
        """Every declared setting, then the options of plugins that somebody set."""
        yield from (self.value(key) for key in KEYS)
        for name, plugin in self.prefer().items():
            yield Setting(f"plugins.prefer.{name}", plugin.value, plugin.source)
        for plugin_name in self.sections():
            yield from self.section(plugin_name)

    def prefer(self) -> dict[str, Setting]:
        """`<hook>.<key>` to the plugin that shall serve it where several could."""
        chosen: dict[str, Setting] = {}
        for file in self._files:
            for key, plugin in file.prefer.items():
                chosen.setdefault(key, Setting(key, plugin, str(file.path)))
        return chosen

    def sections(self) -> list[str]:
        """Names of plugins that have a section in a file or an option in the environment, sorted; whether installed or not."""
        named = {name for file in self._files for name in file.sections}
        prefixes = {_prefix(name) for name in named}
        for variable in self._environ:
            prefix, mark, option = variable.partition("__")
            if mark and option and prefix.startswith("DRUPE_") and f"{prefix}__" not in prefixes:
                named.add(prefix.removeprefix("DRUPE_").lower().replace("_", "-"))
        return sorted(named)

    def section(self, plugin: str) -> list[Setting]:
        """The options of one plugin as they were set in files and environment, unchecked, sorted by key."""
        found = gather(self._sources(plugin))
        return [Setting(f"plugins.{plugin}.{option}", value, source.name) for option, (value, source) in sorted(found.items())]

    def plugin(self, name: str, kind: type[T], *, query: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None) -> T:
        """An instance of the plugin's settings class `kind`, an attrs class.

        `given` goes before `query` (options of an address), `DRUPE_<PLUGIN>__<OPTION>`, files, settings of the kernel that plugins share, and
        defaults. Raises InvalidSettings that lists every unknown option and every value that does not fit.
        """
        known = option_types(kind)
        shared = {key: self.get(key) for key in SHARED if key in known and self.get(key) is not None}
        sources = [*self._sources(name, query=query, given=given), Source("shared settings", shared)]
        return fill(name, kind, sources, self._environ)

    def unknown_variables(self) -> dict[str, str | None]:
        """`DRUPE_*` variables that mean nothing here, each with the nearest one that would; not an error, as they may be for another release."""
        known = {variable for key in KEYS.values() for variable in key.variables}
        strange = [name for name in self._environ if name.startswith("DRUPE_") and name not in known and "__" not in name]
        return {name: nearest(name, known) for name in sorted(strange)}

    def _option(self, key: str) -> Setting:
        if key.startswith("plugins.prefer."):
            return self.prefer().get(key.removeprefix("plugins.prefer."), Setting(key, None, "default"))._replace(key=key)
        head, _, rest = key.partition(".")
        plugin, _, option = rest.partition(".")
        if head != "plugins" or not option or plugin in RESERVED:
            hint = nearest(key, KEYS)
            raise InvalidSettings(f"there is no setting {key!r}" + (f"; did you mean {hint!r}?" if hint else ""), key=key)
        value, source = gather(self._sources(plugin)).get(option, (None, None))
        return Setting(key, value, source.name if source else "default")

    def _sources(self, plugin: str, *, query: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None) -> list[Source]:
        prefix = _prefix(plugin)
        environ = {name.removeprefix(prefix).lower(): self._environ[name] for name in self._environ if name.startswith(prefix)}
        return [
            Source("argument", given or {}),
            Source("address", query or {}, is_text=True),
            Source("environment", environ, is_text=True, prefix=prefix),
            *(Source(str(file.path), file.sections.get(plugin, {}), section=plugin) for file in self._files),
        ]


def _prefix(plugin: str) -> str:
    """What the environment variables of a plugin's options begin with."""
    return f"DRUPE_{plugin.upper().replace('-', '_')}__"


def user_file(environ: Mapping[str, str] | None = None) -> Path:
    """Where the user's own settings are, whether or not the file exists."""
    from pathlib import Path  # here: see _places

    return Path(_user_place(os.environ if environ is None else environ))


def project_file(folder: Path | None = None) -> Path | None:
    """The nearest `drupe.toml` at or above `folder`, or None.

    One above counts only if it belongs to this user or to root: in a shared place such as /tmp anybody could leave one for others.
    """
    from pathlib import Path  # here: see _places

    found = _project_place(folder)
    return Path(found) if found is not None else None


def _places(folder: Path | None, environ: Mapping[str, str]) -> list[str]:
    """The files there are, as texts: the import of pathlib is a tenth of what `drupe --help` takes, and mostly there is no file."""
    found = (_project_place(folder), _user_place(environ))
    return [place for place in dict.fromkeys(found) if place is not None and os.path.isfile(place)]


def _user_place(environ: Mapping[str, str]) -> str:
    base = environ.get("XDG_CONFIG_HOME", "")
    folder = base if os.path.isabs(base) else os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".config")
    return os.path.join(folder, "drupe", FILE_NAME)


def _project_place(folder: Path | None) -> str | None:
    try:
        start = place = os.path.abspath(folder or os.getcwd())
    except FileNotFoundError:  # the working folder was deleted
        return None
    while True:
        candidate = os.path.join(place, FILE_NAME)
        if _counts(candidate, is_near=place == start):
            return candidate
        if place == os.path.dirname(place):
            return None
        place = os.path.dirname(place)


def _counts(candidate: str, *, is_near: bool) -> bool:
    try:
        owner = os.stat(candidate).st_uid
    except OSError:
        return False
    return is_near or not hasattr(os, "getuid") or owner in (0, os.getuid())


def nearest(name: str, known: Any) -> str | None:
    """The known name that `name` is most likely a typo of, or None."""
    from difflib import get_close_matches  # here: only faults pay for it

    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.6)), None)


def _read_file(place: str, faults: list[str], *, is_own: bool) -> _SettingsFile:
    import tomllib  # here: most command lines have no file to read
    from pathlib import Path

    path = Path(place)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        faults.append(f"{path} cannot be read: {fault}")
        content = {}
    values: dict[str, Any] = {}
    sections: dict[str, Mapping[str, Any]] = {}
    prefer: dict[str, str] = {}
    plugins = content.pop("plugins", {})
    if not isinstance(plugins, dict):
        faults.append(f"{path}: plugins must be a table, not {plugins!r}")
        plugins = {}
    for key, value in content.items():
        if isinstance(value, dict) and key in _TABLES:
            for inner, one in value.items():
                _take(path, f"{key}.{inner}", one, values, faults)
        else:
            _take(path, key, value, values, faults)
    if not is_own:
        for key in [key for key in values if KEYS[key].personal]:
            del values[key]
            faults.append(
                f"{path}: {key} may not stand in a project's file, only in your own ({_user_place(os.environ)}) or in {KEYS[key].variables[0]}"
            )
    for name, value in plugins.items():
        if name == "prefer":
            prefer = dict(_flat(path, value, faults))
        elif f"plugins.{name}" in KEYS:
            _take(path, f"plugins.{name}", value, values, faults)
        elif isinstance(value, dict):
            sections[name] = value
        else:
            hint = nearest(name, RESERVED)
            faults.append(f"{path}: plugins.{name} must be a table of options" + (f"; did you mean plugins.{hint}?" if hint else ""))
    return _SettingsFile(path, values, sections, prefer)


def _take(path: Path, key: str, value: Any, values: dict[str, Any], faults: list[str]) -> None:
    declared = KEYS.get(key)
    if declared is None:
        hint = nearest(key, KEYS)
        faults.append(f"{path}: there is no setting {key!r}" + (f"; did you mean {hint!r}?" if hint else ""))
        return
    try:
        values[key] = of_kind(declared.kind, value, is_text=False)
    except Unfit as fault:
        faults.append(f"{path}: {key} {fault}")


def _flat(path: Path, table: Any, faults: list[str], before: str = "") -> Iterator[tuple[str, str]]:
    """The entries of `[plugins.prefer]`, whose keys hold dots and so arrive as tables within tables."""
    if not isinstance(table, dict):
        faults.append(f'{path}: plugins.prefer must be a table such as {{ "drupe_artifact_repos.s3" = "store-s3" }}, not {table!r}')
        return
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(path, value, faults, f"{before}{name}.")
        elif isinstance(value, str):
            yield before + name, value
        else:
            faults.append(f"{path}: plugins.prefer.{before}{name} must name a plugin, not {value!r}")
