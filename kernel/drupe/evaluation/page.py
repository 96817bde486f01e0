"""An evaluation as HTML, for notebooks: numbers, worst slices, pictures. Readable on light and dark pages; every text is escaped."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drupe.evaluation.results import EvaluationResult

__all__ = ["page_of"]

MAX_SLICES = 12
_STYLE = """<style>
.drupe-evaluation{font:13px/1.5 system-ui,sans-serif}
.drupe-evaluation table{border-collapse:collapse;margin:.4em 0 1em}
.drupe-evaluation td,.drupe-evaluation th{padding:.15em .9em .15em 0;text-align:left;background:none;color:inherit;border:0;border-bottom:1px solid rgba(128,128,128,.35)}
.drupe-evaluation .n{text-align:right;font-variant-numeric:tabular-nums}
.drupe-evaluation .pictures{display:flex;flex-wrap:wrap;gap:10px}
.drupe-evaluation img{width:380px;max-width:100%;height:auto;background:#fff;border-radius:6px}
.drupe-evaluation .dim{opacity:.7}
</style>"""


def page_of(result: EvaluationResult) -> str:
    """The part of a page that shows this result."""
    parts = [_STYLE, '<div class="drupe-evaluation">', _metrics(result)]
    table = result.tables.get("slice_metrics") if "slice_metrics" in result.artifacts else None
    if table is not None and len(table):
        parts.append(_slices(table))
    if result.failures:
        rows = "".join(f"<li><b>{escape(name)}</b>: {escape(reason)}</li>" for name, reason in result.failures.items())
        parts.append(f"<div>Could not be evaluated:<ul>{rows}</ul></div>")
    pictures = [(name, one.raw) for name, one in result.artifacts.items() if one.file_name.endswith(".png")]
    if pictures:
        shown = "".join(
            f'<img alt="{escape(name, quote=True)}" src="data:image/png;base64,{b64encode(raw).decode()}">' for name, raw in pictures
        )
        parts.append(f'<div class="pictures">{shown}</div>')
    if result.run_id:
        parts.append(f'<div class="dim">run {escape(result.run_id)}</div>')
    return "".join([*parts, "</div>"])


def _metrics(result: EvaluationResult) -> str:
    before = result.baseline.metrics if result.baseline is not None else {}
    head = "<tr><th>metric</th><th class=n>value</th>" + ("<th class=n>baseline</th>" if before else "") + "</tr>"
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td class=n>{_number(value)}</td>"
        + (f"<td class=n>{_number(before.get(name))}</td>" if before else "")
        + "</tr>"
        for name, value in result.metrics.items()
    )
    return f"<table>{head}{rows}</table>"


def _slices(table: Any) -> str:
    shown = table.head(MAX_SLICES)
    columns = [name for name in shown.columns if not str(name).endswith(("_low", "_high"))]
    head = "".join(f"<th>{escape(str(name))}</th>" for name in columns)
    rows = "".join("<tr>" + "".join(_cell(row[name]) for name in columns) + "</tr>" for _, row in shown.iterrows())
    rest = f"<div class=dim>{len(table) - len(shown)} more in slice_metrics</div>" if len(table) > len(shown) else ""
    return f"<div>Slices, worst first</div><table><tr>{head}</tr>{rows}</table>{rest}"


def _cell(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td class=n>{_number(value)}</td>" if is_number else f"<td>{escape(str(value))}</td>"


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e12 else f"{value:.6g}"
