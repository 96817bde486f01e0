"""Start runs and end them: milliseconds for each pair, the first one left out."""

import statistics
import time

from opened import given, opened, say

subject = opened()
times = []
for _ in range(given["runs"] + 1):
    began = time.perf_counter()
    subject.begin()
    subject.finish()
    times.append((time.perf_counter() - began) * 1000)
say(pair_ms=statistics.median(times[1:]))
