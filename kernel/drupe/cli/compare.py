"""`drupe runs compare`: params, metrics and tags of several runs side by side.

A row that is not the same in all runs is marked with `≠`, the best value of a metric with `★` where it is known whether high or low is good: from
words in its name (loss, accuracy, …) or from `--best`. Many runs are shown in several blocks.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from attrs import frozen

from drupe.cli import complete, formats
from drupe.cli.nouns import Verb, reader
from drupe.cli.output import Form, chosen_form, note, print_csv, print_json, say
from drupe.cli.references import experiment_labels, find_runs, short_id
from drupe.cli.run_columns import STATUS_STYLES, length_ms, shown_status
from drupe.cli.tables import Cell, Heading, draw, terminal_width
from drupe.entities import Run, Stat
from drupe.errors import InvalidValue
from drupe.extend.pairs import read_pairs

__all__ = ["Row", "compare", "goal_of", "rows_of"]

VALUE_WIDTH, VALUE_WIDTH_MIN, CHANGE_WIDTH = 26, 16, 22
MISSING = "–"
LOW_IS_GOOD = frozenset(
    [
        "loss",
        "error",
        "err",
        "errors",
        "mse",
        "rmse",
        "mae",
        "mape",
        "smape",
        "msle",
        "rmsle",
        "medae",
        "nll",
        "perplexity",
        "ppl",
        "logloss",
        "brier",
        "deviance",
        "regret",
        "cost",
        "time",
        "latency",
        "seconds",
        "duration",
        "wer",
        "cer",
        "fid",
        "divergence",
        "misclassification",
        "aic",
        "bic",
        "inertia",
        "residual",
        "fpr",
        "fnr",
    ]
)
HIGH_IS_GOOD = frozenset(
    [
        "acc",
        "accuracy",
        "auc",
        "auroc",
        "auprc",
        "roc",
        "f1",
        "fbeta",
        "precision",
        "recall",
        "r2",
        "score",
        "map",
        "ndcg",
        "mrr",
        "bleu",
        "rouge",
        "iou",
        "dice",
        "jaccard",
        "sensitivity",
        "specificity",
        "gain",
        "reward",
        "throughput",
        "likelihood",
        "silhouette",
        "kappa",
        "mcc",
        "ap",
        "tpr",
        "tnr",
        "lift",
        "correlation",
        "pearson",
        "spearman",
    ]
)


@frozen
class Row:
    """One compared key: its values in the order of the runs (None where a run lacks it), whether they differ, and which are best."""

    section: str
    key: str
    values: tuple[Any, ...]
    differs: bool
    goal: str | None = None
    best: tuple[int, ...] = ()


@click.command(
    "compare",
    cls=Verb,
    examples="""
        drupe runs compare 3f2a91c0 77b0c1d2
        drupe runs compare baseline brave-plum-12 wild-fig-3 --diff-only
        drupe runs compare 3f2a91c0 77b0c1d2 --stat min --best churned=min
        drupe runs compare 3f2a91c0 77b0c1d2 --output csv > comparison.csv
    """,
)
@click.argument("named", nargs=-1, required=True, metavar="RUN RUN...", shell_complete=complete.runs)
@click.option("--all/--diff-only", "everything", default=None, help="Also system tags, or only rows that differ.")
@click.option("--stat", type=click.Choice([s.value for s in Stat]), default="last", show_default=True, help="Which value of each metric.")
@click.option(
    "--best", "goals", multiple=True, metavar="KEY=min|max", help="Whether low or high is good for a metric, where its name does not say."
)
def compare(named: tuple[str, ...], everything: bool | None, stat: str, goals: tuple[str, ...]) -> None:
    """Show two or more runs side by side.

    Rows that differ are marked with ≠, the best value of a metric with ★.
    """
    if len(named) < 2:
        raise click.UsageError("Comparing needs at least two runs.")
    store = reader()
    runs = find_runs(store, named)
    rows = rows_of(runs, Stat(stat), _goals(goals), system_tags=everything is True)
    if everything is False:
        rows = [row for row in rows if row.differs]
    form = chosen_form()
    if form is Form.JSON:
        print_json(_plain(runs, rows))
    elif form is Form.CSV:
        print_csv(
            ["section", "key", "differs", *(run.info.run_id for run in runs)], ([r.section, r.key, int(r.differs), *r.values] for r in rows)
        )
    else:
        _draw(runs, rows, experiment_labels(store))


def rows_of(runs: Sequence[Run], stat: Stat = Stat.LAST, goals: Mapping[str, str] | None = None, *, system_tags: bool = False) -> list[Row]:
    """The compared rows: params, then metrics, then tags, each by name."""
    rows = [_row("params", key, [run.data.params.get(key) for run in runs]) for key in _keys(runs, "params")]
    for key in _keys(runs, "metrics"):
        values = [_value(run, key, stat) for run in runs]
        goal = (goals or {}).get(key) or goal_of(key)
        rows.append(_row("metrics", key, values, goal, _best(values, goal)))
    tags = [key for key in _keys(runs, "tags") if system_tags or not key.startswith("mlflow.")]
    return rows + [_row("tags", key, [run.data.tags.get(key) for run in runs]) for key in tags]


def goal_of(key: str) -> str | None:
    """`min` or `max` when the words of a metric's name say what is good, else None; `neg` turns it round as in scikit-learn's scorers."""
    words = [word for word in re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()) if word]
    goal = "min" if LOW_IS_GOOD.intersection(words) else "max" if HIGH_IS_GOOD.intersection(words) else None
    if goal and "neg" in words:
        return "max" if goal == "min" else "min"
    return goal


def _goals(texts: tuple[str, ...]) -> dict[str, str]:
    goals = read_pairs(texts)
    for key, goal in goals.items():
        if goal not in ("min", "max"):
            raise InvalidValue(f"--best {key}={goal} is neither {key}=min nor {key}=max")
    return goals


def _row(section: str, key: str, values: Sequence[Any], goal: str | None = None, best: tuple[int, ...] = ()) -> Row:
    shown = [repr(value) for value in values]  # so that NaN equals NaN
    differs = len(set(shown)) > 1
    return Row(section, key, tuple(values), differs, goal, best if differs else ())


def _value(run: Run, key: str, stat: Stat) -> float | int | None:
    if key not in run.data.metrics:
        return None
    summary = run.data.summaries.get(key)
    if stat is Stat.LAST or summary is None:
        return run.data.metrics[key] if stat is Stat.LAST else None
    found: float | int = getattr(summary, stat.value)
    return found


def _best(values: Sequence[float | int | None], goal: str | None) -> tuple[int, ...]:
    known = [value for value in values if value is not None and not math.isnan(value)]
    if goal is None or not known:
        return ()
    best = min(known) if goal == "min" else max(known)
    return tuple(index for index, value in enumerate(values) if value == best)


def _keys(runs: Sequence[Run], part: str) -> list[str]:
    return sorted({key for run in runs for key in getattr(run.data, part)})


def _plain(runs: Sequence[Run], rows: Sequence[Row]) -> dict[str, Any]:
    def number(value: Any) -> Any:
        return (
            str(value).replace("nan", "NaN").replace("inf", "Infinity") if isinstance(value, float) and not math.isfinite(value) else value
        )

    form: dict[str, Any] = {"runs": [{"run_id": run.info.run_id, "run_name": run.info.run_name} for run in runs]}
    for section in ("params", "metrics", "tags"):
        form[section] = [
            {"key": row.key, "differs": row.differs, "values": [number(value) for value in row.values]}
            | ({"goal": row.goal, "best": [runs[index].info.run_id for index in row.best]} if row.best else {})
            for row in rows
            if row.section == section
        ]
    return form


def _draw(runs: Sequence[Run], rows: Sequence[Row], experiments: Mapping[str, str]) -> None:
    key_width = max([10, *(formats.cells(row.key) for row in rows)])
    whole = (terminal_width() or 1_000_000) - key_width - 5
    for has_change in (len(runs) == 2 and any(row.section == "metrics" for row in rows), False):  # rather no change than no side by side
        room = whole - (CHANGE_WIDTH if has_change else 0)
        width = max(VALUE_WIDTH_MIN, min(VALUE_WIDTH, room // len(runs) - 2))  # rather shorter values than runs below each other
        blocks = _blocks(runs, rows, room, width)
        if len(blocks) == 1:
            break
    for block in blocks:
        if len(blocks) > 1:
            note(f"runs {block[0] + 1} to {block[-1] + 1} of {len(runs)}" if len(block) > 1 else f"run {block[0] + 1} of {len(runs)}")
        _draw_block(runs, block, rows, experiments, has_change, width)
        if block is not blocks[-1]:
            click.echo()
    if not any(row.differs for row in rows):
        say("these runs do not differ in params, metrics or tags")
    goals = _named_goals(rows)
    click.echo()
    note("≠ differs" + (f"   ★ best ({goals})" if goals else ""))


def _named_goals(rows: Sequence[Row]) -> str:
    parts = []
    for goal, word in (("min", "low"), ("max", "high")):
        keys = [row.key for row in rows if row.best and row.goal == goal]
        if keys:
            parts.append(f"{word} is good for {', '.join(keys[:4])}{' …' if len(keys) > 4 else ''}")
    return "; ".join(parts)


def _blocks(runs: Sequence[Run], rows: Sequence[Row], room: int, most: int) -> list[list[int]]:
    blocks: list[list[int]] = [[]]
    left = room
    for index, run in enumerate(runs):
        shown = [formats.cells(formats.text(row.values[index])) + 2 for row in rows]
        width = min(most, max([formats.cells(run.info.run_name), 12, *shown])) + 2
        if width > left and blocks[-1]:
            blocks.append([])
            left = room
        blocks[-1].append(index)
        left -= width
    return blocks


def _draw_block(
    runs: Sequence[Run], block: Sequence[int], rows: Sequence[Row], experiments: Mapping[str, str], has_change: bool, width: int
) -> None:
    headings = [Heading("", keep=True), *(Heading(_short(runs[i].info.run_name, width), right=True, keep=True) for i in block)]
    headings += [Heading("CHANGE", right=True)] if has_change else []
    drawn: list[list[Cell] | str] = ["run"]
    drawn += [
        [Cell(f"  {name}", style="dim"), *(read(runs[i]) for i in block), *_no_change(has_change)]
        for name, read in _about(experiments, width)
    ]
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            drawn.append(section)
        cells = [_cell(row, index, width) for index in block]
        change = [Cell(_change(row), style="dim")] if has_change else []
        drawn.append([Cell(f"{'≠' if row.differs else ' '} {row.key}", style="yellow" if row.differs else ""), *cells, *change])
    draw(headings, drawn)


def _about(experiments: Mapping[str, str], width: int) -> list[tuple[str, Callable[[Run], Cell]]]:
    return [
        ("id", lambda run: Cell(short_id(run.info.run_id))),
        ("experiment", lambda run: Cell(_short(experiments.get(run.info.experiment_id, run.info.experiment_id), width))),
        ("status", lambda run: Cell(shown_status(run), style=STATUS_STYLES[run.info.status])),
        ("started", lambda run: Cell(formats.age(run.info.start_time))),
        ("duration", lambda run: Cell(formats.duration(length_ms(run)) or "still running")),
    ]


def _cell(row: Row, index: int, width: int) -> Cell:
    value = row.values[index]
    if value is None:
        return Cell(MISSING, style="dim")
    if index in row.best:
        return Cell(f"★ {formats.number(value)}", style="bold green")
    return Cell(formats.number(value) if row.section == "metrics" else _short(formats.text(value), width))


def _short(text: str, width: int) -> str:
    return formats.shorten(formats.text(text), width) if terminal_width() is not None else formats.text(text)


def _no_change(has_change: bool) -> list[Cell]:
    return [Cell("")] if has_change else []


def _change(row: Row) -> str:
    first, second = row.values
    if row.section != "metrics" or not row.differs or first is None or second is None or not math.isfinite(second - first):
        return ""
    change = formats.number(float(second - first))
    sign = "" if change.startswith("-") else "+"
    part = f" ({(second - first) / abs(first):+.1%})" if first else ""
    return f"{sign}{change}{part}"
