"""How runs end with their process, and what is known about the process; each case is a real script in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import drupe

pytestmark = pytest.mark.usefixtures("quick_programs")


def run_script(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = folder / "train.py"
    script.write_text(code)
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )


def only_run() -> drupe.entities.Run:
    (run,) = drupe.search_runs(search_all_experiments=True, output_format="list")
    return run


@pytest.mark.parametrize(
    ("last_line", "status", "code"),
    [("pass", "FINISHED", 0), ("raise ValueError('no')", "FAILED", 1), ("import sys; sys.exit(0)", "FINISHED", 0)],
)
def test_a_run_left_open_is_ended_when_its_process_ends(workspace: Path, last_line: str, status: str, code: int) -> None:
    done = run_script(workspace, f"import drupe\ndrupe.start_run()\ndrupe.log_metric('m', 1)\n{last_line}\n")
    assert done.returncode == code, done.stderr
    run = only_run()
    assert (run.info.status, run.data.metrics) == (status, {"m": 1.0})


@pytest.mark.parametrize("block", [True, False])
def test_sigterm_ends_the_run_as_killed(workspace: Path, block: bool) -> None:
    start = "with drupe.start_run():\n    wait()" if block else "drupe.start_run()\nwait()"
    # signal.pause() would wait for ever where the signal comes just before it
    code = f"import time, drupe\ndef wait():\n    print('ready', flush=True)\n    while True: time.sleep(0.1)\n{start}\n"
    (workspace / "train.py").write_text(code)
    with subprocess.Popen([sys.executable, "train.py"], cwd=workspace, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert only_run().info.status == "KILLED"


def test_sigterm_is_minded_when_the_first_run_was_started_by_a_worker_thread(workspace: Path) -> None:
    code = (
        "import signal, threading, drupe\n"
        "def work():\n    drupe.start_run()\n    drupe.end_run()\n"
        "worker = threading.Thread(target=work)\nworker.start()\nworker.join()\n"
        "drupe.start_run(run_name='main')\nsignal.raise_signal(signal.SIGTERM)\n"
    )
    assert run_script(workspace, code).returncode == 128 + signal.SIGTERM
    (run,) = drupe.search_runs(filter_string="run_name = 'main'", output_format="list")
    assert run.info.status == "KILLED"


def test_a_thread_that_outlives_the_main_one_still_gets_its_run(workspace: Path) -> None:
    code = (
        "import threading, drupe\n"
        "def work():\n"
        "    threading.main_thread().join()\n"
        "    with drupe.start_run():\n        drupe.log_metric('m', 1)\n"
        "drupe.start_run\nthreading.Thread(target=work).start()\n"
    )
    done = run_script(workspace, code)
    assert only_run().data.metrics == {"m": 1.0}, done.stderr
    assert only_run().info.status == "FINISHED"


@pytest.mark.skipif(sys.platform == "win32", reason="a folder in use cannot be deleted there")
def test_a_process_whose_working_folder_was_deleted_can_log_to_a_named_store(workspace: Path) -> None:
    code = (
        "import os, drupe\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir(os.getcwd())\n"
        "with drupe.start_run():\n    drupe.log_metric('m', 1)\n    drupe.log_text('x', 'x.txt')\n"
    )
    refused = run_script(workspace, code)
    assert "the working folder, which was deleted" in refused.stderr.splitlines()[-1]
    done = run_script(
        workspace,
        code.replace("mkdir('gone')", "mkdir('gone2')").replace("'gone'", "'gone2'"),
        DRUPE_TRACKING_URI=f"sqlite:///{workspace}/drupe.db",
    )
    assert done.returncode == 0, done.stderr
    assert (only_run().data.metrics, only_run().info.status) == ({"m": 1.0}, "FINISHED")


def test_a_forked_child_logs_to_the_run_and_does_not_end_it(workspace: Path) -> None:
    code = """
