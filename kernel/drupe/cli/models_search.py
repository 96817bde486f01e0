"""`drupe models search`: logged models by name, params, tags, and metrics on datasets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import click

from drupe.cli import complete, formats
from drupe.cli.nouns import Verb, pages, reader, shown_address
from drupe.cli.output import Column, Form, chosen_form, print_list
from drupe.cli.references import find_experiment, short_id
from drupe.entities import LoggedModel
from drupe.entities.metrics import rank
from drupe.models.card.content import number
from drupe.search import ModelOrder, OnDataset, parse_logged_models

__all__ = ["COLUMNS", "search", "short_model"]

TABLE_LIMIT = 50
METRICS_SHOWN = 3


@click.command(
    "search",
    cls=Verb,
    examples="""
        drupe models search "metrics.acc > 0.9 AND params.depth = '3'"
        drupe models search "metrics.acc > 0.9" --dataset customers-test --order-by "metrics.acc DESC"
        drupe models search "name = 'ranker' AND status = 'READY'" --json
    """,
)
@click.argument("filter", required=False, metavar="[FILTER]")
@click.option("-f", "--filter", "filter_option", metavar="FILTER", help="The same as an option.")
@click.option("-e", "--experiment", metavar="NAME", shell_complete=complete.experiments, help="Models of this experiment (name or id).")
@click.option(
    "-d", "--dataset", "datasets", multiple=True, metavar="NAME", help="Metrics of the filter are those measured on this dataset."
)
@click.option(
    "-o", "--order-by", multiple=True, metavar="KEY [DESC]", help="Sort by an attribute or metrics.NAME; newest first if not given."
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help=f"At most N; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given."
)
def search(
    filter: str | None,
    filter_option: str | None,
    experiment: str | None,
    datasets: tuple[str, ...],
    order_by: tuple[str, ...],
    limit: int | None,
) -> None:
    """Find logged models by name, type, status, params, tags and metrics; those of runs and those made elsewhere."""
    if filter and filter_option:
        raise click.UsageError("The filter is given twice.")
    store = reader()
    if limit is None and chosen_form() is Form.TABLE:
        limit = TABLE_LIMIT
    wanted = filter or filter_option
    query = parse_logged_models(wanted, list(map(_order, order_by)), [OnDataset(name) for name in datasets])
    ids = [find_experiment(store, experiment).experiment_id] if experiment else None
    found = pages(
        lambda size, token: store.store.search_logged_models(query, experiment_ids=ids, limit=size, page_token=token), limit=limit
    )
    where = f"experiment {experiment!r}" if experiment else shown_address(store)
    none = f"no logged models in {where}" if not wanted else f"no logged models in {where} match {wanted}"
    if chosen_form() is not Form.TABLE:
        print_list(found, COLUMNS, empty=none, limit=limit)
        return
    seen = list(found)
    print_list(seen, [*COLUMNS, *_metric_columns(seen, datasets)], empty=none, limit=limit)


def short_model(model_id: str) -> str:
    """The beginning of a logged model's id, enough to name it in nearly every store."""
    return model_id[:10]


def _order(text: str) -> ModelOrder:
    name, _, way = text.strip().rpartition(" ")
    if way.upper() in ("ASC", "DESC") and name:
        return ModelOrder(name.strip(), way.upper() == "ASC")
    return ModelOrder(text.strip())


def _metric_columns(models: Sequence[LoggedModel], datasets: tuple[str, ...]) -> list[Column[LoggedModel]]:
    counts: dict[str, int] = {}
    for model in models:
        for key in {one.key for one in model.metrics}:
            counts[key] = counts.get(key, 0) + 1
    keys = sorted(sorted(counts), key=lambda key: -counts[key])[:METRICS_SHOWN]
    return [
        Column(key, partial(_latest, key=key, datasets=datasets), _shown, heading=formats.text(key), right=True, rank=1) for key in keys
    ]


def _latest(model: LoggedModel, *, key: str, datasets: tuple[str, ...]) -> float | None:
    found = [one for one in model.metrics if one.key == key and (not datasets or one.dataset_name in datasets)]
    return max(found, key=lambda one: rank(one.step, one.timestamp, one.value)).value if found else None


def _shown(value: float | None) -> str:
    return "" if value is None else number(value)


COLUMNS: list[Column[LoggedModel]] = [
    Column("model_id", lambda model: model.model_id, short_model, heading="MODEL", keep=True),
    Column("name", lambda model: model.name, keep=True),
    Column("type", lambda model: model.model_type or ""),
    Column("run_id", lambda model: model.source_run_id or "", short_id, heading="RUN"),
    Column("status", lambda model: model.status.value, str.lower),
    Column.time("created", lambda model: model.creation_timestamp),
    Column("model_uri", lambda model: model.model_uri, in_table=False),
]
