"""The process at the other end of a program's stdout and stderr: passes on what comes, keeps it, and sees how the program dies.

It is a process of its own so that nothing is lost when the program is killed, and so that printing never waits for the program's own
interpreter. It belongs to no terminal, reads orders from `control` and leaves when the program, and whatever inherited its output, is
gone. Started by `capture` with `python -I -S`; nothing beyond the standard library is imported here, for the sake of a quick start.

Orders: `run <folder in hex> <sequence> <most bytes>` begins a log, `note <text in hex>` adds to it, `end <n>` finishes it and is answered
with `done <n>`. `broken <n>` tells that channel `n` no longer reaches the place that the program printed to. With `run … locked` comes a
descriptor of a locked file: who finds the program dead waits for that lock before it takes the log away (see `evidence.is_witnessed`).
"""

from __future__ import annotations

import _socket  # `socket` itself takes milliseconds to import
import contextlib
import fcntl
import os
import select
import signal
import struct
import sys
import termios
import time

from drupe.tracking.console.logbook import Logbook
from drupe.tracking.console.parts import death_name
from drupe.tracking.console.screen import Screen

__all__ = ["Channel", "Witness", "main"]

READ_BYTES = 256 * 1024
BATCH_MS = 3  # what is printed within it is passed on together: a busy printer wakes this process 300 times a second, not 100 000
READS_MIN = 16  # one read takes all that a pipe holds, and a few what a pseudo-terminal does, 4 KB each
DRAIN_S = 1.0  # a child that prints for ever must not hold up the end of its parent's run
IN_FLIGHT_MS = 30  # what was written to a pseudo-terminal is readable a moment later
REAPED_S = 10.0  # how long to wait for the exit status of a program that nobody has reaped yet
REAPED_SOON_S = 1.0  # how long others wait for it
MOST_AT_ONCE = 8  # descriptors; one comes with an order
PIDFD_GET_INFO, PIDFD_INFO_BYTES, PIDFD_INFO_EXIT = 0xC040FF0B, 64, 1 << 3  # Linux 6.15 and later tell anybody who holds a descriptor
PIDFD_EXIT_CODE_AT = 60


class Channel:
    """One stream: where its bytes come from, and the descriptor that they go on to."""

    def __init__(self, stream: str, source: int, target: int) -> None:
        self.stream, self.source, self.target = stream, source, target
        os.set_blocking(source, False)
        self.is_open, self.is_broken = True, False
        self.screen = Screen()
        self._size = b""

    def read(self) -> bytes:
        """What there is. `is_open` becomes False when the last writer has closed it."""
        try:
            printed = os.read(self.source, READ_BYTES)
        except BlockingIOError:  # it was drained a moment ago
            return b""
        except OSError:  # how a pseudo-terminal says that its other side is closed
            printed = b""
        self.is_open = bool(printed)
        return printed

    def pass_on(self, printed: bytes) -> bool:
        """Write to where the program printed to; False once that fails."""
        if self.is_broken:
            return True
        view = memoryview(printed)
        while view:
            try:
                view = view[os.write(self.target, view) :]
            except BlockingIOError:  # somebody made the terminal non-blocking
                select.select([], [self.target], [])
            except OSError:
                self.is_broken = True
                return False
        return True

    def follow_size(self) -> None:
        """Give the pseudo-terminal the size of the terminal."""
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(self.target, termios.TIOCGWINSZ, b"\0" * 8)
            if size != self._size:
                self._size = size
                fcntl.ioctl(self.source, termios.TIOCSWINSZ, size)