import os, sys, drupe
run = drupe.start_run()
drupe.log_metric("parent", 1)
child = os.fork()
if child == 0:
    drupe.log_metric("child", 2)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert drupe.get_run(run.info.run_id).info.status == "RUNNING"
drupe.log_metric("after", 3)
"""
    done = run_script(workspace, code)
    assert done.returncode == 0, done.stderr
    run = only_run()
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"parent": 1.0, "child": 2.0, "after": 3.0}


def test_a_child_that_was_forked_inside_a_block_leaves_the_run_to_its_parent(workspace: Path) -> None:
    code = """
import os, sys, drupe
with drupe.start_run() as run:
    child = os.fork()
    if child == 0:
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert drupe.get_run(run.info.run_id).info.status == "RUNNING"
"""
    done = run_script(workspace, code)
    assert done.returncode == 0, done.stderr
    assert only_run().info.status == "FINISHED"


def test_a_child_that_was_forked_while_a_thread_opened_a_store_can_open_its_own(workspace: Path) -> None:
    code = """
import os, signal, threading, drupe
from drupe.tracking import address, reaper
has_begun, is_over = threading.Event(), threading.Event()
def hold():
    with address._lock, reaper._lock:
        has_begun.set()
        is_over.wait()
threading.Thread(target=hold).start()
has_begun.wait()
child = os.fork()
if child == 0:
    signal.alarm(30)
    drupe.search_runs(search_all_experiments=True, output_format="list")
    os._exit(0)
status = os.waitpid(child, 0)[1]
is_over.set()
assert status == 0, status
"""
    done = run_script(workspace, code)
    assert done.returncode == 0, done.stderr


def git(folder: Path, *words: str) -> str:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    done = subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True, env={**os.environ, **identity})
    return done.stdout.strip()


def test_a_run_knows_its_code_its_changes_and_its_packages(workspace: Path) -> None:
    git(workspace, "init", "-q", "-b", "topic")
    git(workspace, "remote", "add", "origin", "https://me:secret@example.org/x.git")
    (workspace / "train.py").write_text("import drupe\n")
    git(workspace, "add", "train.py")
    git(workspace, "commit", "-qm", "first")
    done = run_script(
        workspace,
        "import drupe\nwith drupe.start_run():\n    pass\n",
        DRUPE_CAPTURE_ENVIRONMENT="true",
        DRUPE_CAPTURE_GIT_DIFF="true",
        LOGNAME="somebody",
    )
    assert done.returncode == 0, done.stderr
    run = only_run()
    assert run.data.tags["mlflow.source.git.commit"] == git(workspace, "rev-parse", "HEAD")
    assert run.data.tags["mlflow.source.git.branch"] == "topic"
    assert run.data.tags["mlflow.source.git.repoURL"] == "https://***@example.org/x.git"
    assert run.data.tags["mlflow.source.name"].endswith("train.py")
    assert run.data.tags["mlflow.source.type"] == "LOCAL"
    assert run.data.tags["mlflow.user"] == "somebody"
    assert run.info.user_id == "somebody"
    folder = Path(drupe.Client().download_artifacts(run.info.run_id, "environment"))
    facts = json.loads((folder / "environment.json").read_text())
    assert facts["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert any(line.startswith("attrs==") for line in (folder / "requirements.txt").read_text().splitlines())
    assert "+with drupe.start_run():" in (folder / "uncommitted.diff").read_text()


def test_a_forked_child_that_is_told_to_end_at_once_ends(workspace: Path) -> None:
    code = (
        "import os, signal, drupe\n"
        "drupe.start_run()\n"
        "for _ in range(100):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n        signal.pause()\n        os._exit(0)\n"
        "    os.kill(child, signal.SIGTERM)\n"
        "    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM\n"
    )
    done = run_script(workspace, code)
    assert done.returncode == 0, done.stderr
    assert only_run().info.status == "FINISHED"
