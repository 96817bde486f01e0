"""The witness's own loop, in this process, where the moment at which something comes can be chosen."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drupe.tracking.console.witness import Channel, Witness

WAIT_S = 30


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
    program, control = socket.socketpair()
    source, entry = os.pipe()
    printed, target = os.pipe()
    folder = tmp_path / "log"
    witness = Witness(control.fileno(), [Channel("stdout", source, target)], os.getpid())

    def begin_and_print() -> None:
        program.sendall(f"run {os.fsencode(folder).hex()} console 1000000\n".encode())
        os.write(entry, b"the first line\n")

    witness._poll = LooksTooEarly(witness._poll, control.fileno(), begin_and_print)  # type: ignore[assignment]
    serving = threading.Thread(target=witness.serve)
    serving.start()
    assert os.read(printed, 100) == b"the first line\n"
    program.sendall(b"end\n")
    assert program.recv(100) == b"done\n"
    os.close(entry)
    program.close()
    serving.join(WAIT_S)
    assert not serving.is_alive()
    (log,) = folder.iterdir()
    assert log.read_text().endswith(" the first line\n")
    control.close()
    os.close(printed)
