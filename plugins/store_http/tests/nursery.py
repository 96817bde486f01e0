"""Many servers in one process: each is `drupe server`'s own application over a store of its own, below a prefix of its own.

Reads `serve FOLDER` and `end NUMBER` a line; answers `at ADDRESS` and `ended`. A server of its own process is in `serving.start`.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn

from drupe.tracking.address import registry_store
from drupe_server_rest.app import Application
from drupe_server_rest.changes import Changes
from drupe_server_rest.commits import CommitQueue
from drupe_server_rest.connection import Connection
from drupe_server_rest.gate import Gate
from drupe_server_rest.opening import places_of, stores
from drupe_server_rest.services import Services
from drupe_server_rest.settings import ServerSettings

HOST = "127.0.0.1"


class Nursery:
    """One ASGI application that hands each request to the server whose number its path begins with."""

    def __init__(self, port: int) -> None:
        self._port, self._count = port, 0
        self._apps: dict[str, tuple[Application, CommitQueue, Services]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        number = scope["path"].split("/", 2)[1]
        await self._apps[number][0](scope, receive, send)

    async def serve(self, folder: Path) -> str:
        """The address of a new server, whose store is in an empty folder."""
        loop = asyncio.get_running_loop()
        self._count += 1
        number = str(self._count)
        settings = ServerSettings(durability="normal")
        address, tracking = stores(f"sqlite:///{folder}/drupe.db", settings)
        services = Services(tracking, registry_store(address), places_of(tracking, settings), Changes(loop))
        commits = CommitQueue(tracking, loop)
        app = Application(services, commits, Gate(HOST), prefix=f"/{number}")
        self._apps[number] = (app, commits, services)
        return f"http://{HOST}:{self._port}/{number}"

    async def end(self, number: str) -> None:
        """Close a server and its store."""
        app, commits, services = self._apps.pop(number)
        await commits.close()
        app.close()
        services.tracking.close()
        services.registry.close()


async def main() -> None:
    with socket.create_server((HOST, 0), backlog=1024) as listener:
        nursery = Nursery(listener.getsockname()[1])
        config = uvicorn.Config(
            nursery, loop="uvloop", http=Connection, ws="none", lifespan="off", interface="asgi3", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        while line := await asyncio.to_thread(sys.stdin.readline):
            word, _, rest = line.strip().partition(" ")
            if word == "serve":
                print("at", await nursery.serve(Path(rest)), flush=True)
            else:
                await nursery.end(rest)
                print("ended", flush=True)
        server.should_exit = True
        await serving


if __name__ == "__main__":
    asyncio.run(main())
