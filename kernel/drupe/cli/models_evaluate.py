"""`drupe models evaluate`: judge a model, or predictions, on data whose true values are known; fail when it is not good enough."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drupe import lazy
from drupe.cli import complete, formats
from drupe.cli.model_address import addressed
from drupe.cli.nouns import Verb, address_for_process
from drupe.cli.output import Form, chosen_form, note, note_dropped, print_csv, print_json, say
from drupe.cli.references import find_experiment, find_run
from drupe.cli.tables import Cell, Heading, draw
from drupe.cli.threshold_rules import needs_baseline, read_thresholds
from drupe.errors import ThresholdsMissed
from drupe.extend.pairs import read_values

if TYPE_CHECKING:
    from drupe.evaluation import Check, EvaluationResult

__all__ = ["evaluate"]

SLICES = 10


@click.command(
    "evaluate",
    cls=Verb,
    examples="""
        drupe models evaluate -m models:/churn@champion -d test.csv -t churned
        drupe models evaluate -m models:/m/4 -d test.csv -t left --slice 'age > 60'
        drupe models evaluate -m models:/m/4 -d t.csv -t left --threshold 'roc_auc>=0.8'
        drupe models evaluate -m models:/m/4 -d t.csv -t left --baseline models:/m/3
        drupe models evaluate -d t.csv -t y --predictions p --model-type regressor
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", metavar="URI", shell_complete=complete.run_paths, help="The model; none where the data has predictions.")
@click.option("-d", "--data", required=True, metavar="FILE", help="A table with the true values: csv, parquet, json, … or its address.")
@click.option("-t", "--targets", metavar="COLUMN", help="The column with the true values.")
@click.option("--predictions", metavar="COLUMN", help="The column with predictions; with a model, the column of its output.")
@click.option("--model-type", type=click.Choice(["classifier", "regressor"]), help="What it is judged as; told by the model if not given.")
@click.option("--slice", "slices", multiple=True, metavar="PART", help="A column, or a query such as 'age > 60'. May be repeated.")
@click.option("--baseline", metavar="URI", shell_complete=complete.run_paths, help="A model to compare with.")
@click.option(
    "--threshold",
    "rules",
    multiple=True,
    metavar="RULE",
    help="What must hold, such as 'f1_score>=0.8' or 'log_loss<=baseline-5%'; the command fails if it does not. May be repeated.",
)
@click.option(
    "--thresholds",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A YAML or JSON file of thresholds by metric.",
)
@click.option(
    "-c", "--config", multiple=True, metavar="KEY=VALUE", help="A setting of the evaluators, such as pos_label=yes. May be repeated."
)
@click.option("--evaluator", "evaluators", multiple=True, metavar="NAME", help="Only this evaluator. May be repeated.")
@click.option(
    "--env-manager",
    metavar="NAME",
    default="local",
    show_default=True,
    help="Let the model predict in its own environment, made by uv, virtualenv, or a plugin's own.",
)
@click.option("--run", metavar="RUN", shell_complete=complete.runs, help="Put the results on this run; on a new one if not given.")
@click.option("-e", "--experiment", metavar="NAME", shell_complete=complete.experiments, help="The new run's experiment (name or id).")
@click.option("--no-log", is_flag=True, help="Put the results on no run.")
@click.option("--save", metavar="FOLDER", type=click.Path(file_okay=False, path_type=Path), help="Keep metrics and files in a folder too.")
@click.pass_context
def evaluate(
    ctx: click.Context,
    uri: str | None,
    model_uri: str | None,
    data: str,
    targets: str | None,
    predictions: str | None,
    model_type: str | None,
    slices: tuple[str, ...],
    baseline: str | None,
    rules: tuple[str, ...],
    file: Path | None,
    config: tuple[str, ...],
    evaluators: tuple[str, ...],
    env_manager: str,
    run: str | None,
    experiment: str | None,
    no_log: bool,
    save: Path | None,
) -> None:
    """Judge the model at URI on data whose true values are known: metrics, pictures, and slices of the data, worst first.

    The results are put on a run. The command fails, with exit code 1, when a threshold is missed.
    """
    if uri and model_uri:
        raise click.UsageError("Give the model once, as URI or as --model-uri.")
    if sum(map(bool, (run, experiment, no_log))) > 1:
        raise click.UsageError("Give one of --run, --experiment and --no-log.")
    thresholds = read_thresholds(rules, file)
    if needs_baseline(thresholds) and baseline is None:
        raise click.UsageError("A threshold compares with the baseline; say which model that is: --baseline URI.")
    named = uri or model_uri
    address_for_process(ctx)
    model = addressed(ctx, named)[1] if named else None
    before = addressed(ctx, baseline)[1] if baseline else None
    result = lazy.load("drupe.evaluation:evaluate")(
        model=model,
        data=data,
        targets=targets,
        predictions=predictions,
        model_type=model_type,
        slices=slices or None,
        baseline_model=before,
        env_manager=env_manager,
        **_evaluators(evaluators, read_values(config, such_as="pos_label=yes")),
        log_results=not no_log,
        **_run(run, experiment, f"evaluation of {named or data}"),
    )
    checks = lazy.load("drupe.evaluation:check_thresholds")(thresholds, result, result.baseline)
    if save is not None:
        result.save(save)
    _show(result, checks)
    if missed := [check.reason for check in checks if not check.passed]:
        raise ThresholdsMissed(f"the model misses {len(missed)} of {len(checks)} thresholds: {'; '.join(missed)}", checks=checks)