class Witness:
    """The loop. `program` is the descriptor (pidfd) of the process with that `pid`, or -1 where there are none."""

    def __init__(self, control: int, channels: list[Channel], pid: int, program: int = -1) -> None:
        self._control, self._channels, self._pid, self._program = control, channels, pid, program
        self._log: Logbook | None = None
        self._folder = ""
        self._told = b""  # what is not yet a whole line
        self._orders: list[str] = []  # heard and not yet carried out
        self._line = _socket.socket(fileno=os.dup(control))
        self._received: list[int] = []  # descriptors that came with orders which are not yet carried out
        self._lock, self._is_locked = -1, False
        self._has_control, self._died_at_ms, self._died_at, self._is_reaped = True, 0, 0.0, program < 0
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        for channel in channels:
            self._poll.register(channel.source, select.POLLIN)
        if program >= 0:
            self._poll.register(program, select.POLLIN)
        self._only_control = select.poll()
        self._only_control.register(control, select.POLLIN)

    def serve(self) -> None:
        """Until program and output are gone."""
        leave_at = 0.0
        while True:
            if not self._has_control and not any(channel.is_open for channel in self._channels):
                if not leave_at:
                    leave_at = time.monotonic() + REAPED_S
                    self._end_log()  # before others see that all is over
                    self._let_go()
                if self._is_reaped or not self._folder or time.monotonic() > leave_at:
                    break
            # once a second only where something is waited for that no descriptor tells: a new size of the terminal, the end of the wait
            is_timed = leave_at or any(channel.stream == "terminal" for channel in self._channels)
            ready = dict(self._poll.poll(50 if self._died_at and self._is_locked else 1000 if is_timed else None))
            # orders first: one to begin a log was given before what goes into it was printed, but perhaps after the system had looked at control
            while self._is_ordered():
                self._hear()
                self._obey()
            for channel in self._channels:
                if channel.stream == "terminal" and channel.is_open:
                    channel.follow_size()
                if channel.source in ready and channel.is_open:
                    self._take(channel)
            self._obey()
            if self._has_control:
                self._only_control.poll(BATCH_MS)
            if self._program in ready:
                self._see_death(ready[self._program])
            if self._died_at and self._is_locked and (self._is_reaped or time.monotonic() - self._died_at > REAPED_SOON_S):
                self._drain()
                self._unlock()
        self._end_log()
        self._take_lock(-1)
        self._line.close()

    def _let_go(self) -> None:
        """Close what the program printed to: who reads that until its end, and reaps the program only then, is not to wait for us."""
        for target in {channel.target for channel in self._channels}:
            os.close(target)

    def _take(self, channel: Channel) -> None:
        printed = channel.read()
        if not channel.is_open:
            self._poll.unregister(channel.source)
            os.close(channel.source)
            return
        while self._log is None and self._is_ordered():  # what was read may have been printed after an order that was not heard yet
            self._hear()
            while self._orders and self._log is None:  # what follows the order to begin a log comes after what was read
                self._carry_out(self._orders.pop(0))
        if self._log is not None:
            now_ms = time.time_ns() // 1_000_000
            self._log.write(now_ms, channel.stream, channel.screen.feed(printed))
            piece = channel.screen.overlong()
            if piece:
                self._log.write(now_ms, channel.stream, [piece], is_whole=False)
        if not channel.pass_on(printed) and self._has_control:
            self._tell(b"broken %d\n" % self._channels.index(channel))

    def _is_ordered(self) -> bool:
        return self._has_control and bool(self._only_control.poll(0))

    def _hear(self) -> None:
        """Read what was ordered, or that nobody gives orders any more."""
        try:
            told, ancillary, _, _ = self._line.recvmsg(65536, _socket.CMSG_SPACE(MOST_AT_ONCE * 4))
        except OSError:
            told, ancillary = b"", []
        if not told:
            self._has_control = False
            self._poll.unregister(self._control)
            if self._program < 0:
                self._died_at_ms, self._died_at = time.time_ns() // 1_000_000, time.monotonic()
                self._note_death({})
            return
        for _, _, numbers in ancillary:
            self._received += struct.unpack(f"={len(numbers) // 4}i", numbers)
        *orders, self._told = (self._told + told).split(b"\n")
        self._orders += [order.decode() for order in orders]

    def _obey(self) -> None:
        while self._orders:
            self._carry_out(self._orders.pop(0))

    def _carry_out(self, order: str) -> None:
        word, *rest = order.split(" ")
        if word == "run":
            self._end_log()
            self._take_lock(self._received.pop(0) if rest[3:] and self._received else -1)
            self._folder = bytes.fromhex(rest[0]).decode("utf-8", "surrogateescape")
            self._log = Logbook(self._folder, rest[1], max_bytes=int(rest[2]))
        elif word == "note" and self._log is not None:
            self._drain()
            self._log.write(time.time_ns() // 1_000_000, "stderr", bytes.fromhex(rest[0]).rstrip(b"\n").split(b"\n"))
        elif word == "end":
            self._drain()
            self._end_log()
            self._take_lock(-1)
            self._folder = ""
            self._tell(f"done {rest[0]}\n".encode())

    def _drain(self) -> None:
        """Take what is in the channels now, all of it however late this process gets its turn."""
        for channel in self._channels:
            until, reads = time.monotonic() + DRAIN_S, 0
            grace = IN_FLIGHT_MS if channel.stream == "terminal" else 0
            poll = select.poll()
            if channel.is_open:
                poll.register(channel.source, select.POLLIN)
            while channel.is_open and poll.poll(grace):
                self._take(channel)
                reads += 1
                if time.monotonic() > until and reads >= READS_MIN:
                    break

    def _end_log(self) -> None:
        if self._log is None:
            return
        now_ms = time.time_ns() // 1_000_000
        for channel in self._channels:
            rest = channel.screen.rest()
            self._log.write(now_ms, channel.stream, [rest] if rest else [])
            channel.screen = Screen()
        self._log.close()
        self._log = None

    def _take_lock(self, descriptor: int) -> None:
        """Take a lock in the place of the last one, which is let go."""
        if self._lock >= 0:
            self._unlock()
            os.close(self._lock)
        self._lock, self._is_locked = descriptor, descriptor >= 0

    def _unlock(self) -> None:
        """Let others take care of the log: all that the program printed is in it."""
        with contextlib.suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._is_locked = False

    def _see_death(self, events: int) -> None:
        if not self._died_at_ms:
            self._died_at_ms, self._died_at = time.time_ns() // 1_000_000, time.monotonic()
            self._poll.modify(self._program, 0)  # from now on only that it was reaped, when its exit status can be told
            self._note_death({})
        if events & select.POLLHUP:
            self._is_reaped = True
            self._poll.unregister(self._program)
            status = _exit_status(self._program)
            if status is not None:
                self._note_death({"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"code": os.WEXITSTATUS(status)})

    def _note_death(self, how: dict[str, int]) -> None:
        """Leave a note in the folder of the run that was going on."""
        if not self._folder or (self._lock >= 0 and not os.fstat(self._lock).st_nlink):  # somebody has taken care of the run already
            return
        facts = {"at_ms": self._died_at_ms or time.time_ns() // 1_000_000, **how}
        place = os.path.join(self._folder, death_name(self._pid))
        with contextlib.suppress(OSError):
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            with open(f"{place}.new", "w") as note:
                note.write("{" + ", ".join(f'"{key}": {value}' for key, value in facts.items()) + "}")
            os.rename(f"{place}.new", place)

    def _tell(self, answer: bytes) -> None:
        with contextlib.suppress(OSError):  # the program is gone
            os.write(self._control, answer)


def main(arguments: list[str]) -> None:
    """`pid control program stream:source:target …`, all but the pid and the names of streams descriptors. Returns when all is over."""
    if os.fork():
        os._exit(0)  # an orphan is no child that the program's own os.wait() would find, or wait for
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the program; this process ends after it
    pid, control, program = map(int, arguments[:3])
    channels = [Channel(stream, int(source), int(target)) for stream, source, target in (entry.split(":") for entry in arguments[3:])]
    Witness(control, channels, pid, program).serve()


def _exit_status(program: int) -> int | None:
    """The status as `wait` has it, where the system tells it to others than the parent."""
    asked = bytearray(PIDFD_INFO_BYTES)
    struct.pack_into("=Q", asked, 0, PIDFD_INFO_EXIT)
    try:
        fcntl.ioctl(program, PIDFD_GET_INFO, asked)
    except OSError:
        return None
    if not struct.unpack_from("=Q", asked)[0] & PIDFD_INFO_EXIT:
        return None
    found: int = struct.unpack_from("=i", asked, PIDFD_EXIT_CODE_AT)[0]
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
