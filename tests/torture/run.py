"""Tortures the tracking engine: python tests/torture/run.py --minutes 10 --seed 1

Every round prints what was acknowledged, lost and there twice; the last line is the sum. The exit code is 1 when something was lost, is there
twice, or reached training as an exception. A round that failed is repeated with --seed and --only.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from attrs import evolve

from tests.torture.faulty_calls import be_preloaded
from tests.torture.ledger import Tally
from tests.torture.scenarios import SCENARIOS
from tests.torture.server_scenarios import SERVER_SCENARIOS

ALL = {**SCENARIOS, **SERVER_SCENARIOS}


def main() -> int:
    """Run rounds of all scenarios in turn until the time is over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--rounds", type=int, help="So many rounds of each scenario, however long it takes.")
    parser.add_argument("--only", action="append", choices=sorted(ALL), help="This scenario; may be repeated.")
    parser.add_argument("--size", choices=("small", "full"), default="full")
    options = parser.parse_args()
    be_preloaded()
    chosen = {name: scenario for name, scenario in ALL.items() if not options.only or name in options.only}
    until = time.monotonic() + options.minutes * 60
    total, rounds, bad = Tally(), Counter[str](), False
    seed = options.seed
    while options.rounds is None or min((rounds[name] for name in chosen), default=0) < options.rounds:
        for name, scenario in chosen.items():
            if options.rounds is None and time.monotonic() > until:
                break
            folder = Path(tempfile.mkdtemp(prefix=f"drupe-torture-{seed}-"))
            tally = scenario(folder, seed, options.size == "small")
            is_bad = bool(tally.lost or tally.duplicated or tally.notes)
            if is_bad:
                print(f"  the store and its journals are in {folder}")
            else:
                shutil.rmtree(folder)
            bad = bad or is_bad
            rounds[name] += 1
            total += evolve(tally, notes=())
            print(f"{name}, seed {seed}: " + (f"skipped: {tally.skipped}" if tally.skipped else str(tally)), flush=True)
            if tally.restarts:
                print(f"  {tally.restarts}", flush=True)
            for note in tally.notes[:20]:
                print(f"  {note}", flush=True)
        else:
            seed += 1
            continue
        break
    print(", ".join(f"{count} x {name}" for name, count in rounds.items()))
    if total.restarts:
        print(total.restarts)
    print(total)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
