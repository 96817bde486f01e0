"""An evaluation as a part of a notebook's page: numbers, thresholds and whether they are met, worst slices, pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drupe.notebook.html import Cell, fold, frame, note, number, picture, table

if TYPE_CHECKING:
    from drupe.evaluation.results import EvaluationResult

__all__ = ["page_of"]

MAX_SLICES = 12
MAX_PICTURE_BYTES, MAX_PICTURES_BYTES = 400_000, 1_500_000  # a notebook's file keeps what it shows; the rest is named


def page_of(result: EvaluationResult) -> str:
    """The part of a page that shows this result."""
    slices = result.tables.get("slice_metrics") if "slice_metrics" in result.artifacts else None
    failures = list(result.failures.items())
    missed = sum(not check.passed for check in result.checks)
    verdict = f"; {missed} of {len(result.checks)} thresholds missed" if missed else "; all thresholds met" if result.checks else ""
    about = " · ".join(f"{word} {told}" for word, told in (("run", result.run_id), ("model", result.model_id)) if told)
    return frame(
        "evaluation",
        f"Evaluation{verdict}",
        about,
        [
            _metrics(result),
            _checks(result),
            "" if slices is None or not len(slices) else _slices(slices),
            fold("Could not be evaluated", len(failures), table(("what", "why"), failures)),
            *_pictures(result),
        ],
    )


def _metrics(result: EvaluationResult) -> str:
    before = result.baseline.metrics if result.baseline is not None else {}
    rows = [[name, value, *([before.get(name)] if before else [])] for name, value in result.metrics.items()]
    return fold("Metrics", len(rows), table(("metric", "value", *(["baseline"] if before else [])), rows, numbers=(1, 2)))


def _checks(result: EvaluationResult) -> str:
    rows: list[list[Cell]] = [
        [check.metric, check.rule, check.value, check.baseline, "✓ met" if check.passed else "✗ missed", check.reason]
        for check in result.checks
    ]
    return fold("Thresholds", len(rows), table(("metric", "must be", "value", "baseline", "", "why"), rows, numbers=(2, 3)))


def _slices(found: Any) -> str:
    columns = [name for name in found.columns if not str(name).endswith(("_low", "_high"))]
    rows = [[_cell(row[name]) for name in columns] for _, row in found.head(MAX_SLICES).iterrows()]
    numbers = [place for place in range(len(columns)) if rows and all(not isinstance(row[place], str) for row in rows)]
    rest = note(f"{len(found) - len(rows)} more in slice_metrics") if len(found) > len(rows) else ""
    return fold("Slices, worst first", len(found), table([str(name) for name in columns], rows, numbers=numbers) + rest, is_open=True)


def _cell(value: Any) -> Cell:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return number(value.item()) if hasattr(value, "item") and isinstance(value.item(), int | float) else str(value)


def _pictures(result: EvaluationResult) -> list[str]:
    shown, left, size = [], [], 0
    for name, one in result.artifacts.items():
        if not one.file_name.lower().endswith(".png"):
            continue
        if len(one.raw) > MAX_PICTURE_BYTES or size + len(one.raw) > MAX_PICTURES_BYTES:
            left.append(name)
            continue
        size += len(one.raw)
        shown.append(picture(name, one.raw))
    return [f"<div>{''.join(shown)}</div>" if shown else "", note(f"Too large to be shown here: {', '.join(left)}") if left else ""]
