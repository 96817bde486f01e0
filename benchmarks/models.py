"""What models cost next to MLflow's: predicting through the generic interface, loading, serving, and a Docker image.

    python benchmarks/models.py [--rounds 5] [--repeats 400] [--skip-serving] [--skip-docker] [--write]

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
from typing import NamedTuple

import models_docker
import models_serving
from peers import MLFLOW, install
from report import PAGE, ROOT, about, commit, duration, number, put, table, today, verdict

MARKS = "<!-- models: made by benchmarks/models.py -->", "<!-- end of models -->"
JOB = Path(__file__).parent / "jobs/models.py"
OURS = "drupe"
_SIZE, _WARM = "image size over the base", "building it with a warm cache"
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


def docker_page(mlflow: Path) -> str:
    """The tables of the images; a side that cannot be built here is told with the reason."""
    found = models_docker.rows(mlflow)
    told = {(row["what"], row["side"]): row for row in found}
    reasons = [f"{row['side']} is left out: {row['reason']}" for row in found if "reason" in row]
    sides = [side for side in ("drupe", "mlflow") if (_SIZE, side) in told and "value" in told[_SIZE, side]]
    checks = []
    if len(sides) == 2:
        share = told[_SIZE, "drupe"]["value"] / told[_SIZE, "mlflow"]["value"]
        checks.append((f"{_SIZE}, as a part of MLflow's", "1/2", f"{share:.2f}", verdict(share, 1 / 2)))
    if "drupe" in sides:
        warm = told[_WARM, "drupe"]["value"]
        checks.append((_WARM, "60 s", f"{warm:.1f} s", verdict(warm, 60)))
    whats = dict.fromkeys(row["what"] for row in found)
    rows = [(what, *(f"{told[what, side]['value']} {told[what, side]['unit']}" for side in sides)) for what in whats if sides]
    return "\n".join([*table(("target: image", "limit", "measured", ""), checks), "", *table(("", *sides), rows), *reasons])


def main() -> None:
    """Measure, print the tables, and with --write put them into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--skip-serving", action="store_true")
    parser.add_argument("--skip-docker", action="store_true", help="leave the images out, which need a Docker engine")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    peers = install([MLFLOW])
    pythons: dict[str, Path | str] = {OURS: sys.executable} | {peer.name: python for peer, python in peers.items()}
    costs = measured(pythons, given.rounds, given.repeats)
    how = f"medians of {given.rounds} rounds of {given.repeats} predictions: `python benchmarks/models.py {' '.join(sys.argv[1:])}`"
    parts = [page(about([today()], [commit()], how), costs, next((name for name in costs if name != OURS), None))]
    if not given.skip_serving:
        parts.append(serving_page())
    if not given.skip_docker:
        parts.append(docker_page(next(iter(peers.values()), Path("none")).parents[1]))
    text = "\n\n".join(parts)
    print(text)
    if given.write:
        put(text, MARKS)


if __name__ == "__main__":
    main()
