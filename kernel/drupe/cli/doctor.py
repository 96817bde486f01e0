"""`drupe doctor`: checks whether everything works on this machine, and says what to do where it does not.

Checks that need the network are left out; each check is a function that returns findings, so that one that fails hides no other.
"""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, distributions, requires
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import wrap
from typing import TYPE_CHECKING

import click
from attrs import frozen

from drupe import __version__, loading, settings
from drupe.artifacts.repos import repo_for
from drupe.cli import formats
from drupe.cli.nouns import Verb, client, missing_store
from drupe.cli.output import Column, Form, chosen_form, print_list
from drupe.cli.tables import terminal_width, uses_colour
from drupe.entities import ViewType
from drupe.errors import DrupeError
from drupe.loading import State
from drupe.uris import ArtifactPath, Uri, redact

if TYPE_CHECKING:
    from drupe.client import Client
    from drupe.entities import Experiment

__all__ = ["Finding", "Verdict", "doctor"]

PYTHON_MIN = (3, 11)
LOW_DISK_BYTES, NO_DISK_BYTES = 1_000_000_000, 50_000_000
MARKS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


class Verdict(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@frozen
class Finding:
    """One line of the report; `advice` says what to do."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


@click.command(
    "doctor",
    cls=Verb,
    examples="""
        drupe doctor
        drupe doctor --tracking-uri sqlite:////data/team.db
        drupe doctor --json
    """,
)
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check that everything works, and say what to do where it does not.

    The exit code is 1 when a check fails; warnings do not count.
    """
    found: list[Finding] = []
    is_table = chosen_form() is Form.TABLE
    for one in _findings():
        found.append(one)
        if is_table:
            _print(one)
    if is_table:
        _print_sum(found)
    else:
        print_list(
            found,
            _COLUMNS,
            empty="",
            as_plain=lambda one: {"check": one.check, "verdict": one.verdict.value, "found": one.found, "advice": one.advice},
        )
    if any(one.verdict is Verdict.FAIL for one in found):
        ctx.exit(1)


def _findings() -> Iterator[Finding]:
    store, missing = client(), missing_store()
    checks: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("python", _python),
        ("releases", _releases),
        ("settings", _settings),
        ("plugins", _plugins),
        ("store", lambda: _no_store(missing) if missing else _store(store)),
        ("artifacts", lambda: () if missing else _artifacts(store)),
        ("disk", lambda: _disk([] if missing else store.search_experiments(max_results=200))),
        ("git", _git),
    ]
    for name, check in checks:
        try:
            yield from check()
        except DrupeError as fault:
            yield Finding(name, Verdict.FAIL, str(fault), "put this right first; the checks after it may depend on it")
        except Exception as fault:  # a plugin's code runs in these checks; the report must come to its end
            yield Finding(name, Verdict.FAIL, f"{type(fault).__name__}: {fault}", "this is a fault in the code: run drupe --debug doctor")


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON_MIN:
        yield Finding("python", Verdict.FAIL, f"{version} is too old", "use Python 3.11 or newer")
    else:
        yield Finding("python", Verdict.OK, f"{version} at {sys.executable}")


def _releases() -> Iterator[Finding]:
    found = {one.name: one.version for one in distributions() if (one.name or "").lower().replace("_", "-").startswith("drupe")}
    ours = {name: version for name, version in found.items() if name.lower().replace("_", "-") in _own_names()}
    others = {name: version for name, version in ours.items() if version != __version__}
    if others:
        names = ", ".join(f"{name} {version}" for name, version in sorted(others.items()))
        yield Finding("releases", Verdict.WARN, f"the kernel is {__version__}, but {names}", f"pip install -U {' '.join(sorted(ours))}")
    else:
        yield Finding(
            "releases",
            Verdict.OK,
            f"drupe {__version__}, {len(ours)} {'distribution' if len(ours) == 1 else 'distributions'} of one release",
        )


def _own_names() -> set[str]:
    """The distributions that are released together; a third party's plugin has releases of its own."""
    try:
        listed = requires("drupe") or []
    except PackageNotFoundError:
        listed = []
    return {"drupe", "drupe-kernel", *(line.split("=")[0].split(";")[0].strip() for line in listed)}


def _settings() -> Iterator[Finding]:
    current = settings.settings()
    for name, near in current.unknown_variables().items():
        advice = f"did you mean {near}?" if near else "see: drupe config list"
        yield Finding("settings", Verdict.WARN, f"the environment variable {name} means nothing here", advice)
    files = ", ".join(str(file) for file in current.files)
    yield Finding("settings", Verdict.OK, files or "no drupe.toml; defaults and environment")


