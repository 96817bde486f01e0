"""Running an application on uvicorn: where it listens, how its connections behave, and how it ends after SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from drupe.errors import InvalidSettings, StoreUnavailable
from drupe_asgi.application import HttpApplication
from drupe_asgi.connection import MOST_CONNECTIONS, PATIENCE_S, Connection
from drupe_asgi.gate import is_loopback
from drupe_asgi.workers import PARCEL_BYTES, Place

__all__ = ["BACKLOG", "answer_requests", "check_may_listen", "collect_seldom", "listening", "log_requests", "server_config", "url_of"]

DRAIN_S = 10
BACKLOG = 1024
OBJECTS_BETWEEN_COLLECTIONS = 50_000
KEPT_DESCRIPTORS = 600
KEEP_UP_EVERY_S = 0.5
LOOK_AGAIN_S = 0.002


def check_may_listen(host: str, open_to_all: bool) -> None:
    """Raises InvalidSettings where other machines would be let in without anybody having said so."""
    if not is_loopback(host) and not open_to_all:
        raise InvalidSettings(
            f"--host {host} lets other machines in, and nobody has to log in here. Put a proxy with a login in front of it, "
            "or say that this is meant: --open-to-all"
        )


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that is bound there. Raises StoreUnavailable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as fault:
            raise StoreUnavailable(
                f"cannot listen on {host}:{port}: {fault.strerror}. Choose another port with --port, or 0 for any that is free"
            ) from fault
        yield listener


def url_of(listener: socket.socket, prefix: str = "") -> str:
    """The address under which it is reached from here; one that listens on all addresses is reached on this machine's own."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{prefix.rstrip('/')}"


def server_config(application: Any, *, patience_s: float = PATIENCE_S, drain_s: int = DRAIN_S) -> uvicorn.Config:
    """How an application is run: one process, its own connections, no headers and no log lines of uvicorn's."""
    return uvicorn.Config(
        application,
        loop="none",
        http=partial(Connection, patience_s=patience_s, most_connections=_most_connections()),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=drain_s,
        backlog=BACKLOG,
    )


async def answer_requests(
    app: HttpApplication,
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    patience_s: float = PATIENCE_S,
    ending: Callable[[], None] = lambda: None,
    place: Place | None = None,
    heard: Callable[[Any], None] = lambda change: None,
) -> None:
    """Answer what comes at the listener until SIGTERM or SIGINT, and then what has begun.

    `ready` is called when it can be asked, `ending` when it is about to end; a worker at a `place` ends with its supervisor, too, and calls
    `heard` with what other workers tell it.
    """
    server = _Server(server_config(app, patience_s=patience_s), ending)
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(LOOK_AGAIN_S)
    counting = None
    if place is not None:
        counting = asyncio.create_task(_keep_up(app, place))
        asyncio.get_running_loop().add_reader(place.line, _hear, place, server, heard)
    if server.started:
        ready()
    try:
        await serving
    finally:
        if counting is not None:
            counting.cancel()
        app.keep_counts()


def log_requests() -> None:
    """Have a line of JSON for each request written to standard output."""
    access = logging.getLogger("drupe.server.access")
    access.setLevel(logging.INFO)
    access.propagate = False
    lines = logging.StreamHandler(sys.stdout)
    lines.setFormatter(logging.Formatter("%(message)s"))
    access.addHandler(lines)


def collect_seldom() -> None:
    """A page of a thousand runs is made of fifty thousand objects that all live until it is sent: looking for garbage among them costs a fifth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


class _Server(uvicorn.Server):
    """Tells the application first that it is about to end, and hands signals back when it has."""

    def __init__(self, config: uvicorn.Config, ending: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self.ending = ending

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal does not wait."""
        self.ending()
        super().handle_exit(sig, frame)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn does it, but the signals are not raised again afterwards: the command ends in order."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def _keep_up(app: HttpApplication, place: Place) -> None:
    while True:
        await asyncio.sleep(KEEP_UP_EVERY_S)
        place.catch_up()
        app.keep_counts()


def _hear(place: Place, server: _Server, heard: Callable[[Any], None]) -> None:
    """What comes from the supervisor: changes that other workers tell, or its end, which is this worker's too."""
    try:
        parcel = place.line.recv(PARCEL_BYTES)
    except BlockingIOError:
        return
    except ConnectionError:
        parcel = b""
    if parcel:
        heard(json.loads(parcel))
        return
    asyncio.get_running_loop().remove_reader(place.line)
    server.ending()
    server.should_exit = True


def _most_connections() -> int:
    """As many as there are descriptors for, less what files and the store need; the system's limit is raised first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + KEPT_DESCRIPTORS
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(min(MOST_CONNECTIONS, soft - KEPT_DESCRIPTORS), soft // 2)
