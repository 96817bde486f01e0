"""What programs print is kept with their run, and they print as they would without; each case is a real program."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.tracking.console.reading import ConsoleLine

Kept = Callable[..., list[ConsoleLine]]
pytestmark = pytest.mark.usefixtures("quick_programs")


def texts(lines: list[ConsoleLine], stream: str | None = None) -> list[str]:
    return [line.text for line in lines if stream in (None, line.stream)]


def test_what_a_program_its_libraries_and_its_children_print_is_kept_and_printed_all_the_same(program: Any, kept: Kept) -> None:
    done = program.run(
        "import subprocess, threading\n"
        "print('before')\n"
        "with drupe.start_run():\n"
        "    print('from python')\n"
        "    os.write(1, b'from a library\\n')\n"
        "    subprocess.run(['echo', 'from a child'])\n"
        "    worker = threading.Thread(target=print, args=['from a thread'])\n"
        "    worker.start(), worker.join()\n"
        "    print('a warning', file=sys.stderr)\n"
        "print('after')\n"
    )
    assert done.stdout == b"before\nfrom python\nfrom a library\nfrom a child\nfrom a thread\nafter\n"
    assert done.stderr == b"a warning\n"
    assert texts(kept(), "stdout") == ["from python", "from a library", "from a child", "from a thread"]
    assert texts(kept(), "stderr") == ["a warning"]


def test_the_log_is_an_artifact_and_nothing_else_is_left(program: Any, workspace: Path) -> None:
    program.run("with drupe.start_run():\n    print('kept')\n")
    (run,) = drupe.search_runs(output_format="list")
    (log,) = drupe.list_artifacts("logs", run_id=run.info.run_id)
    assert log.path == "logs/console.0001.log"
    assert not list(workspace.glob("drupe-journals/*/logs"))


def test_a_run_that_prints_nothing_has_no_log(program: Any) -> None:
    program.run("with drupe.start_run():\n    pass\n")
    (run,) = drupe.search_runs(output_format="list")
    assert drupe.list_artifacts("logs", run_id=run.info.run_id) == []


def test_the_traceback_of_the_fault_that_ended_the_run_is_kept(program: Any, kept: Kept) -> None:
    done = program.run("with drupe.start_run():\n    raise ValueError('of the block')\n")
    assert done.returncode == 1
    assert texts(kept(), "stderr")[-1] == "ValueError: of the block"
    program.run("drupe.start_run(run_name='open')\nraise ValueError('of the program')\n")
    assert texts(kept("open"), "stderr")[-1] == "ValueError: of the program"


def test_of_a_progress_bar_the_last_state_is_kept(program: Any, kept: Kept) -> None:
    done = program.run(
        "with drupe.start_run():\n    for i in range(101):\n        print(f'\\r{i}%', end='')\n    print()\n    print('done')\n"
    )
    assert done.stdout.startswith(b"\r0%\r1%")
    assert texts(kept()) == ["100%", "done"]


def test_many_runs_of_one_process_have_a_log_each(program: Any, kept: Kept) -> None:
    code = "for n in range(20):\n    with drupe.start_run(run_name=f'run{n}'):\n        print('in', n)\n    print('between', n)\n"
    done = program.run(code)
    assert done.stdout.decode().splitlines() == [line for n in range(20) for line in (f"in {n}", f"between {n}")]
    assert [texts(kept(f"run{n}")) for n in range(20)] == [[f"in {n}"] for n in range(20)]


def test_the_outermost_run_keeps_what_is_printed_in_runs_inside_it(program: Any, kept: Kept) -> None:
    program.run(
        "with drupe.start_run(run_name='outer'):\n    print(1)\n    with drupe.start_run(run_name='inner', nested=True):\n        print(2)\n    print(3)\n"
    )
    assert texts(kept("outer")) == ["1", "2", "3"]
    assert kept("inner") == []


@pytest.mark.parametrize("last_line", ["os.kill(os.getpid(), 9)", "import ctypes; ctypes.string_at(0)", "os._exit(3)", "os.abort()"])
def test_nothing_that_was_printed_is_lost_when_the_process_is_gone_at_once(program: Any, kept: Kept, last_line: str) -> None:
    done = program.run(f"drupe.start_run()\nfor n in range(5000):\n    print('line', n)\nos.write(1, b'half a line')\n{last_line}\n")
    assert done.returncode not in (0, 1)
    expected = [*(f"line {n}" for n in range(5000)), "half a line"]
    assert done.stdout.decode().splitlines() == expected
    assert texts(kept(), "stdout") == expected


def test_a_large_output_arrives_whole_and_its_log_is_bounded(program: Any, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_CONSOLE_MAX_MB", "12")
    line = "x" * 99
    done = program.run(f"with drupe.start_run():\n    for n in range(300_000):\n        print('{line}')\n    print('last')\n")
    assert len(done.stdout) == 300_000 * 100 + 5
    lines = kept()
    assert 60_000 < len(lines) < 100_000  # 12 MB of lines of 134 bytes
    assert (lines[0].text, lines[-1].text) == (line, "last")
    (run,) = drupe.search_runs(output_format="list")
    parts = [info.path for info in drupe.list_artifacts("logs", run_id=run.info.run_id)]
    assert (len(parts), parts[0]) == (3, "logs/console.0001.log")


def test_a_long_line_is_kept_in_pieces(program: Any, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # with it Python itself loses the rest of what a full pipe takes only in part
    program.run("with drupe.start_run():\n    print('y' * 1_000_000)\n")
    lines = kept()
    assert "".join(line.text for line in lines) == "y" * 1_000_000
    assert [line.is_whole for line in lines] == [False] * (len(lines) - 1) + [True]


# --- the streams themselves


def test_a_program_in_a_terminal_still_finds_one_and_prints_in_its_order(workspace: Path, kept: Kept) -> None:
    code = (
        "import sys, os, drupe\n"
        "with drupe.start_run():\n"
        "    print(os.isatty(1), os.isatty(2), tuple(os.get_terminal_size(1)))\n"
        "    for n in range(200):\n"
        "        print('out', n), print('err', n, file=sys.stderr)\n"
    )
    (workspace / "train.py").write_text(code)
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "cols", "99", "rows", "33"], stdin=theirs, check=True)
    with subprocess.Popen([sys.executable, "train.py"], cwd=workspace, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        printed = b""
        while chunk := _read(ours):
            printed += chunk
        assert process.wait(60) == 0
    os.close(ours)
    expected = ["True True (99, 33)", *(f"{stream} {n}" for n in range(200) for stream in ("out", "err"))]
    assert printed.decode().split("\r\n") == [*expected, ""]
    assert texts(kept(), "terminal") == expected


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the last one on the other side has left
        return b""


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_a_closed_stream_stays_closed(workspace: Path, kept: Kept, closed: str) -> None:
    code = (
        "import os, sys, drupe\n"
        "with drupe.start_run():\n"
        "    drupe.set_tags({'stdout': sys.stdout is not None, 'stderr': sys.stderr is not None})\n"
        "    for stream in filter(None, (sys.stdout, sys.stderr)):\n        print('here', file=stream)\n"
    )
    (workspace / "train.py").write_text(code)
    subprocess.run(f"exec '{sys.executable}' train.py {closed}", shell=True, cwd=workspace, check=True, timeout=60)
    (run,) = drupe.search_runs(output_format="list")
    opened = [name for name, number in (("stdout", "1"), ("stderr", "2")) if f"{number}>" not in closed]
    assert [name for name in ("stdout", "stderr") if run.data.tags[name] == "True"] == opened
    assert [(line.stream, line.text) for line in kept()] == [(name, "here") for name in opened]  # and the database is not overwritten


def test_a_full_device_hurts_a_program_no_more_than_without_capture(program: Any, kept: Kept) -> None:
    with open("/dev/full", "wb") as full:
        done = program.run("with drupe.start_run():\n    print('kept')\n    drupe.log_metric('m', 1)\n", stdout=full)
    assert done.returncode in (0, 120)  # 120 is Python's own when it cannot flush at exit
    assert texts(kept(), "stdout") == ["kept"]
    (run,) = drupe.search_runs(output_format="list")
    assert run.info.status == "FINISHED"


def test_a_reader_that_leaves_is_noticed_as_without_capture(workspace: Path, kept: Kept) -> None:
    code = "import drupe\ndrupe.start_run()\nwhile True:\n    print('y')\n"
    (workspace / "train.py").write_text(code)
    done = subprocess.run(
        f"'{sys.executable}' train.py | head -n 2", shell=True, cwd=workspace, capture_output=True, timeout=60, check=False
    )
    assert done.stdout == b"y\ny\n"
    assert b"BrokenPipeError" in done.stderr
    (run,) = drupe.search_runs(output_format="list")
    assert run.info.status == "FAILED"


def test_a_child_that_outlives_its_parent_goes_on_printing(program: Any, workspace: Path, kept: Kept) -> None:
    code = (
        "import subprocess\n"
        "with drupe.start_run():\n"
        "    print('parent')\n"
        "    child = subprocess.Popen(['sh', '-c', 'read go; echo late; echo later >&2'], stdin=subprocess.PIPE)\n"
        "os.set_inheritable(child.stdin.fileno(), True)\n"
        "os.execv(sys.executable, [sys.executable, '-c', f'import os; os.write({child.stdin.fileno()}, b\"go\\\\n\")'])\n"
    )
    done = program.run(code)
    assert (done.stdout, done.stderr) == (b"parent\nlate\n", b"later\n")
    assert texts(kept()) == ["parent"]


def test_a_forked_child_prints_into_the_log_and_ends_nothing(program: Any, kept: Kept) -> None:
    code = (
        "with drupe.start_run():\n"
        "    print('parent', flush=True)\n"
        "    pid = os.fork()\n"
        "    if not pid:\n        print('child', flush=True)\n        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "    print('parent again')\n"
    )
    assert program.run(code).stdout == b"parent\nchild\nparent again\n"
    assert texts(kept()) == ["parent", "child", "parent again"]


def test_a_forked_child_may_have_a_run_and_a_log_of_its_own(program: Any, kept: Kept) -> None:
    code = (
        "with drupe.start_run(run_name='parent'):\n"
        "    pid = os.fork()\n"
        "    if not pid:\n"
        "        while drupe.active_run(): drupe.tracking.active.forget(drupe.active_run().info.run_id)\n"
        "        with drupe.start_run(run_name='child'):\n            print('of the child')\n"
        "        sys.stdout.flush()\n        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "    print('of the parent')\n"
    )
    program.run(code)
    assert texts(kept("child")) == ["of the child"]
    assert texts(kept("parent")) == ["of the child", "of the parent"]


def test_when_the_witness_is_killed_the_program_prints_on(program: Any) -> None:
    code = (
        "import threading; from drupe.tracking.console import capture\n"
        "drupe.start_run()\n"
        "print('one', flush=True)\n"
        "capture._console._starter.wait()\n"  # until then it is its parent that is found
        "def line_of(pid):\n"
        "    try:\n        return open(f'/proc/{pid}/cmdline', 'rb').read()\n"
        "    except OSError:\n        return b''\n"  # it has ended meanwhile
        "lines = {int(pid): line_of(pid) for pid in os.listdir('/proc') if pid.isdigit()}\n"
        "(witness,) = [pid for pid, line in lines.items() if b'console.witness' in line and f'\\0{os.getpid()}\\0'.encode() in line]\n"
        "os.kill(witness, 9)\n"
        "[thread.join() for thread in threading.enumerate() if thread.name == 'drupe-console']\n"
        "assert capture._console.has_moved()\n"  # its descriptors are closed by now
        "print('two')\n"
    )
    with program.start(code) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert sorted(out.split()) == [b"one", b"two"]
    assert b"is not complete" in err


def test_a_time_out_that_the_program_chooses_for_its_sockets_is_none_of_the_witness(program: Any, kept: Kept) -> None:
    code = "import socket\nsocket.setdefaulttimeout(0.01)\nfor name in ('one', 'two'):\n    with drupe.start_run(run_name=name):\n        print(name)\n"
    assert program.run(code).stderr == b""
    assert (texts(kept("one")), texts(kept("two"))) == (["one"], ["two"])


def test_the_program_has_no_child_that_it_did_not_start(program: Any) -> None:
    code = (
        "with drupe.start_run():\n"
        "    import threading; from drupe.tracking.console import capture\n"
        "    capture._console._starter.wait()\n"
        "    try:\n        os.wait()\n"
        "    except ChildProcessError:\n        print('no children')\n"
    )
    assert program.run(code).stdout == b"no children\n"


def test_ctrl_c_ends_the_run_and_keeps_the_log(program: Any, kept: Kept) -> None:
    with program.start(
        "with drupe.start_run():\n    print('ready', flush=True)\n    import time\n    while True: time.sleep(0.1)\n"
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
    assert (texts(kept())[0], texts(kept())[-1]) == ("ready", "KeyboardInterrupt")
    (run,) = drupe.search_runs(output_format="list")
    assert run.info.status == "KILLED"


def test_a_program_that_led_its_stdout_elsewhere_keeps_it_there(program: Any, workspace: Path, kept: Kept) -> None:
    code = (
        "drupe.start_run(run_name='first')\n"
        "print('captured')\n"
        "sys.stdout.flush()\n"
        "os.dup2(os.open('own.txt', os.O_WRONLY | os.O_CREAT), 1)\n"
        "print('not captured')\n"
        "drupe.end_run()\n"
        "print('still in the file', flush=True)\n"
        "with drupe.start_run(run_name='second'):\n    print('both')\n"
    )
    assert program.run(code).stdout == b"captured\n"
    assert (workspace / "own.txt").read_text() == "not captured\nstill in the file\nboth\n"
    assert texts(kept("first"), "stdout") == ["captured"]
    assert texts(kept("second"), "stdout") == ["both"]


def test_a_witness_that_cannot_work_is_one_warning(program: Any, workspace: Path) -> None:
    broken = workspace / "python-that-fails"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    done = program.run(f"sys.executable = {str(broken)!r}\nwith drupe.start_run():\n    print('printed')\n    drupe.log_metric('m', 1)\n")
    assert (done.returncode, done.stdout) == (0, b"printed\n")
    assert done.stderr.count(b"Warning") == 1
    (run,) = drupe.search_runs(output_format="list")
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize("executable", ["'/bin/false'", "''", "None"])
def test_a_program_that_only_embeds_python_is_not_started_again(program: Any, executable: str) -> None:
    done = program.run(f"sys.executable = {executable}\nwith drupe.start_run():\n    print('printed')\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"printed\n", b"")


def test_two_processes_of_one_run_have_a_log_each_and_are_read_together(program: Any, kept: Kept) -> None:
    code = (
        "import subprocess\n"
        "with drupe.start_run() as run:\n"
        "    print('first')\n"
        "    for name in ('second', 'third'):\n"
        "        code = f\"import drupe\\nwith drupe.start_run():\\n    print('{name}')\"\n"
        "        subprocess.run([sys.executable, '-c', code], env={**os.environ, 'DRUPE_RUN_ID': run.info.run_id}, stdout=subprocess.DEVNULL)\n"
    )
    assert program.run(code).stdout == b"first\n"
    assert texts(kept()) == ["first", "second", "third"]
    (run,) = drupe.search_runs(output_format="list")
    names = [info.path for info in drupe.list_artifacts("logs", run_id=run.info.run_id)]
    assert len(names) == 3


def test_a_run_that_is_taken_up_several_times_within_a_second_keeps_what_was_printed_each_time(program: Any, kept: Kept) -> None:
    program.run(
        "import time\n"
        "moment, gmtime = time.gmtime(), time.gmtime\n"
        "time.gmtime = lambda *at: gmtime(*at) if at else moment\n"
        "with drupe.start_run() as run:\n"
        "    print('first')\n"
        "for name in ('second', 'third'):\n"
        "    with drupe.start_run(run_id=run.info.run_id):\n"
        "        print(name)\n"
    )
    assert texts(kept()) == ["first", "second", "third"]