def _run(run: str | None, experiment: str | None, name: str) -> dict[str, str | None]:
    """Which run the results go to: the arguments of `evaluate` for it."""
    if run is None and experiment is None:
        return {"run_name": name}
    store = lazy.load("drupe.client:Client")()
    if run is not None:
        return {"run_id": find_run(store, run).info.run_id}
    return {"run_name": name, "experiment_id": find_experiment(store, str(experiment)).experiment_id}


def _evaluators(names: tuple[str, ...], config: dict[str, Any]) -> dict[str, Any]:
    """One evaluator takes its settings as they are, several take them by name."""
    if len(names) < 2:
        return {"evaluators": names[0] if names else None, "evaluator_config": config or None}
    return {"evaluators": list(names), "evaluator_config": dict.fromkeys(names, config)}


def _show(result: EvaluationResult, checks: list[Check]) -> None:
    form = chosen_form()
    table = result.tables.get("slice_metrics") if "slice_metrics" in result.artifacts else None
    rows = [] if table is None else [{str(key): _plain(value) for key, value in row.items()} for row in table.to_dict(orient="records")]
    before = result.baseline.metrics if result.baseline is not None else None
    if form is Form.JSON:
        print_json(
            {
                "metrics": {name: _plain(value) for name, value in result.metrics.items()},
                "baseline": None if before is None else {name: _plain(value) for name, value in before.items()},
                "slices": rows,
                "thresholds": [
                    {"metric": one.metric, "rule": one.rule, "value": _plain(one.value), "passed": one.passed} for one in checks
                ],
                "failures": result.failures,
                "artifacts": {name: one.uri for name, one in result.artifacts.items()},
                "run_id": result.run_id,
                "model_id": result.model_id,
            }
        )
    elif form is Form.CSV:
        names = ["metric", "value", *(["baseline"] if before is not None else [])]
        print_csv(names, ([name, value, *([before.get(name)] if before is not None else [])] for name, value in result.metrics.items()))
    else:
        _draw(result, rows, checks)


def _draw(result: EvaluationResult, rows: list[dict[str, Any]], checks: list[Check]) -> None:
    before = result.baseline.metrics if result.baseline is not None else None
    headings = [Heading("METRIC", keep=True), Heading("VALUE", right=True, keep=True)]
    headings += [Heading("BASELINE", right=True), Heading("CHANGE", right=True)] if before is not None else []
    lines: list[list[Cell] | str] = []
    for name, value in result.metrics.items():
        line = [Cell(formats.text(name)), Cell(formats.number(value), style="bold")]
        lines.append(line if before is None else [*line, *_change(value, before.get(name), result.better.get(name))])
    draw(headings, lines)
    if rows:
        _draw_slices(rows)
    if checks:
        click.echo()
        marks = {True: Cell("met", style="green"), False: Cell("missed", style="bold red")}
        told = [[Cell(one.metric), Cell(one.rule), Cell(formats.number(one.value)), marks[one.passed]] for one in checks]
        draw([Heading("THRESHOLD", keep=True), Heading("MUST BE", keep=True), Heading("IS", right=True), Heading("", keep=True)], told)
    for name, reason in result.failures.items():
        say(f"{name} could not be evaluated: {reason}")
    if result.run_id is not None:
        note(f"{len(result.artifacts)} files and all metrics are on run {result.run_id}")


def _draw_slices(rows: list[dict[str, Any]]) -> None:
    click.echo()
    metrics = [name.removesuffix("_low") for name in rows[0] if name.endswith("_low")]
    headings = [Heading("SLICE, WORST FIRST", keep=True), Heading("ROWS", right=True, keep=True)]
    headings += [Heading(name.upper(), right=True, rank=place) for place, name in enumerate(metrics)]
    lines: list[list[Cell] | str] = []
    for row in rows[: SLICES + 1]:
        cells = [Cell(formats.text(row["slice"]), style="red" if row["worse"] else ""), Cell(f"{row['rows']:,}")]
        for name in metrics:
            low, high, value = row[f"{name}_low"], row[f"{name}_high"], formats.number(row[name])
            cells.append(Cell(value if low is None else f"{value} [{low:.3g}, {high:.3g}]", value))
        lines.append(cells)
    dropped = draw(headings, lines)
    if dropped:
        note_dropped(dropped)
    if len(rows) > SLICES + 1:
        note(f"{len(rows) - SLICES - 1} more slices are in slice_metrics.csv")


def _change(value: float, before: float | None, better: bool | None) -> list[Cell]:
    if before is None:
        return [Cell(""), Cell("")]
    change = value - before
    style = "" if better is None or change == 0 or math.isnan(change) else "green" if (change > 0) is better else "red"
    return [Cell(formats.number(before)), Cell(f"{change:+.4g}", style=style)]


def _plain(value: Any) -> Any:
    """As JSON has it: numbers of numpy as Python's, none for those that it cannot say."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
