"""What models cost next to MLflow's: predicting through the generic interface, loading, serving, and a Docker image.

    python benchmarks/models.py [--rounds 5] [--repeats 400] [--skip-serving] [--skip-docker | --only-docker] [--write]

MLflow stands in an environment of its own (see peers). Predicting and loading are measured in a process of each tool in turn, round after round, so
that a busy machine slows both alike; libraries compute with one thread. Nothing here is a test.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import models_docker
import models_serving
from peers import MLFLOW, Peer, install
from report import PAGE, ROOT, about, commit, duration, number, put, table, today, verdict

MARKS = "<!-- models: made by benchmarks/models.py -->", "<!-- end of models -->"
IMAGES = "<!-- images of models: made by benchmarks/models.py -->", "<!-- end of images -->"
JOB = Path(__file__).parent / "jobs/models.py"
OURS = "drupe"
FORMS = {"DataFrame": "a DataFrame", "dict": "a dict"}


class Costs(NamedTuple):
    """Seconds: around one prediction of one row, by the form of the row, and of one load."""

    around: Mapping[str, float]
    load: float


def job(python: Path | str, tool: str, repeats: int) -> Costs:
    """One process of a tool."""
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(python), str(JOB), tool, str(repeats)], cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(f"{tool} failed:\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    around = {form: statistics.median(through) - statistics.median(bare) for form, (bare, through) in told["predict"].items()}
    return Costs(around, statistics.median(told["load"]))


def measured(pythons: Mapping[str, Path | str], rounds: int, repeats: int) -> dict[str, Costs]:
    """Medians over rounds of each tool."""
    turns: dict[str, list[Costs]] = {name: [] for name in pythons}
    for turn in range(rounds):
        for name, python in pythons.items():
            print(f"round {turn + 1} of {rounds}: {name}", file=sys.stderr)
            turns[name].append(job(python, name.partition(" ")[0], repeats))
    return {
        name: Costs(
            {form: statistics.median(one.around[form] for one in found) for form in FORMS}, statistics.median(one.load for one in found)
        )
        for name, found in turns.items()
    }


def page(head: str, costs: Mapping[str, Costs], peer: str | None) -> str:
    """The tables of predicting and loading, as Markdown."""
    rows = [
        (f"around one prediction of one row of 10 columns, given as {told}", *(duration(cost.around[form]) for cost in costs.values()))
        for form, told in FORMS.items()
    ]
    rows.append(("load of a registered scikit-learn pipeline, warm", *(duration(cost.load) for cost in costs.values())))
    lines = [head, ""]
    around = costs[OURS].around["DataFrame"]
    checks = [("around one prediction", "100 µs", duration(around), verdict(around, 100e-6))]
    if peer is not None:
        shares = (
            ("the same, as a part of MLflow's", around / costs[peer].around["DataFrame"], 1 / 10),
            ("load, as a part of MLflow's", costs[OURS].load / costs[peer].load, 1 / 5),
        )
        checks += [(what, f"1/{1 / limit:.0f}", f"1/{1 / share:.0f}", verdict(share, limit)) for what, share, limit in shares]
    return "\n".join([*lines, *table(("target", "limit", "measured", ""), checks), "", *table(("", *costs), rows)])


def serving_page() -> str:
    """The tables of the scoring servers."""
    found = models_serving.rows()
    lines = []
    if len(found) > 1:
        ours, theirs = found[:2]
        more, share = ours.per_s / theirs.per_s, ours.p99_ms / theirs.p99_ms
        checks = [
            ("requests/s over MLflow's", "10", number(more), verdict(10, more)),
            ("99 of 100 are answered within, as a part of MLflow's", "1/5", f"1/{number(1 / share)}", verdict(share, 1 / 5)),
        ]
        lines += [*table(("target: one row, 16 clients", "limit", "measured", ""), checks), ""]
    told = [(row.name, number(row.per_s), number(row.p50_ms), number(row.p99_ms)) for row in found]
    return "\n".join([*lines, *table(("scoring server: one row, 16 clients", "requests/s", "p50, ms", "p99, ms"), told)])


def docker_page(head: str, mlflow: Path) -> str:
    """The tables of the images; a side that cannot be built here is told with the reason."""
    found = models_docker.rows(mlflow)
    told = {(row["what"], row["side"]): row for row in found if "value" in row}
    size, warm, sides = models_docker.SIZE, models_docker.WARM, [side for side in ("drupe", "mlflow") if (models_docker.SIZE, side) in told]
    checks = []
    if len(sides) == 2:
        share = told[size, "drupe"]["value"] / told[size, "mlflow"]["value"]
        checks.append((f"{size}, as a part of MLflow's", "1/2", f"1/{number(1 / share)}", verdict(share, 1 / 2)))
    if OURS in sides:
        checks.append((warm, "60 s", duration(told[warm, OURS]["value"]), verdict(told[warm, OURS]["value"], 60)))
    rows = [(what, *(_shown(told[what, side]) for side in sides)) for what in dict.fromkeys(what for what, _ in told)]
    reasons = [f"{row['side']} is left out: {row['reason']}" for row in found if "reason" in row]
    tables = [*table(("target: image of a scikit-learn model", "limit", "measured", ""), checks), "", *table(("", *sides), rows)]
    return "\n".join([head, "", *(tables if sides else []), *reasons])


def _shown(row: Mapping[str, Any]) -> str:
    return duration(row["value"]) if row["unit"] == "s" else f"{number(row['value'])} {row['unit']}"


def main() -> None:
    """Measure, print the tables, and with --write put them into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--skip-serving", action="store_true")
    parser.add_argument("--skip-docker", action="store_true", help="leave the images out, which need a Docker engine")
    parser.add_argument("--only-docker", action="store_true", help="measure the images alone")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    if given.skip_docker and given.only_docker:
        parser.error("--skip-docker and --only-docker leave nothing to measure")
    peers = install([MLFLOW])
    command = f"`python benchmarks/models.py {' '.join(sys.argv[1:])}`"
    parts = {}
    if not given.only_docker:
        parts[MARKS] = models_page(peers, given, command)
    if not given.skip_docker:
        head = about([today()], [commit()], f"one build each: {command}")
        parts[IMAGES] = docker_page(head, next(iter(peers.values()), Path("none/bin/python")).parents[1])
    for marks, text in parts.items():
        print(text, end="\n\n")
        if given.write:
            put(text, marks)


def models_page(peers: Mapping[Peer, Path], given: argparse.Namespace, command: str) -> str:
    """The tables of predicting, loading and serving."""
    pythons: dict[str, Path | str] = {OURS: sys.executable} | {peer.name: python for peer, python in peers.items()}
    costs = measured(pythons, given.rounds, given.repeats)
    how = f"medians of {given.rounds} rounds of {given.repeats} predictions: {command}"
    text = page(about([today()], [commit()], how), costs, next((name for name in costs if name != OURS), None))
    return text if given.skip_serving else f"{text}\n\n{serving_page()}"


if __name__ == "__main__":
    main()
