"""Wait for a run's id, read all points of its metric, and say when that was done and what was there."""

import sys
import time

from opened import opened, say

subject = opened()
say(ready=True)
run = sys.stdin.readline().strip()
steps, values = subject.read(run, "loss")
at = time.monotonic()
wrong = sum(1 for step, value in zip(steps, values, strict=True) if value != step * 0.5)
say(at=at, points=len(steps), different=len(set(steps)), wrong=wrong)
