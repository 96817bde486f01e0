"""`drupe status`: where runs and models are kept, how much there is, which plugins are active, and which settings are in force."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from drupe import loading, settings
from drupe.cli import formats
from drupe.cli.nouns import Verb, client, missing_store, tracking_uri
from drupe.cli.output import Form, chosen_form, print_csv, print_json
from drupe.cli.tables import Cell, card
from drupe.entities import LifecycleStage, ViewType
from drupe.errors import DrupeError, StoreError
from drupe.search import Kind, parse
from drupe.tracking.address import get_tracking_uri, tracking_store
from drupe.tracking.journal.places import journals_root
from drupe.tracking.offline import OfflineStore
from drupe.tracking.sync import Waiting, waiting_in
from drupe.uris import redact

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["status"]

MOST_TROUBLES = 10
NOT_YET = {"exists": False, "reachable": True}  # looking makes no store; the first run does


@click.command(
    "status",
    cls=Verb,
    examples="""
        drupe status
        drupe status --tracking-uri sqlite:////data/team.db --json
    """,
)
@click.pass_context
def status(ctx: click.Context) -> None:
    """Show where runs and models are kept, how much there is, and what is active.

    The exit code is 1 when the store cannot be reached.
    """
    catalog = loading.catalog()
    store = client()
    facts: dict[str, Any] = {"tracking_uri": redact(tracking_uri(ctx) or get_tracking_uri()), "tracking_uri_from": _source(ctx)}
    facts |= {"registry_uri": redact(store.registry_uri)}
    facts |= NOT_YET if missing_store(ctx) else {"exists": True, **_store_facts(store)}
    facts["offline"] = bool(settings.settings().get("offline"))
    facts["waiting"] = [_plain_waiting(one) for one in waiting_in(journals_root(tracking_uri(ctx) or get_tracking_uri()))]
    facts["plugins"] = {plugin.name: plugin.state.value for plugin in catalog.plugins}
    facts["settings"] = {one.key: {"value": settings.shown(one.key, one.value), "source": one.source} for one in _set_by_somebody()}
    if chosen_form() is Form.JSON:
        print_json(facts)
    elif chosen_form() is Form.CSV:
        print_csv(["fact", "value"], [(key, value) for key, value in facts.items() if not isinstance(value, dict)])
    else:
        _draw(facts)
    if not facts["reachable"]:
        ctx.exit(1)


def _source(ctx: click.Context) -> str:
    if tracking_uri(ctx):
        return "--tracking-uri"
    return settings.settings().value("tracking_uri").source


def _store_facts(store: Client) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        tracking = tracking_store(store.tracking_uri)
        if isinstance(tracking, OfflineStore):
            return {"reachable": False, "fault": "the setting `offline` keeps this process from asking it"}
        experiments = tracking.search_experiments(parse(Kind.EXPERIMENTS), view=ViewType.ALL, limit=50_000)
        facts: dict[str, Any] = {
            "reachable": True,
            "opened_ms": round((time.perf_counter() - started) * 1000, 1),
            "size_bytes": tracking.size_bytes(),
        }
        facts["experiments"] = sum(1 for one in experiments if one.lifecycle_stage is LifecycleStage.ACTIVE)
        facts["experiments_deleted"] = len(experiments) - facts["experiments"]
        store.look_after_runs()
        facts["runs"] = tracking.count_runs(parse(Kind.RUNS))
        facts["runs_running"] = tracking.count_runs(parse(Kind.RUNS, "status = 'RUNNING'"))
        facts["runs_deleted"] = tracking.count_runs(parse(Kind.RUNS), view=ViewType.DELETED_ONLY)
        models = store.search_registered_models(max_results=1000)
        facts["registered_models"] = len(models)
        facts["has_more_models"] = models.token is not None
    except StoreError as fault:
        return {"reachable": False, "fault": str(fault)}
    except DrupeError as fault:
        return {"reachable": False, "fault": fault.message}
    return facts


def _set_by_somebody() -> list[settings.Setting]:
    return [one for one in settings.settings() if one.source != "default" and one.key != "tracking_uri"]


def _draw(facts: dict[str, Any]) -> None:
    states: dict[str, list[str]] = {}
    for name, state in facts["plugins"].items():
        states.setdefault(state, []).append(name)
    rows: list[tuple[str, Any]] = [
        ("store", facts["tracking_uri"]),
        ("set by", facts["tracking_uri_from"]),
        ("registry", facts["registry_uri"] if facts["registry_uri"] != facts["tracking_uri"] else "the same"),
        ("reachable", _reachable(facts)),
    ]
    if "runs" in facts:
        rows += [
            ("size", formats.size(facts["size_bytes"])),
            ("experiments", _with(facts["experiments"], deleted=facts["experiments_deleted"])),
            ("runs", _with(facts["runs"], running=facts["runs_running"], deleted=facts["runs_deleted"])),
            ("models", f"{facts['registered_models']}{' or more' if facts['has_more_models'] else ''} registered"),
        ]
    rows += _waiting_rows(facts["waiting"])
    for state, names in sorted(states.items()):
        style = "" if state == "active" else "red" if state in ("broken", "refused") else "yellow"
        rows.append((f"plugins {state}", Cell(", ".join(sorted(names)), style=style)))
    rows += [(f"set {key}", f"{told['value']}  ({told['source']})") for key, told in facts["settings"].items()]
    card(rows)


def _plain_waiting(one: Waiting) -> dict[str, Any]:
    return {
        "run_id": one.run_id,
        "bytes": one.bytes,
        "files": one.files,
        "is_alive": one.is_alive,
        "since_ms": one.since_ms,
        "reason": one.reason,
        "folder": str(one.folder),
    }


def _waiting_rows(waiting: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """What is logged and not in the store: of runs that are at work, and of others, which `drupe sync` ships."""
    rows: list[tuple[str, Any]] = []
    alive, left = [one for one in waiting if one["is_alive"]], [one for one in waiting if not one["is_alive"]]
    if alive:
        rows.append(("logging now", f"{len(alive)} run{'s' if len(alive) > 1 else ''}"))
    if left:
        size = formats.size(sum(one["bytes"] for one in left))
        rows.append(("to be shipped", Cell(f"{len(left)} run{'s' if len(left) > 1 else ''}, {size}: drupe sync", style="yellow")))
    return rows + [
        (f"run {one['run_id'][:8]}", Cell(f"since {formats.moment(one['since_ms'])}: {one['reason']}", style="red"))
        for one in [one for one in waiting if one["reason"]][:MOST_TROUBLES]
    ]


def _reachable(facts: dict[str, Any]) -> Cell:
    if not facts["exists"]:
        return Cell("there is no store yet: the first run makes it", style="yellow")
    return Cell("yes", style="green") if facts["reachable"] else Cell(f"no: {facts['fault']}", style="red")


def _with(count: int, **parts: int) -> str:
    told = [f"{number} {word}" for word, number in parts.items() if number]
    return f"{count}" + (f" ({', '.join(told)})" if told else "")
