"""Many servers in one process: each is `drupe server`'s own application over a store of its own, below a prefix of its own.

Reads `serve FOLDER` and `end NUMBER` a line; answers `at ADDRESS` and `ended`. A server of its own process is in `serving.start`.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvicorn

from drupe.tracking.address import registry_store
from drupe_asgi.connection import Connection
from drupe_asgi.gate import Gate
from drupe_server_rest.app import Application
from drupe_server_rest.changes import Changes
from drupe_server_rest.commits import CommitQueue
from drupe_server_rest.opening import places_of, stores
from drupe_server_rest.services import Services
from drupe_server_rest.settings import ServerSettings

HOST, FILE = "127.0.0.1", "drupe.db"


class Nursery:
    """One ASGI application that hands each request to the server whose number its path begins with."""

    def __init__(self, port: int, empty: Path) -> None:
        self._port, self._count, self._empty = port, 0, empty
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
        self._copy_empty_store(folder)
        address, tracking = stores(f"sqlite:///{folder}/{FILE}", settings)
        services = Services(tracking, registry_store(address), places_of(address, tracking, settings), Changes(loop))
        commits = CommitQueue(tracking, loop)
        app = Application(services, commits, Gate(HOST), prefix=f"/{number}")
        self._apps[number] = (app, commits, services)
        return f"http://{HOST}:{self._port}/{number}"

    def _copy_empty_store(self, folder: Path) -> None:
        """Making the tables takes longer than most tests, so that is done once; what differs is where the default experiment has its files."""
        made = self._empty / FILE
        if not made.exists():
            stores(f"sqlite:///{made}", ServerSettings(durability="normal"))[1].close()
        shutil.copyfile(made, folder / FILE)
        with contextlib.closing(sqlite3.connect(folder / FILE)) as database, database:
            database.execute("PRAGMA synchronous = OFF")
            database.execute("UPDATE experiments SET artifact_location = replace(artifact_location, ?, ?)", (str(self._empty), str(folder)))

    async def end(self, number: str) -> None:
        """Close a server and its store."""
        app, commits, services = self._apps.pop(number)
        await commits.close()
        app.close()
        services.tracking.close()
        services.registry.close()


async def main() -> None:
    with socket.create_server((HOST, 0), backlog=1024) as listener, tempfile.TemporaryDirectory(prefix="drupe-nursery-") as empty:
        nursery = Nursery(listener.getsockname()[1], Path(empty))
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
