"""Logs with MLflow's own client until every call was answered, and acknowledges each: run in an environment that has only MLflow.

    python official_writer.py PIPE CALLS NUMBER

MLflow's client gives up after its retries; what a user's script would do then, call again, is done here.
"""

import json
import os
import sys
import time

from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

pipe, calls, number = map(int, sys.argv[1:])
client = MlflowClient()


def again_and_again(call):
    until = time.monotonic() + 120
    while True:
        try:
            return call()
        except MlflowException:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def acknowledge(**told):
    os.write(pipe, json.dumps(told).encode() + b"\n")


run = again_and_again(lambda: client.create_run("0", run_name=f"official {number}")).info.run_id
acknowledge(run=run)
step = 0
for call in range(calls):
    if call % 10 == 9:
        points = [Metric("loss", 0.5, step + at, step + at) for at in range(20)]
        param = Param(f"p{call}", "x")
        again_and_again(lambda points=points, param=param: client.log_batch(run, metrics=points, params=[param], synchronous=True))
        acknowledge(run=run, key="loss", steps=(step, step + 19))
        acknowledge(run=run, params={param.key: "x"})
        step += 20
    else:
        again_and_again(lambda step=step: client.log_metric(run, "loss", 0.25, timestamp=step, step=step, synchronous=True))
        acknowledge(run=run, key="loss", steps=(step, step))
        step += 1
again_and_again(lambda: client.set_terminated(run))
