"""The columns in which the metrics of a run are listed: latest value, extremes with their steps, and the shape of the curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from drupe.cli import formats
from drupe.cli.output import Column
from drupe.cli.plot import sparkline
from drupe.entities import MetricSummary, Run

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["COLUMNS", "MetricRow", "metric_rows", "shapes"]

SHAPE_WIDTH = 16


@frozen
class MetricRow:
    """One metric of a run; `shape` is a sparkline."""

    key: str
    value: float
    summary: MetricSummary | None
    shape: str = ""


def metric_rows(run: Run, shapes: Mapping[str, str] | None = None) -> list[MetricRow]:
    """The metrics of a run by name."""
    return [
        MetricRow(key, value, run.data.summaries.get(key), (shapes or {}).get(key, "")) for key, value in sorted(run.data.metrics.items())
    ]


def shapes(client: Client, run: Run) -> dict[str, str]:
    """A sparkline of every metric that has more than one point."""
    keys = [key for key, summary in run.data.summaries.items() if summary.count > 1]
    if not keys:
        return {}
    found = client.get_metric_series([run.info.run_id], keys, SHAPE_WIDTH)
    return {series.key: sparkline(series.points.values, SHAPE_WIDTH) for series in found}


def _number(name: str) -> Column[MetricRow]:
    return Column(name, lambda row: getattr(row.summary, name) if row.summary else None, formats.number, right=True)


COLUMNS: list[Column[MetricRow]] = [
    Column("key", lambda row: row.key, heading="METRIC", keep=True),
    Column("value", lambda row: row.value, formats.number, heading="LAST", right=True, keep=True),
    Column("step", lambda row: row.summary.last_step if row.summary else None, formats.number, right=True),
    Column("shape", lambda row: row.shape, heading="CURVE", keep=True),
    _number("min"),
    _number("max"),
    _number("mean"),
    _number("first"),
    Column("count", lambda row: row.summary.count if row.summary else None, formats.number, heading="POINTS", right=True),
    Column("argmin", lambda row: row.summary.argmin if row.summary else None, formats.number, heading="MIN AT", right=True),
    Column("argmax", lambda row: row.summary.argmax if row.summary else None, formats.number, heading="MAX AT", right=True),
]
