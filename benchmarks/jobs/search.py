"""Ask a store of many runs what a list of runs, a filter and a ranking ask for, and for single runs. Each is asked once before it is timed."""

import statistics
import time

from opened import given, opened, say


def asked(filter_string: str, order_by: list[str], limit: int) -> tuple[float, int]:
    found, times = subject.search(given["experiment"], filter_string, order_by, limit), []
    for _ in range(given["times"]):
        began = time.perf_counter()
        found = subject.search(given["experiment"], filter_string, order_by, limit)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), len(found)


subject = opened()
first_ms, first = asked("", [], 1000)
filter_ms, filtered = asked("metrics.val_loss < 0.6 and params.model = 'mlp'", [], 100)
top_ms, top = asked("", ["metrics.val_acc DESC"], 100)
ids = [run.info.run_id for run in subject.search(given["experiment"], "", [], 100)]
used = time.process_time()
for run_id in ids:
    subject.get(run_id)
get_cpu_ms = (time.process_time() - used) * 1000 / len(ids)
say(first_ms=first_ms, filter_ms=filter_ms, top_ms=top_ms, get_cpu_ms=get_cpu_ms, first=first, filtered=filtered, top=top)
