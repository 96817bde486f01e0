"""What the shell offers after a TAB: names and ids from the store, each with a word of help.

A completion never complains: whatever goes wrong while the store is asked, nothing is offered. The scripts themselves are printed by
`drupe completion`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from drupe.cli import formats
from drupe.cli.nouns import client, missing_store
from drupe.cli.references import find_run
from drupe.entities import Run, ViewType

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["aliases", "curves", "experiments", "models", "run_paths", "runs", "versions"]

OFFERED = 50
Offers = Iterable[tuple[str, str]]
Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completion(offers: Callable[[Client, click.Context, str], Offers]) -> Completion:
    @wraps(offers)
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            if missing_store(ctx):
                return []
            found = [(value, help) for value, help in offers(client(ctx), ctx, incomplete) if value.startswith(incomplete)]
        except Exception:  # a store of any plugin is asked while the person types; a trace over the prompt helps nobody
            return []
        return [CompletionItem(value, help=formats.text(help)) for value, help in found[:OFFERED]]

    return complete


@_completion
def experiments(store: Client, ctx: click.Context, incomplete: str) -> Offers:
    """Names of experiments."""
    return [(e.name, f"experiment {e.experiment_id}") for e in store.search_experiments(view_type=ViewType.ALL, max_results=1000)]


@_completion
def runs(store: Client, ctx: click.Context, incomplete: str) -> Offers:
    """Ids of runs, newest first; once something is typed, names too."""
    return [*_run_ids(store, incomplete), *(_run_names(store, incomplete) if incomplete else ())]


@_completion
def curves(store: Client, ctx: click.Context, incomplete: str) -> Offers:
    """A run, the metrics of the run before, or `RUN:KEY`."""
    named = tuple(ctx.params.get("curves") or ())
    if named and ":" not in named[0]:
        return _keys_of(store, named[0])
    run, colon, _ = incomplete.partition(":")
    if colon:
        return [(f"{run}:{key}", help) for key, help in _keys_of(store, run)]
    return [*_run_ids(store, incomplete), *(_run_names(store, incomplete) if incomplete else ())]


@_completion
def models(store: Client, ctx: click.Context, incomplete: str) -> Offers:
    """Names of registered models."""
    return [(model.name, model.description) for model in store.search_registered_models(max_results=1000)]


@_completion
def versions(store: Client, ctx: click.Context, incomplete: str) -> Offers:
    """Versions of the model that was named before."""
    found = store.search_model_versions(f"name = '{ctx.params['name']}'", max_results=OFFERED)
    return [(version.version, version.description) for version in found]


@_completion
def aliases(store: Client, ctx: click.Context, incomplete: str) -> Offers:
    """Aliases of the model that was named before."""
    return [(alias, f"version {version}") for alias, version in store.get_registered_model(ctx.params["name"]).aliases.items()]


@_completion
def run_paths(store: Client, ctx: click.Context, incomplete: str) -> Offers:
    """A run, then the paths of its artifacts."""
    run, slash, path = incomplete.partition("/")
    if not slash:
        return [(f"{run_id}/", help) for run_id, help in [*_run_ids(store, run), *(_run_names(store, run) if run else ())]]
    folder = path.rpartition("/")[0]
    found = store.list_artifacts(find_run(store, run).info.run_id, folder or None)
    return [(f"{run}/{file.path}{'/' if file.is_dir else ''}", formats.size(file.file_size)) for file in found]


def _run_ids(store: Client, incomplete: str) -> Iterator[tuple[str, str]]:
    condition = f"attributes.run_id LIKE '{incomplete}%'" if incomplete else ""
    for run in _newest(store, condition):
        yield run.info.run_id, f"{run.info.run_name}, {formats.age(run.info.start_time)}"


def _run_names(store: Client, incomplete: str) -> Iterator[tuple[str, str]]:
    for run in _newest(store, f"attributes.run_name LIKE '{incomplete}%'"):
        yield run.info.run_name, f"{run.info.run_id[:8]}, {formats.age(run.info.start_time)}"


def _newest(store: Client, condition: str) -> list[Run]:
    return list(store.search_runs(None, condition, ViewType.ACTIVE_ONLY, OFFERED))


def _keys_of(store: Client, named: str) -> Offers:
    return [(key, formats.number(value)) for key, value in sorted(find_run(store, named).data.metrics.items())]
