"""Channels in the place of stdout and stderr, with the witness at their other end; see the decision page on console capture for why so.

Where both streams lead to one terminal they share one pseudo-terminal: what a person sees keeps its order, its width and its colours, and
programs still find a terminal; the log cannot tell the two apart then. A stream that leads to another place gets a pipe of its own. What
the program prints never depends on the witness: when it dies, or the place that was printed to is gone, the descriptors go back to what
they were. Channels stay for the life of the process, so that runs after the first only move descriptors.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

import drupe

__all__ = ["Console", "console"]

FIRST_FREE = 3  # below it are stdin, stdout and stderr, even where they are closed
PIPE_BYTES = 256 * 1024
WAIT_S = 10.0  # for a machine that stands still; longer would hold up the end of a run whose output nobody reads
START = "import sys; sys.path.append(sys.argv[1]); from drupe.tracking.console.witness import main; main(sys.argv[2:])"
F_SETPIPE_SZ = 1031  # Linux

_console: Console | None = None
_lock = threading.Lock()


def console() -> Console | None:
    """This process's console, opened when first asked for; None where nothing can be captured. Raises OSError when it cannot be opened."""
    global _console
    with _lock:
        if _console is not None and _console.has_moved():
            _console.close()
            _console = None
        if _console is None and _streams():
            _console = Console()
        return _console


class _Channel:
    """One stream of this process, or both: its descriptors, what they led to before, and the two ends of what takes their place."""

    def __init__(self, stream: str, numbers: tuple[int, ...]) -> None:
        self.stream, self.numbers = stream, numbers
        self.before = fcntl.fcntl(numbers[0], fcntl.F_DUPFD_CLOEXEC, FIRST_FREE)
        self.is_broken = False
        ends = _terminal(self.before) if os.isatty(self.before) else os.pipe()
        self.source, self.entry = (_lifted(end) for end in ends)
        with contextlib.suppress(OSError):  # not Linux, a pseudo-terminal, or the user's pipes hold much already
            fcntl.fcntl(self.entry, F_SETPIPE_SZ, PIPE_BYTES)

    def enter(self) -> None:
        for number in self.numbers:
            if not self.is_broken:
                os.dup2(self.entry, number)

    def leave(self) -> None:
        for number in self.numbers:
            if _is_open(number) and _same(number, self.entry):  # else the program has led it elsewhere meanwhile
                os.dup2(self.before, number)

    def spill(self) -> None:
        """Pass on what is left in the channel when the witness is gone."""
        poll = select.poll()
        poll.register(self.source, select.POLLIN)
        with contextlib.suppress(OSError):
            while poll.poll(0):
                os.write(self.before, os.read(self.source, PIPE_BYTES))

    def close(self) -> None:
        for descriptor in (self.before, self.source, self.entry):
            os.close(descriptor)


