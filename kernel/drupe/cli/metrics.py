"""`drupe metrics`: the metrics of a run, and the history of one as table, CSV, JSON or a curve in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from drupe.cli import complete, formats, metric_columns
from drupe.cli.metric_columns import metric_rows
from drupe.cli.nouns import Noun, reader
from drupe.cli.output import Column, Form, chosen_form, note, plain, print_list
from drupe.cli.plot import Curve, chart
from drupe.cli.references import find_run
from drupe.cli.tables import terminal_width, uses_colour
from drupe.entities import Metric, Run, Series
from drupe.errors import InvalidValue, NotFound

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["metrics"]

TABLE_LIMIT = 50
DEFAULT_WIDTH = 80
WIDEST = 160


@click.group(
    cls=Noun,
    also={"get": "show"},
    examples="""
        drupe metrics list brave-plum-12
        drupe metrics show brave-plum-12 loss --plot
    """,
)
def metrics() -> None:
    """Show the metrics of runs, and draw their curves."""


@metrics.command(
    "list",
    examples="""
        drupe metrics list brave-plum-12
        drupe metrics list 3f2a91c0 --output csv
    """,
)
@click.argument("run", shell_complete=complete.runs)
def _list(run: str) -> None:
    """List the metrics of RUN: latest value, extremes, and the shape of each curve."""
    store = reader()
    found = find_run(store, run)
    shapes = metric_columns.shapes(store, found) if chosen_form() is Form.TABLE else {}
    columns = metric_columns.COLUMNS if chosen_form() is Form.TABLE else [c for c in metric_columns.COLUMNS if c.name != "shape"]
    print_list(metric_rows(found, shapes), columns, empty=f"run {found.info.run_name!r} has no metrics", as_plain=_plain_row)


@metrics.command(
    "show",
    examples="""
        drupe metrics show brave-plum-12 loss
        drupe metrics show brave-plum-12 loss val_loss --plot
        drupe metrics show baseline:loss brave-plum-12:loss --plot --log
        drupe metrics show 3f2a91c0 loss --output csv > loss.csv
    """,
)
@click.argument("curves", nargs=-1, required=True, metavar="RUN KEY... | RUN:KEY...", shell_complete=complete.curves)
@click.option("--plot", is_flag=True, help="Draw the curves in the terminal.")
@click.option("--log", "log_y", is_flag=True, help="Draw on a logarithmic scale.")
@click.option(
    "--x",
    "x_axis",
    type=click.Choice(["step", "time"]),
    default="step",
    show_default=True,
    help="What to draw over; time counts from the start of the run.",
)
@click.option("--height", type=click.IntRange(4, 100), default=16, show_default=True, help="Rows of the plot.")
@click.option("--width", type=click.IntRange(min=20), help="Characters across; the terminal's width if not given.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"At most the last N points; {TABLE_LIMIT} in a table, all as JSON or CSV, if not given.",
)
def _show(curves: tuple[str, ...], plot: bool, log_y: bool, x_axis: str, height: int, width: int | None, limit: int | None) -> None:
    """Show the history of a metric: every value with its step and time.

    Name one run and its metrics, or any number of RUN:KEY pairs.
    """
    store = reader()
    wanted = _wanted(store, curves)
    if plot or log_y:
        _plot(store, wanted, x_axis, log_y, height, width or min(terminal_width() or DEFAULT_WIDTH, WIDEST))
        return
    if limit is None and chosen_form() is Form.TABLE:
        limit = TABLE_LIMIT
    columns = _COLUMNS if len({run.info.run_id for run, _ in wanted}) > 1 else _COLUMNS[1:]
    columns = columns if len(wanted) > 1 or chosen_form() is not Form.TABLE else [c for c in columns if c.name != "key"]
    histories = {(run.info.run_id, key): store.get_metric_history(run.info.run_id, key) for run, key in wanted}
    points = [(run, metric) for run, key in wanted for metric in histories[run.info.run_id, key][-limit if limit else None :]]
    print_list(points, columns if chosen_form() is Form.TABLE else _COLUMNS, empty="no values", as_plain=_plain_point)
    longest = max(map(len, histories.values()))
    if chosen_form() is Form.TABLE and limit and longest > limit:
        note(f"the last {limit} of {longest} values; --limit N or --output csv shows more, --plot the curve")


def _wanted(store: Client, curves: Sequence[str]) -> list[tuple[Run, str]]:
    if ":" in curves[0]:
        parts = [curve.partition(":") for curve in curves]
        wrong = [curve for curve, (run, colon, key) in zip(curves, parts, strict=True) if not (run and colon and key)]
        if wrong:
            raise InvalidValue(f"{wrong[0]!r} is not of the form RUN:KEY, such as brave-plum-12:loss")
        runs = {name: find_run(store, name) for name in dict.fromkeys(run for run, _, _ in parts)}
        wanted = [(runs[run], key) for run, _, key in parts]
    else:
        run = find_run(store, curves[0])
        if len(curves) == 1:
            known = ", ".join(sorted(run.data.metrics)[:10]) or "none"
            raise click.UsageError(f"Which metric of {run.info.run_name!r}? It has {known}.")
        wanted = [(run, key) for key in curves[1:]]
    for run, key in wanted:
        _check_known(run, key)
    return wanted


def _check_known(run: Run, key: str) -> None:
    if key not in run.data.metrics:
        near = get_close_matches(key, run.data.metrics, n=1)
        known = sorted(run.data.metrics)
        has = f"it has {', '.join(known[:10])}{' …' if len(known) > 10 else ''}" if known else "it has none"
        raise NotFound(f"run {run.info.run_name!r} has no metric {key!r}; {f'did you mean {near[0]!r}?' if near else has}", key=key)


def _plot(store: Client, wanted: Sequence[tuple[Run, str]], x_axis: str, log_y: bool, height: int, width: int) -> None:
    found = [_series(store, run, key, width) for run, key in wanted]
    one_run = len({run.info.run_id for run, _ in wanted}) == 1
    one_key = len({key for _, key in wanted}) == 1
    seconds, unit = _unit(max(s.points.timestamps[-1] - run.info.start_time for (run, _), s in zip(wanted, found, strict=True)))
    curves = []
    for (run, key), series in zip(wanted, found, strict=True):
        label = key if one_run else run.info.run_name if one_key else f"{run.info.run_name}: {key}"
        curves.append(_curve(run, series, None if x_axis == "step" else seconds, f"{label}  {_in_words(run, key)}"))
    title = " and ".join(dict.fromkeys(key for _, key in wanted)) if one_key else ""
    heading = f"{title + ' of ' if title else ''}{wanted[0][0].info.run_name}" if one_run else title
    if heading:
        click.echo(formats.text(heading))
    x_label = "step" if x_axis == "step" else unit
    for line in chart(curves, width=width, height=height, colour=uses_colour(), x_label=x_label, log_y=log_y):
        click.echo(line, color=uses_colour())
    odd = sum(1 for series in found for _, _, value in series.points if value - value != 0)
    if odd:
        note(f"{odd} value{'s are' if odd > 1 else ' is'} NaN or infinite: gaps in the curve")


def _series(store: Client, run: Run, key: str, width: int) -> Series:
    found: Series = store.get_metric_series([run.info.run_id], [key], width * 2)[0]
    return found


def _curve(run: Run, series: Series, seconds: int | None, label: str) -> Curve:
    """Over steps, or over time since the start of the run in units of `seconds`."""
    if seconds is None:
        return Curve(formats.text(label), series.points.steps, series.points.values)
    points = sorted(series.points, key=lambda point: point[1])
    xs = [(timestamp - run.info.start_time) / 1000 / seconds for _, timestamp, _ in points]
    return Curve(formats.text(label), xs, [value for _, _, value in points])


def _unit(longest_ms: int) -> tuple[int, str]:
    for seconds, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if longest_ms > 2000 * seconds:
            return seconds, unit
    return 1, "seconds"


def _in_words(run: Run, key: str) -> str:
    summary = run.data.summaries.get(key)
    last = f"last {formats.number(run.data.metrics[key])}"
    if summary is None or summary.count < 2:
        return last
    return f"{last}, min {formats.number(summary.min)} at {summary.argmin}, max {formats.number(summary.max)} at {summary.argmax}"


def _plain_row(row: metric_columns.MetricRow) -> Any:
    latest = Metric(row.key, row.value, row.summary.last_timestamp if row.summary else 0, row.summary.last_step if row.summary else 0)
    return plain(latest) | (plain(row.summary) if row.summary else {})


def _plain_point(point: tuple[Run, Metric]) -> Any:
    run, metric = point
    return plain(metric) | {"run_id": run.info.run_id}


_COLUMNS: list[Column[tuple[Run, Metric]]] = [
    Column("run", lambda point: point[0].info.run_id, lambda run_id: run_id[:8], heading="RUN", keep=True),
    Column("key", lambda point: point[1].key, heading="METRIC"),
    Column("step", lambda point: point[1].step, formats.number, right=True, keep=True),
    Column("value", lambda point: point[1].value, formats.number, right=True, keep=True),
    Column.time("timestamp", lambda point: point[1].timestamp, heading="TIME"),
]
