"""A proxy on this machine that cuts connections after so many bytes of an answer, as often as it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Cutting:
    """`cuts` answers to come are cut after `after` bytes each."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.cuts, self.after, self.made = 0, 0, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        # a thread that is left waiting for the socket's number would accept for whoever gets that number next
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                if is_answer and self.cuts and passed + len(piece) > self.after:
                    self.cuts, self.made = self.cuts - 1, self.made + 1
                    break
                passed += len(piece)
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def cutting(port: int) -> Iterator[Cutting]:
    """One in front of a port, while the block runs."""
    proxy = Cutting(port)
    try:
        yield proxy
    finally:
        proxy.close()
