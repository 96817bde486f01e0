"""What tracking costs a training script: every row of the client's targets, next to other tools and to the limits of the machine.

    python benchmarks/client.py [--rows log_metric,ingest] [--peers mlflow,trackio] [--rounds 5] [--skip-million] [--write]

Subjects take turns, round after round, so that a busy machine slows all of them alike; medians are quoted. Every figure is taken by the same job,
a script in `jobs`, run through the tool's module in `subjects`, in a process of its own. What has been measured is kept in `.bench/client.json`,
row by row, so that single rows can be taken anew; `--write` puts all that is there into the page, with pictures.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from client_page import show, write
from client_rows import ROWS, Row, subjects
from peers import AIM, FOLDER, MLFLOW, TRACKIO, WANDB, install
from report import commit, today
from turns import JobFailed, Subject

PEERS = {"mlflow": MLFLOW, "wandb": WANDB, "aim": AIM, "trackio": TRACKIO}
KEPT = FOLDER.parent / "client.json"


def main() -> None:
    """Measure, print the tables, and with --write put them into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=_names, default=[row.name for row in ROWS], help=f"of {','.join(row.name for row in ROWS)}")
    parser.add_argument("--peers", type=_names, default=list(PEERS), help=f"of {','.join(PEERS)}; '' for none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--points", type=int, help="at most so many of whatever a row counts, to try it out")
    parser.add_argument("--skip-million", action="store_true", help="leave out the rows of a million points or runs")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where figures are kept")
    parser.add_argument("--write", action="store_true", help="put the figures that are kept into the page")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that jobs end with this
    unknown = {*given.rows} - {row.name for row in ROWS} | {*given.peers} - {*PEERS}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    all_subjects = subjects(install(PEERS[name] for name in given.peers))
    kept: dict[str, Any] = json.loads(given.kept.read_text()) if given.kept.exists() else {}
    for row in ROWS:
        if row.name in given.rows and not (row.is_large and given.skip_million):
            kept[row.name] = measure(row, all_subjects, given.rounds, given.points)
            given.kept.parent.mkdir(exist_ok=True)
            given.kept.write_text(json.dumps(kept, indent=1))
            print("\n".join(show(row, kept[row.name])), "", sep="\n", flush=True)
    if given.write:
        write(kept)


def measure(row: Row, of: dict[str, Subject], rounds: int, at_most: int | None = None) -> dict[str, Any]:
    """The figures of one row: by subject, its amount and its turns; or why there are none."""
    taking = [of[name] for name in row.subjects if name in of]
    found: dict[str, dict[str, Any]] = {}
    FOLDER.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent, prefix=f"{row.name}-") as home:
        for turn in range(min(rounds, row.rounds or rounds)):
            for subject in taking:
                amount = min(row.less.get(subject.name, row.amount), at_most or sys.maxsize)
                told = found.setdefault(subject.name, {"amount": amount, "turns": []})
                if "fault" in told:
                    continue
                folder = Path(home, subject.module)
                folder.mkdir(exist_ok=True)
                print(f"{row.name} {turn + 1}: {subject.name}", file=sys.stderr, flush=True)
                try:
                    told["turns"].append(row.take(subject, folder, amount))
                except (JobFailed, AssertionError, TimeoutError, subprocess.CalledProcessError) as fault:  # of a tool; the others go on
                    told["fault"] = str(fault)
    for told in found.values():
        names = told["turns"][0] if told["turns"] else ()
        told["figures"] = {name: statistics.median(turn[name] for turn in told["turns"]) for name in names}
    return {"day": today(), "commit": commit(), "rounds": min(rounds, row.rounds or rounds), "found": found}


def _names(text: str) -> Sequence[str]:
    return [name for name in text.split(",") if name]


if __name__ == "__main__":
    main()
