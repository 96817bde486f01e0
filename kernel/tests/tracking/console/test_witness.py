"""The witness's own loop, in this process, where the moment at which something comes can be chosen."""

from __future__ import annotations

import os
import socket
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.tracking.console.witness import Channel, Witness

WAIT_S = 30


class Scene:
    """A witness that serves in a thread, and this process as the program that prints into its only channel."""

    def __init__(self, folder: Path, stream: str = "stdout") -> None:
        self.folder = folder
        self.program, self._control = socket.socketpair()
        source, self._entry = os.openpty() if stream == "terminal" else os.pipe()
        if stream == "terminal":
            tty.setraw(self._entry)
        self._printed, target = os.pipe()
        self.witness = Witness(self._control.fileno(), [Channel(stream, source, target)], os.getpid())
        self.control = self._control.fileno()
        self._serving = threading.Thread(target=self.witness.serve, daemon=True)

    def begin(self, name: str) -> None:
        self.program.sendall(f"run {os.fsencode(self.folder / name).hex()} console 1000000\n".encode())

    def write(self, text: str) -> None:
        os.write(self._entry, text.encode())

    def serve(self) -> None:
        self._serving.start()

    def passed_on(self, size: int) -> str:
        """What arrived where the program printed to before, once it is so many characters."""
        text = ""
        while len(text) < size:
            text += os.read(self._printed, size - len(text)).decode()
        return text

    def end(self, number: int) -> None:
        self.program.sendall(f"end {number}\n".encode())
        assert self.program.recv(100) == f"done {number}\n".encode()

    def leave(self) -> None:
        os.close(self._entry)
        self.program.close()
        self._serving.join(WAIT_S)
        assert not self._serving.is_alive()
        self._control.close()
        os.close(self._printed)

    def kept(self, name: str) -> list[str]:
        return [line.partition(" F ")[2] for log in (self.folder / name).iterdir() for line in log.read_text().splitlines()]


class LooksTooEarly:
    """As `poll` is when the process loses its turn inside it: it has looked at the first descriptor before `happens`, at the others after."""

    def __init__(self, poll: Any, first: int, happens: Callable[[], Any]) -> None:
        self._poll, self._first, self._happens = poll, first, happens

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        self._happens()
        self._happens = lambda: None
        ready, self._first, hidden = self._poll.poll(timeout), -1, self._first
        return [(descriptor, events) for descriptor, events in ready if descriptor != hidden]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._poll, name)


def test_a_line_is_kept_although_the_order_to_begin_the_log_came_while_the_witness_was_looking(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    def begin_and_print() -> None:
        scene.begin("run")
        scene.write("the first line\n")

    scene.witness._poll = LooksTooEarly(scene.witness._poll, scene.control, begin_and_print)  # type: ignore[assignment]
    scene.serve()
    assert scene.passed_on(15) == "the first line\n"
    scene.end(1)
    scene.leave()
    assert scene.kept("run") == ["the first line"]


@pytest.mark.parametrize("is_over", [False, True])
def test_a_line_is_kept_although_the_next_log_began_before_the_witness_had_its_turn_after_the_end_of_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_over: bool
) -> None:
    scene = Scene(tmp_path)
    tell = scene.witness._tell

    def tell_and_lose_the_turn(answer: bytes) -> None:
        tell(answer)
        if answer == b"done 1\n":
            scene.begin("second")
            scene.write("in the second\n")
            if is_over:
                scene.program.sendall(b"end 2\n")

    monkeypatch.setattr(scene.witness, "_tell", tell_and_lose_the_turn)
    scene.begin("first")
    scene.write("in the first\n")
    scene.program.sendall(b"end 1\n")  # line and end are both there when the witness looks
    scene.serve()
    assert scene.program.recv(7) == b"done 1\n"
    assert scene.passed_on(27) == "in the first\nin the second\n"
    if is_over:
        assert scene.program.recv(7) == b"done 2\n"
    else:
        scene.end(2)
    scene.leave()
    assert (scene.kept("first"), scene.kept("second")) == (["in the first"], ["in the second"])


@pytest.mark.parametrize("stream", ["stdout", "terminal"])
def test_what_was_printed_before_the_end_is_kept_however_late_the_witness_comes_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    seconds = iter(range(0, 100_000, 10))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(seconds)))  # ten seconds between one look at the clock and the next
    scene = Scene(tmp_path, stream)
    scene.begin("run")
    lines = [f"{n:079}" for n in range(100)]  # a pseudo-terminal gives no more than 4 KB at a time
    scene.write("\n".join(lines) + "\n")
    scene.program.sendall(b"end 1\n")
    scene.witness._hear()
    scene.witness._obey()
    assert scene.program.recv(100) == b"done 1\n"
    scene.serve()
    scene.leave()
    assert scene.kept("run") == lines
