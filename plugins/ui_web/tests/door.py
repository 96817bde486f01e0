"""A door before a server: a TCP proxy that lets in who shows a login, can be shut, and counts who asks for the changes."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading

__all__ = ["Door"]

PIECE = 1 << 16
REFUSED = b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="door"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'


class Door:
    """Listens at `url` for the server at 127.0.0.1:`target`. What asks without `user` and `password` is refused, and counted in `refused`."""

    def __init__(self, target: int, user: str, password: str) -> None:
        self._target = target
        self._key = b"Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode())
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://{user}:{password}@127.0.0.1:{self._listener.getsockname()[1]}"
        self.refused = self.watched = 0
        self._is_shut = False
        self._ends: set[socket.socket] = set()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def shut(self) -> None:
        """Break all connections, and let nobody in until `open`."""
        self._is_shut = True
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def open(self) -> None:
        """Let in again."""
        self._is_shut = False

    def close(self) -> None:
        """Take no more connections."""
        # a thread that is left waiting for the socket's number would accept for whoever gets that number next
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        self.shut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._is_shut:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._ends |= {client, server}
            threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_up: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                if is_up and b" HTTP/1.1\r\n" in piece:
                    if self._key not in piece:
                        self.refused += 1
                        source.sendall(REFUSED)
                        break
                    self.watched += piece.startswith(b"GET /api/drupe/changes ")
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
            self._ends.discard(end)
