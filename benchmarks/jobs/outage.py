"""Train until a file named `stop` is there, logging in every step, and write down when each call began and how long it took.

The store comes and goes meanwhile.
"""

import importlib
import json
import time
from pathlib import Path

from opened import given, opened, say

subject = opened()
value_at = importlib.import_module("points").value_at
run = subject.begin()
subject.log("loss", value_at(0), step=0)
say(run=run)
calls: list[tuple[float, float]] = []
raised, step = "", 0
stop = Path(given["folder"], "stop")
while not stop.exists():
    time.sleep(given["pause_s"])  # a GPU is computing
    step += 1
    began = time.monotonic()
    try:
        subject.log("loss", value_at(step), step=step)
    except Exception as fault:  # whatever the subject raises ends a training
        raised = f"{type(fault).__name__}: {fault}"[:200]
        break
    finally:
        calls.append((began, time.monotonic() - began))
Path(given["calls"]).write_text(json.dumps(calls))
say(run=run, acknowledged=step if raised else step + 1, raised=raised)
try:
    subject.finish()
except Exception as fault:  # the same
    raised = raised or f"{type(fault).__name__}: {fault}"[:200]
say(run=run, acknowledged=step if raised else step + 1, raised=raised)
