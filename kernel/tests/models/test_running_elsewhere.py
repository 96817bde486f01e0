"""What runs in a model's own environment is told what this process is told: once, whoever tells it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CHILD = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
print("ready", flush=True)
first = signal.sigwait([signal.SIGINT, signal.SIGTERM])
signal.setitimer(signal.ITIMER_REAL, 1)  # sigtimedwait makes up a signal when the process is stopped beyond the time
second = signal.sigwait([signal.SIGINT, signal.SIGTERM, signal.SIGALRM])
is_once = second == signal.SIGALRM and not signal.sigpending()
print("told", int(first), "once" if is_once else "twice", flush=True)
"""
PARENT = """
import sys
from drupe.models.environments.preparing import run_in_environment
sys.exit(run_in_environment("unused", "child_of_tests", env_manager="local"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "child_of_tests.py").write_text(CHILD)
    return tmp_path


def test_ctrl_c_in_a_terminal_reaches_it_once(folder: Path) -> None:
    """A terminal tells all processes in the foreground; a server that is told twice does not finish what it answers."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execve(sys.executable, [sys.executable, "-c", PARENT], {**os.environ, "PYTHONPATH": str(folder)})
    with open(terminal, "r+b", buffering=0) as screen:
        said = b""
        while b"ready" not in said:
            said += screen.read(1000)
        screen.write(b"\x03")
        try:
            while piece := screen.read(1000):
                said += piece
        except OSError:  # how Linux says that nobody has the terminal any more
            pass
    os.waitpid(pid, 0)
    assert f"told {int(signal.SIGINT)} once".encode() in said, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_this_process_alone_is_passed_on(folder: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == f"told {int(number)} once\n"
    assert process.wait(60) == 0
