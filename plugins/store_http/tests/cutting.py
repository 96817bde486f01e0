"""A TCP proxy in front of a server, which passes everything on until it is told to break something."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

__all__ = ["Cutter"]

PIECE = 1 << 16
TIMEOUT_S = 60


class Cutter:
    """Listens at `port`, under TLS if there is a `context`, and passes on to 127.0.0.1:`target`.

    What is broken is counted in `broken`, what came from the server in `down_bytes`, what went to it in `up_bytes`.
    """

    def __init__(self, target: int, context: ssl.SSLContext | None = None) -> None:
        self._target, self._context = target, context
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.broken = self.down_bytes = self.up_bytes = 0
        self._lost: bytes | None = None
        self._down: int | None = None
        self._up: int | None = None
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    def lose_answer(self, marker: bytes) -> None:
        """The next request that holds `marker` reaches the server; its answer goes no further, and the connection breaks."""
        self._lost = marker

    def cut_download(self, after_bytes: int) -> None:
        """The next connection that brings so many bytes to a client breaks there."""
        self._down = after_bytes

    def cut_upload(self, after_bytes: int) -> None:
        """The next connection that brings so many bytes to the server breaks there."""
        self._up = after_bytes

    def close(self) -> None:
        """Take no more connections."""
        # a thread that is left waiting for the socket's number would accept for whoever gets that number next
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                client.settimeout(TIMEOUT_S)
                if self._context is not None:
                    client = self._context.wrap_socket(client, server_side=True)
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            state = {"loses": False}
            threading.Thread(target=self._upwards, args=(client, server, state), daemon=True).start()
            threading.Thread(target=self._downwards, args=(client, server, state), daemon=True).start()

    def _upwards(self, client: socket.socket, server: socket.socket, state: dict[str, bool]) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := client.recv(PIECE):
                passed += len(piece)
                self.up_bytes += len(piece)
                if self._lost is not None and self._lost in piece:
                    self._lost, state["loses"] = None, True
                if self._up is not None and passed > self._up:
                    self._up = None
                    self._break(client, server)
                    return
                server.sendall(piece)
            server.shutdown(socket.SHUT_WR)

    def _downwards(self, client: socket.socket, server: socket.socket, state: dict[str, bool]) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := server.recv(PIECE):
                if state["loses"]:
                    self._break(client, server)
                    return
                if self._down is not None and passed + len(piece) > self._down:
                    client.sendall(piece[: self._down - passed])
                    self._down = None
                    self._break(client, server)
                    return
                passed += len(piece)
                self.down_bytes += len(piece)
                client.sendall(piece)
        for end in (client, server):
            end.close()

    def _break(self, *ends: socket.socket) -> None:
        self.broken += 1
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
