"""Stands between clients and a server and cuts connections: before a request is through, while its answer comes, or just before.

A process of its own (`cut_between`); SIGUSR1 makes it cut nothing any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import struct
from collections.abc import Iterator

__all__ = ["cut_between"]

PIECE = 1 << 16
CHANCE = 0.04


@contextlib.contextmanager
def cut_between(port: int, seed: int) -> Iterator[tuple[int, int]]:
    """A port that leads to `port`, mostly, and the process that makes it so."""
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_serve(listener, port, random.Random(seed)))
        finally:
            os._exit(0)
    found = listener.getsockname()[1]
    listener.close()
    try:
        yield found, child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


async def _serve(listener: socket.socket, port: int, chance: random.Random) -> None:
    is_cutting = [True]
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, is_cutting.clear)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, answers = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()
            return

        async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while piece := await source.read(PIECE):
                    if is_cutting and chance.random() < CHANCE:
                        target.write(piece[: chance.randrange(len(piece) + 1)])  # nothing, half of it, or all of it
                        with contextlib.suppress(OSError):
                            await target.drain()
                        for end in (writer, answers):
                            _break(end)
                        return
                    target.write(piece)
                    await target.drain()
            target.close()

        await asyncio.gather(carry(reader, answers), carry(there, writer), return_exceptions=True)
        for end in (writer, answers):
            end.close()

    async with await asyncio.start_server(meet, sock=listener):
        await asyncio.Event().wait()


def _break(writer: asyncio.StreamWriter) -> None:
    """With a reset rather than an end."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
