"""A Python that has imported what every program of drupe's imports first, and forks for each program that `shim` asks for.

Most programs in tests live for a second, and importing is nine tenths of it. Only modules that keep nothing of their process are imported
here, and more if they are named: a child still sets up by itself what knows its process (runs, journals, signals), as any program does.
Ends when its input ends, and all its children with it.

Asked: `folder NUL name=value NUL … NUL NUL argument NUL …` with the three standard streams; answered: `pid …` and, later, `status …` as `wait` tells it.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import io
import os
import runpy
import selectors
import signal
import socket
import sys
import types
from pathlib import Path

MODULES = (
    *(
        "asyncio",
        "attrs",
        "cattrs",
        "click.shell_completion",
        "configparser",
        "pickletools",
        "pluggy",
        "requests",
        "rich.progress",
        "rich.table",
    ),
    *("sqlalchemy.dialects.sqlite", "yaml"),
    *("drupe.artifacts.manifest", "drupe.artifacts.survey", "drupe.entities", "drupe.extend.autologger", "drupe.extend.system_metrics"),
    *("drupe.loading", "drupe.search", "drupe.settings"),
    *(
        f"drupe.cli.{room}"
        for room in ("complete", "experiments", "main", "metric_columns", "nouns", "output", "plot", "references", "tables")
    ),
    *("drupe_store_local.repo", "drupe_store_sql.registry", "drupe_store_sql.tracking", "drupe_store_sqlite.stores"),
)
LONGEST = 1 << 20


class Nest:
    """The listening side."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        self._children: dict[int, tuple[int, int, socket.socket]] = {}  # by pidfd: (pid, pidfd, who asked)

    def serve(self) -> None:
        self._selector.register(self._listening, selectors.EVENT_READ, self._take)
        self._selector.register(sys.stdin, selectors.EVENT_READ, None)
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._end()
                    return
                key.data(key.fd)

    def _take(self, _: int) -> None:
        asker, _address = self._listening.accept()
        descriptors = array.array("i")
        told, ancillary, _flags, _sender = asker.recvmsg(LONGEST, socket.CMSG_LEN(3 * descriptors.itemsize))
        for _level, _kind, content in ancillary:
            descriptors.frombytes(content)
        more = told
        while more and not told.endswith(b"\0\0\n"):
            told += (more := asker.recv(LONGEST))
        if not more:  # it was killed while asking
            for descriptor in descriptors:
                os.close(descriptor)
            asker.close()
            return
        pid = os.fork()
        if pid == 0:
            self._selector.close()
            self._listening.close()
            asker.close()
            for _, pidfd, other in self._children.values():
                os.close(pidfd)
                other.close()
            hatch(told[:-3], list(descriptors))  # never returns
        for descriptor in descriptors:
            os.close(descriptor)
        with contextlib.suppress(OSError):  # it was killed meanwhile, which its end of the line will tell
            asker.sendall(b"pid %d\n" % pid)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = (pid, pidfd, asker)
        self._selector.register(pidfd, selectors.EVENT_READ, self._reap)
        self._selector.register(asker, selectors.EVENT_READ, lambda _: self._forsaken(pidfd))

    def _reap(self, pidfd: int) -> None:
        pid, _, asker = self._children.pop(pidfd)
        _, status = os.waitpid(pid, 0)
        self._selector.unregister(pidfd)
        os.close(pidfd)
        if asker in {key.fileobj for key in self._selector.get_map().values()}:
            self._selector.unregister(asker)
        with contextlib.suppress(OSError):  # it was killed
            asker.sendall(b"status %d\n" % status)
        asker.close()

    def _forsaken(self, pidfd: int) -> None:
        """Who asked was killed: so is the program."""
        pid, _, asker = self._children[pidfd]
        self._selector.unregister(asker)
        os.kill(pid, signal.SIGKILL)

    def _end(self) -> None:
        for pid, _, _ in self._children.values():
            os.kill(pid, signal.SIGKILL)


def hatch(told: bytes, streams: list[int]) -> None:
    """Be the program that was asked for, from its first line to its exit."""
    head, _, words = told.partition(b"\0\0")
    folder, *environment = head.split(b"\0")
    arguments = [os.fsdecode(word) for word in words.split(b"\0")]
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environb.clear()
    os.environb.update(dict(entry.split(b"=", 1) for entry in environment if b"=" in entry))  # type: ignore[arg-type]
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    is_unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")  # type: ignore[misc]
    for name, number, errors in (("stdout", 1, "strict"), ("stderr", 2, "backslashreplace")):
        raw = io.FileIO(number, "w", closefd=False)
        stream = io.TextIOWrapper(
            raw if is_unbuffered else io.BufferedWriter(raw),  # type: ignore[arg-type]
            encoding="utf-8",
            errors=errors,
            line_buffering=os.isatty(number) or name == "stderr",
            write_through=is_unbuffered,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    program, *sys.argv[1:] = arguments
    sys.orig_argv = [sys.executable, *([str(Path(sys.executable).with_name("drupe"))] if program == "drupe" else [program]), *arguments[1:]]
    raise Hatched(program)


class Hatched(BaseException):
    """Leaves the loop of the parent's: what follows belongs to the child."""


def run(program: str) -> None:
    """Do what `python PROGRAM …` does, or `drupe …`. `sys.argv` holds the arguments after it."""
    if program == "drupe":
        sys.argv[0] = str(Path(sys.executable).with_name("drupe"))
        sys.path[0] = str(Path(sys.executable).parent)
        sys.exit(importlib.import_module("drupe.cli.main").main())
    if program == "-m":
        module = sys.argv.pop(1)
        sys.path[0] = os.getcwd()
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if program == "-c":
        sys.argv[0], sys.path[0], name = "-c", "", "<string>"
        code = sys.argv.pop(1)
    else:
        sys.argv[0], sys.path[0], name = program, str(Path(program).resolve().parent), os.path.abspath(program)
        main.__file__ = name
        code = Path(name).read_text(encoding="utf-8")
    exec(compile(code, name, "exec"), main.__dict__)


def main() -> None:
    address, *more = sys.argv[1:]
    for module in [*more, *MODULES]:  # skops asks all modules there are for names, and drupe's would import drupe.tracking
        runpy.run_path(module) if module.endswith(".py") else importlib.import_module(module)
    assert not any(name.startswith("drupe.tracking.") for name in sys.modules), (
        "what knows its process is to be imported by each program itself"
    )
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is meant for the tests
    gc.freeze()  # so that children do not copy what they only look at
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        print("ready", flush=True)
        try:
            Nest(listening).serve()
            return
        except Hatched as hatched:
            program = str(hatched)
    run(program)


if __name__ == "__main__":
    main()
