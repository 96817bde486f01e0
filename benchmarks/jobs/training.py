"""A training process that logs a point whenever a line comes in, and says when `log_metric` had returned: `python training.py STORE`."""

import json
import sys
import time

import drupe

drupe.set_tracking_uri(sys.argv[1])
drupe.set_experiment("training")
with drupe.start_run() as run:
    drupe.log_metric("loss", 1.0, step=0)
    drupe.log_metric("loss", 2.0, step=1)
    print(json.dumps({"run_id": run.info.run_id}), flush=True)
    for step, line in enumerate(sys.stdin, 2):
        drupe.log_metric("loss", float(line), step=step)
        print(json.dumps({"returned_s": time.time()}), flush=True)
