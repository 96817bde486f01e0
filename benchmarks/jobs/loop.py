"""A training loop that logs in every step: how long each call keeps it. `work` is how much it computes between calls, `keys` how many metrics take turns."""

import time
from array import array

from opened import given, opened, say


def compute(amount: int) -> float:
    total = 0.0
    for number in range(amount):
        total += number * 0.5
    return total


def loop(steps: range, times: array) -> None:
    log, clock, work, names = subject.log, time.perf_counter_ns, given["work"], [f"metric_{number}" for number in range(given["keys"])]
    keys = len(names)
    for step in steps:
        value, name = compute(work), names[step % keys]
        began = clock()
        log(name, value, step=step)
        times.append(clock() - began)


subject = opened()
subject.begin()
warm = min(given["points"], 200)
loop(range(warm), array("q"))
each = array("q")
began = time.perf_counter()
loop(range(warm, warm + given["points"]), each)
took = time.perf_counter() - began
began = time.perf_counter()
subject.finish()
ordered = sorted(each)
say(
    p50_us=ordered[len(ordered) // 2] / 1000,
    p99_us=ordered[int(len(ordered) * 0.99)] / 1000,
    max_ms=ordered[-1] / 1e6,
    mean_us=sum(each) / len(each) / 1000,
    loop_s=took,
    finish_s=time.perf_counter() - began,
)
