"""Fill one run with long series, then read one of them whole, and all of them thinned for a chart."""

import statistics
import time

from opened import given, opened, say


def median_ms(do: object, times: int) -> tuple[float, int]:
    taken, found = [], 0
    for _ in range(times):
        began = time.perf_counter()
        found = do()  # type: ignore[operator]
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), found


subject = opened()
run = subject.begin()
keys = [f"metric_{number}" for number in range(given["series"])]
for key in keys:
    subject.fill(run, key, given["points"])
subject.finish()
history_ms, points = median_ms(lambda: subject.history(run, keys[0]), given["times"])
columns_ms, columns = median_ms(lambda: len(subject.read(run, keys[0])[0]), given["times"])
chart_ms, drawn = median_ms(lambda: subject.chart(run, keys, given["buckets"]), given["times"]) if len(keys) > 1 else (0.0, 0)
say(history_ms=history_ms, points=points, columns_ms=columns_ms, columns=columns, chart_ms=chart_ms, drawn=drawn)