class Console:
    """What stands in the place of this process's stdout and stderr. One run after the other may use it."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._ends = 0  # how many logs were ended: an answer that came too late is not taken for that of the next one
        self._guard = threading.Lock()  # over the numbers of descriptors: one that was closed may be another file's by now
        self._streams: list[TextIOWrapper] = []
        self.is_open = True
        self._channels = [_Channel(stream, numbers) for stream, numbers in _streams()]
        self._control, theirs = (_lifted(end.detach()) for end in socket.socketpair())
        os.set_blocking(self._control, True)  # whatever time-out the program has chosen for its sockets
        try:
            self._starter = _start_witness(theirs, self._channels)
        except OSError:
            self._close_descriptors()
            raise
        finally:
            os.close(theirs)
        try:
            threading.Thread(target=self._watch, name="drupe-console", daemon=True).start()
        except RuntimeError as fault:  # Python starts no more threads: the process is ending
            self._close_descriptors()
            raise OSError(str(fault)) from fault

    def has_moved(self) -> bool:
        """True when the program has led stdout or stderr elsewhere since this was opened, or the witness is gone."""
        with self._guard:
            return not self.is_open or any(
                not _is_open(number) or not _same(number, channel.before) for channel in self._channels for number in channel.numbers
            )

    def begin(self, folder: Path, sequence: str, max_bytes: int, *, locked: Path | None = None) -> None:
        """Keep what is printed from now on in a folder; the file `locked`, if there is one, is locked until all of it is kept."""
        _flush()
        with self._guard, _lock_on(locked) as descriptors:
            if not self.is_open:
                return
            self._order(f"run {os.fsencode(folder).hex()} {sequence} {max_bytes}{' locked' if descriptors else ''}\n", descriptors)
            for channel in self._channels:
                channel.enter()
        for stream in (sys.stdout, sys.stderr):
            # a stream that led to a file writes in blocks; lines must be there when the process is killed, and for who follows them
            if isinstance(stream, TextIOWrapper) and not stream.line_buffering and _number(stream) in (1, 2):
                stream.reconfigure(line_buffering=True)
                self._streams.append(stream)

    def end(self) -> bool:
        """Lead stdout and stderr back and finish the log; False when the witness does not say in time that it is written."""
        _flush()
        for stream in self._streams:
            with contextlib.suppress(ValueError):  # closed by the program
                stream.reconfigure(line_buffering=False)
        self._streams.clear()
        with self._guard:
            if not self.is_open:
                return False
            for channel in self._channels:
                channel.leave()
            self._done.clear()
            self._ends += 1
            self._order(f"end {self._ends}\n")
        return self._done.wait(WAIT_S) and self.is_open

    def note(self, text: str) -> None:
        """Add lines to the log that were not printed, as of stderr."""
        with self._guard:
            if self.is_open:
                self._order(f"note {text.encode('utf-8', 'surrogateescape').hex()}\n")

    def close(self) -> None:
        """Let the witness go; it leaves when nothing that inherited its channels is left."""
        with self._guard, contextlib.suppress(OSError):
            if self.is_open:
                with socket.socket(fileno=os.dup(self._control)) as control:
                    control.shutdown(socket.SHUT_RDWR)  # the watching thread closes the rest

    def _order(self, text: str, descriptors: Sequence[int] = ()) -> None:
        with contextlib.suppress(OSError):  # the watching thread finds out
            if not descriptors:
                os.write(self._control, text.encode())
                return
            control = socket.socket(fileno=self._control)
            try:
                control.setblocking(True)
                socket.send_fds(control, [text.encode()], descriptors)
            finally:
                control.detach()

    def _watch(self) -> None:
        self._starter.wait()
        told = b""
        while True:
            try:
                answer = os.read(self._control, 4096)
            except BlockingIOError:  # in the moment before `_order` has made it blocking again
                continue
            except OSError:
                answer = b""
            if not answer:
                break
            *lines, told = (told + answer).split(b"\n")
            for line in lines:
                if line == b"done %d" % self._ends:
                    self._done.set()
                elif line.startswith(b"broken "):
                    with self._guard:
                        channel = self._channels[int(line[7:])]
                        channel.is_broken = True
                        channel.leave()  # the program's own next print meets the fault, as it would without us
        with self._guard:
            self.is_open = False
            for channel in self._channels:
                channel.leave()
                channel.spill()
            self._close_descriptors()
        self._done.set()

    def _close_descriptors(self) -> None:
        for channel in self._channels:
            channel.close()
        os.close(self._control)

    def forget(self) -> None:
        """Let go of this in a forked child, which prints into the channels like any child and has no part in their upkeep."""
        if self.is_open:
            self.is_open = False
            for channel in self._channels:
                os.close(channel.source)
            os.close(self._control)


@contextlib.contextmanager
def _lock_on(path: Path | None) -> Iterator[list[int]]:
    """A descriptor of the file, if it is there, with a lock that lasts as long as any copy of the descriptor."""
    descriptors: list[int] = []
    if path is not None:
        with contextlib.suppress(OSError):
            descriptors.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
            fcntl.flock(descriptors[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield descriptors
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _after_fork() -> None:
    global _console, _lock
    _lock = threading.Lock()  # another thread may have held it
    if _console is not None:
        _console.forget()
        _console = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _streams() -> list[tuple[str, tuple[int, ...]]]:
    numbers = [number for number, stream in ((1, sys.__stdout__), (2, sys.__stderr__)) if stream is not None and _is_output(number)]
    if len(numbers) == 2 and all(map(os.isatty, numbers)) and _same(1, 2):
        return [("terminal", (1, 2))]
    return [({1: "stdout", 2: "stderr"}[number], (number,)) for number in numbers]


def _start_witness(control: int, channels: list[_Channel]) -> subprocess.Popen[bytes]:
    root = str(Path(drupe.__file__).parents[1])
    described = [f"{channel.stream}:{channel.source}:{channel.before}" for channel in channels]
    program = _lifted(_process_descriptor())
    descriptors = [control, program, *(descriptor for channel in channels for descriptor in (channel.source, channel.before))]
    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", START, root, str(os.getpid()), str(control), str(program), *described],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            pass_fds=[descriptor for descriptor in descriptors if descriptor >= 0],
        )
    finally:
        if program >= 0:
            os.close(program)


def _process_descriptor() -> int:
    """What tells of this process's death, also when it is over before the witness has started; -1 where there is no such thing."""
    try:
        return os.pidfd_open(os.getpid())
    except (AttributeError, OSError):  # not Linux, or an old one
        return -1


def _terminal(like: int) -> tuple[int, int]:
    """A pseudo-terminal that passes bytes on as they are, otherwise set as the terminal `like` is: controlling end and the other."""
    source, entry = os.openpty()
    mode = termios.tcgetattr(like)
    mode[1] &= ~termios.OPOST  # the real one does that
    mode[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
    termios.tcsetattr(entry, termios.TCSANOW, mode)
    fcntl.ioctl(entry, termios.TIOCSWINSZ, fcntl.ioctl(like, termios.TIOCGWINSZ, b"\0" * 8))
    return source, entry


def _lifted(descriptor: int) -> int:
    """The same at a number that is none of the standard streams', which may be closed."""
    if descriptor >= FIRST_FREE or descriptor < 0:
        return descriptor
    lifted = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_FREE)
    os.close(descriptor)
    return lifted


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _is_output(number: int) -> bool:
    """False where the stream was closed, also when its number is that of a file that is read by now."""
    return _is_open(number) and fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def _same(one: int, other: int) -> bool:
    """True when two descriptors lead to one file, pipe or terminal."""
    first, second = os.fstat(one), os.fstat(other)
    return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)


def _number(stream: TextIOWrapper) -> int:
    try:
        return stream.fileno()
    except (OSError, ValueError):  # closed, or no file
        return -1


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # None, full, closed: not this room's to tell
            stream.flush()
