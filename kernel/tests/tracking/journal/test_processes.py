"""Journals and the life of processes: killed, forked, spawned, many at once. Every case is a real script."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import drupe
from drupe.tracking import address

PREAMBLE = "import os, sys, signal, drupe\n"
pytestmark = pytest.mark.usefixtures("quick_programs")


def run_script(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = folder / "train.py"
    script.write_text(PREAMBLE + code)
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.fixture
def workspace(drupe_workspace: Path) -> Path:
    return drupe_workspace


def history(key: str) -> list[int]:
    """The steps of that metric over all runs, from a store that is opened anew."""
    address.close_stores()
    runs = drupe.search_runs(search_all_experiments=True, output_format="list")
    return sorted(point.step for run in runs for point in drupe.get_metric_history(run.info.run_id, key))


@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_killed_trainer_loses_nothing_that_a_call_has_returned_from(workspace: Path, offline: str) -> None:
    done = run_script(
        workspace,
        "drupe.start_run()\ndrupe.log_params({'a': 1})\ndrupe.set_tag('b', 'c')\n"
        "for step in range(20_000):\n    drupe.log_metric('loss', step / 7, step=step)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n",
        DRUPE_OFFLINE=offline,
    )
    assert done.returncode == -signal.SIGKILL
    assert history("loss") == list(range(20_000))
    (run,) = drupe.search_runs(output_format="list")
    assert (run.data.params, run.data.tags["b"]) == ({"a": "1"}, "c")
    address.close_stores()
    assert not list((workspace / "drupe-journals").glob("*/*.journal"))


def test_a_forked_child_logs_to_its_parents_run_whether_it_leaves_properly_or_not(workspace: Path) -> None:
    done = run_script(
        workspace,
        "with drupe.start_run():\n"
        "    drupe.log_metric('loss', 0.0, step=0)\n"
        "    for child in range(1, 5):\n"
        "        if os.fork() == 0:\n"
        "            for step in range(100):\n                drupe.log_metric('loss', 0.0, step=child * 1000 + step)\n"
        "            os._exit(0) if child % 2 else sys.exit(0)\n"
        "    for _ in range(4):\n        os.wait()\n"
        "    drupe.log_metric('loss', 0.0, step=1)\n"
        "    print(len(drupe.get_metric_history(drupe.active_run().info.run_id, 'loss')))\n",
    )
    assert (done.returncode, done.stdout.split()) == (0, ["402"]), done.stderr
    assert history("loss") == sorted([0, 1, *(child * 1000 + step for child in range(1, 5) for step in range(100))])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_log_to_a_run_by_its_id(workspace: Path, method: str) -> None:
    done = run_script(
        workspace,
        "import multiprocessing\n"
        "def work(run_id, number):\n"
        "    with drupe.start_run(run_id=run_id, nested=True):\n"
        "        for step in range(50):\n            drupe.log_metric('loss', 0.0, step=number * 1000 + step)\n"
        "if __name__ == '__main__':\n"
        f"    context = multiprocessing.get_context('{method}')\n"
        "    with drupe.start_run() as run:\n        run_id = run.info.run_id\n"
        "    workers = [context.Process(target=work, args=(run_id, number)) for number in range(3)]\n"
        "    for worker in workers:\n        worker.start()\n"
        "    for worker in workers:\n        worker.join()\n"
        "    assert [worker.exitcode for worker in workers] == [0, 0, 0]\n",
    )
    assert done.returncode == 0, done.stderr
    assert history("loss") == sorted(number * 1000 + step for number in range(3) for step in range(50))


def test_a_group_of_processes_shares_a_run_that_the_environment_names(workspace: Path) -> None:
    with drupe.start_run() as run:
        pass
    code = (
        "rank = int(os.environ['RANK'])\n"
        "with drupe.start_run():\n"
        "    drupe.log_param('world', 4)\n"
        "    for step in range(200):\n        drupe.log_metric('loss', 0.0, step=rank * 1000 + step)\n"
    )
    (workspace / "rank.py").write_text(PREAMBLE + code)
    ranks = [
        subprocess.Popen([sys.executable, "rank.py"], cwd=workspace, env={**os.environ, "RANK": str(rank), "DRUPE_RUN_ID": run.info.run_id})
        for rank in range(4)
    ]
    assert [rank.wait(120) for rank in ranks] == [0, 0, 0, 0]
    assert history("loss") == sorted(rank * 1000 + step for rank in range(4) for step in range(200))
    found = drupe.get_run(run.info.run_id)
    assert (found.data.params, found.info.status) == ({"world": "4"}, "FINISHED")


def test_a_reader_sees_what_a_living_trainer_has_logged_and_leaves_its_journal_alone(workspace: Path) -> None:
    code = (
        "with drupe.start_run():\n"
        "    drupe.log_metric('loss', 1.0, step=1)\n    drupe.flush()\n    print('logged', flush=True)\n"
        "    sys.stdin.readline()\n    drupe.log_metric('loss', 2.0, step=2)\n"
    )
    (workspace / "train.py").write_text(PREAMBLE + code)
    with subprocess.Popen([sys.executable, "train.py"], cwd=workspace, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as trainer:
        assert trainer.stdin is not None
        assert trainer.stdout is not None
        assert trainer.stdout.readline() == "logged\n"
        assert history("loss") == [1]
        assert len(list((workspace / "drupe-journals").glob("*/*.journal"))) == 1
        trainer.stdin.write("\n")
        trainer.stdin.close()
        assert trainer.wait(60) == 0
    assert history("loss") == [1, 2]
