"""Two server processes on one PostgreSQL: how much more two of them read than one."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from report import ROOT
from server_running import API, CLIENTS, LOAD, Running, drupe, running

__all__ = ["two_processes"]

RUNS = 1000


def two_processes(seconds: float) -> dict[str, dict[str, float]]:
    """By kind of question: reads per second of one process and of two, and how many times as many the latter are."""
    with _postgres().own_server() as database:
        address = database.address(database.new_database())
        with running(drupe(store=address)) as first, running(drupe(store=address)) as second:
            experiment, runs = _filled(first)
            searched = json.dumps({"experiment_ids": [experiment], "max_results": 100})
            questions = {
                "runs/get": [("GET", f"{API}runs/get?run_id={run}", "") for run in runs],
                "runs/search, 100 runs": [("POST", f"{API}runs/search", searched)],
            }
            return {name: _compared([first, second], asked, seconds) for name, asked in questions.items()}


def _filled(it: Running) -> tuple[str, list[str]]:
    experiment = str(it.ask("POST", "experiments/create", {"name": "searched"})["experiment_id"])
    runs = [it.new_run(experiment) for _ in range(RUNS)]
    for number, run in enumerate(runs):
        metrics = [{"key": f"m{n}", "value": number / (n + 1), "timestamp": 1, "step": 0} for n in range(10)]
        it.ask(
            "POST", "runs/log-batch", {"run_id": run, "metrics": metrics, "params": [{"key": f"p{n}", "value": str(n)} for n in range(10)]}
        )
    return experiment, runs


def _compared(servers: list[Running], asked: list[Any], seconds: float) -> dict[str, float]:
    alone = _answered(servers[:1], asked, seconds)
    both = _answered(servers, asked, seconds)
    return {"alone_per_s": alone, "both_per_s": both, "times": both / alone}


def _answered(servers: list[Running], asked: list[Any], seconds: float) -> float:
    loads = []
    for it in servers:
        given = {"host": "127.0.0.1", "port": it.port, "clients": CLIENTS // len(servers), "seconds": seconds, "requests": [asked]}
        load = subprocess.Popen([sys.executable, str(LOAD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert load.stdin is not None
        load.stdin.write(json.dumps(given))
        load.stdin.close()
        loads.append(load)
    told = [json.load(load.stdout) for load in loads if load.stdout is not None]
    for load in loads:
        load.wait()
    return float(sum(one["per_s"] for one in told))


def _postgres() -> Any:
    """The module that starts PostgreSQL for tests."""
    file = ROOT / "plugins/store_postgres/tests/own_server.py"
    spec = spec_from_file_location("own_server", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
