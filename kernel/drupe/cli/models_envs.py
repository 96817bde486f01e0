"""`drupe models envs`: the environments of models that are kept on this machine, and how those that nobody uses are removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from drupe import lazy
from drupe.cli import formats
from drupe.cli.nouns import Verb
from drupe.cli.output import Column, print_list, say

if TYPE_CHECKING:
    from drupe.models.environments import KeptEnvironment

__all__ = ["envs"]


@click.command(
    "envs",
    cls=Verb,
    store=False,
    examples="""
        drupe models envs
        drupe models envs --prune --unused-days 30
    """,
)
@click.option("--prune", is_flag=True, help="Remove environments, and what was left half made.")
@click.option(
    "--unused-days", type=click.FloatRange(min=0), default=None, metavar="N", help="With --prune: only those not used for N days."
)
def envs(prune: bool, unused_days: float | None) -> None:
    """List the environments that are kept for models, the one used last first, or remove them with --prune.

    An environment that a process uses just now stays. A model whose environment was removed gets a new one when it needs it.
    """
    if unused_days is not None and not prune:
        raise click.UsageError("--unused-days goes with --prune.")
    if prune:
        before = datetime.now(UTC) - timedelta(days=unused_days or 0)
        removed, in_use = lazy.load("drupe.models.environments:prune_environments")(lambda one: one.used_at <= before)
        freed = formats.size(sum(one.size_bytes for one in removed))
        stays = f"; {len(in_use)} in use stay" if in_use else ""
        say(f"removed {len(removed)} environment{'' if len(removed) == 1 else 's'}, {freed}{stays}")
        return
    found = lazy.load("drupe.models.environments:kept_environments")()
    where = lazy.load("drupe.models.environments:kept_root")()
    print_list(iter(found), _COLUMNS, empty=f"no environments in {where}", limit=None, as_plain=_plain)


def _plain(one: KeptEnvironment) -> dict[str, Any]:
    times = {"made_at": one.made_at.isoformat(), "used_at": one.used_at.isoformat()}
    return {**one.about, "key": one.key, "path": str(one.path), "size_bytes": one.size_bytes, **times}


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


_COLUMNS: list[Column[KeptEnvironment]] = [
    Column("key", lambda one: one.key, lambda key: key[:12], keep=True),
    Column("manager", lambda one: one.about["manager"]),
    Column("python", lambda one: one.about["python"]),
    Column("requirements", lambda one: one.about["requirements"], lambda lines: ", ".join(line.partition(" --hash")[0] for line in lines)),
    Column("locked", lambda one: one.about["locked"], lambda locked: "yes" if locked else ""),
    Column("size_bytes", lambda one: one.size_bytes, formats.size, heading="SIZE"),
    Column.time("made_at", lambda one: _ms(one.made_at)),
    Column.time("used_at", lambda one: _ms(one.used_at)),
    Column("path", lambda one: str(one.path), in_table=False),
]