def _plugins() -> Iterator[Finding]:
    found = loading.catalog().plugins
    for plugin in found:
        if plugin.state in (State.BROKEN, State.REFUSED):
            yield Finding(
                f"plugin {plugin.name}",
                Verdict.FAIL,
                f"{plugin.state.value}: {plugin.reason}",
                plugin.advice or f"drupe plugins check {plugin.name}",
            )
        for entry in plugin.entries if plugin.is_active else ():
            if entry.state != "ready":
                yield Finding(
                    f"plugin {plugin.name}", Verdict.WARN, f"{entry.offer.name}: {entry.state}", f"drupe plugins show {plugin.name}"
                )
    active = [plugin.name for plugin in found if plugin.is_active]
    yield Finding(
        "plugins",
        Verdict.OK if active else Verdict.FAIL,
        f"{len(active)} active: {', '.join(active)}" if active else "none is active",
        "" if active else "pip install drupe",
    )


def _store(store: Client) -> Iterator[Finding]:
    address = redact(store.tracking_uri)
    tracking = store.store
    store.search_experiments(ViewType.ALL, 1)
    store.search_runs(None, "", ViewType.ALL, 1)
    damage = tracking.find_damage()
    for fault in damage:
        advice = "drupe store verify lists all damage, drupe store repair keeps every row that can be read" if fault is damage[-1] else ""
        yield Finding("store", Verdict.FAIL, fault, advice)
    if not damage:
        size = tracking.size_bytes()
        yield Finding("store", Verdict.OK, f"{address} opens and reads well" + (f", {formats.size(size)}" if size is not None else ""))
    if redact(store.registry_uri) != address:
        store.search_registered_models(max_results=1)
        yield Finding("registry", Verdict.OK, f"{redact(store.registry_uri)} opens and reads well")


def _no_store(missing: Path) -> Iterator[Finding]:
    if os.access(missing.parent, os.W_OK):
        yield Finding("store", Verdict.OK, f"there is none yet: the first run makes {missing}")
    else:
        yield Finding(
            "store",
            Verdict.FAIL,
            f"{missing.parent} is read-only, so no store can be made here",
            "work elsewhere, or set DRUPE_TRACKING_URI",
        )


def _artifacts(store: Client) -> Iterator[Finding]:
    places = {_root_of(e.artifact_location, e.experiment_id) for e in store.search_experiments(max_results=200)}
    for place in sorted(places):
        name = ArtifactPath.parse(f".drupe-doctor-{uuid.uuid4().hex}")
        with TemporaryDirectory(prefix="drupe-") as folder:
            file = Path(folder) / "probe"
            file.write_bytes(b"written by drupe doctor\n")
            try:
                repo = repo_for(place)
                repo.put_file(file, name)
                repo.delete(name)
            except DrupeError as fault:
                yield Finding(
                    "artifacts", Verdict.FAIL, f"{place} cannot be written: {fault.message}", "make it writable, or set artifact_root"
                )
            else:
                yield Finding("artifacts", Verdict.OK, f"{place} can be written")


def _root_of(location: str, experiment_id: str) -> str:
    return location.removesuffix(f"/{experiment_id}") or location


def _disk(experiments: Iterable[Experiment]) -> Iterator[Finding]:
    folders = {Path.cwd()}
    for experiment in experiments:
        uri = Uri.parse(experiment.artifact_location, query=True)
        if uri.scheme == "file":
            folders.add(_existing(Path(uri.path)))
    by_device = {folder.stat().st_dev: folder for folder in sorted(folders, reverse=True)}
    for folder in by_device.values():
        free = shutil.disk_usage(folder).free
        verdict = Verdict.FAIL if free < NO_DISK_BYTES else Verdict.WARN if free < LOW_DISK_BYTES else Verdict.OK
        yield Finding(
            "disk",
            verdict,
            f"{formats.size(free)} free at {folder}",
            "" if verdict is Verdict.OK else "free some space before the next run",
        )


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _git() -> Iterator[Finding]:
    found = shutil.which("git")
    if found:
        yield Finding("git", Verdict.OK, found)
    else:
        yield Finding("git", Verdict.WARN, "not found, so runs do not record the commit of their code", "install git")


def _print(one: Finding) -> None:
    mark, colour = MARKS[one.verdict]
    sign = click.style(mark, fg=colour, bold=True) if uses_colour() else mark
    width = terminal_width()
    head = f"{sign} {one.check:<10} "
    lines = _wrapped(one.found, width)
    click.echo(head + f"\n{'':13}".join(lines), color=uses_colour())
    if one.advice:
        click.echo(f"{'':13}→ " + f"\n{'':15}".join(_wrapped(one.advice, width)), color=uses_colour())


def _wrapped(text: str, width: int | None) -> list[str]:
    lines = [formats.text(line) for line in text.splitlines()]
    return [part for line in lines for part in (wrap(line, max(30, width - 15), break_on_hyphens=False) if width else [line])] or [""]


def _print_sum(found: list[Finding]) -> None:
    fails = sum(one.verdict is Verdict.FAIL for one in found)
    warnings = sum(one.verdict is Verdict.WARN for one in found)
    parts = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in ((fails, "failure"), (warnings, "warning")) if count]
    click.echo()
    click.echo(" and ".join(parts) if parts else "everything works")


_COLUMNS: list[Column[Finding]] = [
    Column("check", lambda one: one.check),
    Column("verdict", lambda one: one.verdict.value),
    Column("found", lambda one: one.found),
    Column("advice", lambda one: one.advice),
]
