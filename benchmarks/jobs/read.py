"""Open the store, wait for a run's id, read all points of its metric, and say when that was done and what was there."""

import importlib
import sys
import time

from opened import opened, say

subject = opened()
value_at = importlib.import_module("points").value_at
if hasattr(subject, "warm"):
    subject.warm()
say(ready=True)
run = sys.stdin.readline().strip()
steps, values = subject.read(run, "loss")
at = time.monotonic()
wrong = sum(1 for step, value in zip(steps, values, strict=True) if value != value_at(step))
say(at=at, points=len(steps), different=len(set(steps)), wrong=wrong)
