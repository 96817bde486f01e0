"""A program that was forked is to who started it what one that Python started is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.warm_python.warm import HERE, WarmPython


def run(python: str, *words: str, cwd: Path, **rest: Any) -> tuple[int, bytes, list[bytes]]:
    done = subprocess.run([python, *words], cwd=cwd, capture_output=True, check=False, timeout=60, **rest)
    return done.returncode, done.stdout, done.stderr.splitlines()[-1:]


PROGRAM = """
import os, sys
print(sys.argv, __name__, __file__, sys.path[0] == os.getcwd(), sys.executable, input(), os.environ["SAID"])
"""


@pytest.mark.parametrize(
    "words",
    [
        ["program.py", "two words", ""],
        ["-c", "import sys; print(sys.argv, repr(sys.path[0]), __name__); sys.exit('an end')", "-x"],
        ["-c", "raise ValueError('of the program')"],
        ["-c", "import os; print('not flushed', end=''); os._exit(7)"],
        ["-c", "import os; os.kill(os.getpid(), 9)"],
        ["-c", "import os; os.abort()"],
        ["-c", "import atexit; atexit.register(print, 'at exit'); print(open('/dev/stdin').read())"],
        ["-m", "drupe", "nonsense"],
        ["-W", "error", "-c", "import warnings; warnings.warn('as an error')"],
    ],
    ids=" ".join,
)
def test_it_prints_and_ends_as_python_does(words: list[str], warm_python: WarmPython, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    environ = {**os.environ, "SAID": "a\nb"}
    asked = {"cwd": tmp_path, "env": environ, "input": b"given"}
    assert run(warm_python.python, *words, **asked) == run(sys.executable, *words, **asked)


def test_drupe_is_found_by_name(warm_python: WarmPython, tmp_path: Path) -> None:
    done = subprocess.run(["drupe", "--version"], cwd=tmp_path, env=warm_python.on_path(os.environ), capture_output=True, check=True)
    assert done.stdout.startswith(b"drupe ")


def test_it_ends_by_the_signal_that_is_sent_and_takes_the_program_with_it(warm_python: WarmPython, tmp_path: Path) -> None:
    code = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
    for number in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen([warm_python.python, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            program = os.pidfd_open(int(process.stdout.readline()))
            process.send_signal(number)
            assert process.wait(60) == -number
            assert process.stdout.read() == b""  # the program had it open
            os.close(program)


def test_a_signal_that_comes_before_the_program_is_known_is_passed_on_all_the_same(warm_python: WarmPython, tmp_path: Path) -> None:
    code = "import sys; sys.path.append(sys.argv[1]); from shim import main; main(sys.argv[2], 'python', ['-c', ''])"
    with socket.socket(socket.AF_UNIX) as nest, subprocess.Popen(["sleep", "1000"]) as program:
        nest.bind(str(tmp_path / "nest"))
        nest.listen()
        with subprocess.Popen([sys.executable, "-IS", "-c", code, str(HERE), str(tmp_path / "nest")]) as process:
            asker, _ = nest.accept()
            with asker:
                asker.recv(1)
                process.send_signal(signal.SIGTERM)
                asker.sendall(b"pid %d\n" % program.pid)
                try:
                    assert program.wait(60) == -signal.SIGTERM
                finally:
                    program.kill()
                asker.sendall(b"status %d\n" % signal.SIGTERM)
                assert process.wait(60) == -signal.SIGTERM


def test_a_program_is_taken_along_when_who_asked_for_it_ends_before_it_is_told_of_it(warm_python: WarmPython, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    program = [b"-c", b"import os, signal; os.write(1, b'here'); signal.pause()"]
    asked = b"\0".join([os.fsencode(tmp_path), b"PATH=" + os.fsencode(os.defpath), b"", *program]) + b"\0\0\n"
    with socket.socket(socket.AF_UNIX) as asker:
        asker.connect(str(warm_python.folder / "nest"))
        socket.send_fds(asker, [asked], [0, writing, 2])
    os.close(writing)
    with open(reading, "rb") as output:
        assert output.read() in (b"", b"here")  # and its end: nobody holds it open
    assert run(warm_python.python, "-c", "print(1)", cwd=tmp_path)[:2] == run(sys.executable, "-c", "print(1)", cwd=tmp_path)[:2]


@pytest.mark.parametrize("told", [b"", b"/tmp\0PATH=/b"], ids=["nothing", "half"])
def test_who_is_killed_while_asking_holds_up_nobody(told: bytes, warm_python: WarmPython, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as asker:
        asker.connect(str(warm_python.folder / "nest"))
        if told:
            socket.send_fds(asker, [told], [0, 1, 2])
    assert run(warm_python.python, "-c", "print(1)", cwd=tmp_path) == (0, b"1\n", [])
