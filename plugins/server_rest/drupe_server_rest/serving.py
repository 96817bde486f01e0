"""Running the server: uvicorn with one application, from the first line in the terminal to the last request after SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType

import uvicorn
import uvloop

from drupe.errors import InvalidSettings, StoreUnavailable
from drupe.extend import TrackingStore
from drupe.tracking.address import close_stores, registry_store
from drupe.tracking.reaper import look_after
from drupe.uris import redact
from drupe_server_rest.app import Application
from drupe_server_rest.bodies import Limits
from drupe_server_rest.changes import Changes
from drupe_server_rest.commits import CommitQueue
from drupe_server_rest.connection import MOST_CONNECTIONS, Connection
from drupe_server_rest.gate import Gate, is_loopback
from drupe_server_rest.opening import alone, is_shared, places_of, stores
from drupe_server_rest.services import Services
from drupe_server_rest.settings import ServerSettings
from drupe_server_rest.workers import PARCEL_BYTES, Place, supervise

__all__ = ["serve"]

REAP_EVERY_S = 15.0
KEEP_COUNTS_EVERY_S = 0.5
DRAIN_S = 10
BACKLOG = 1024
OBJECTS_BETWEEN_COLLECTIONS = 50_000
KEPT_DESCRIPTORS = 600

log = logging.getLogger("drupe.server")


def serve(store: str, settings: ServerSettings, started: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is being answered. `started` is called with the URL once it listens.

    Raises InvalidSettings, StoreBusy, StoreUnavailable.
    """
    if not is_loopback(settings.host) and not settings.open_to_all:
        raise InvalidSettings(
            f"--host {settings.host} lets other machines in, and nobody has to log in here. Put a proxy with a login in front of it, "
            "or say that this is meant: --open-to-all"
        )
    if settings.workers > 1 and not is_shared(store):
        raise InvalidSettings(
            f"--workers {settings.workers}: {redact(store)} is a file, and one file has one writer: further processes would wait for it, and "
            "lose what makes many writes one sync. Serve it with one, or keep the runs in PostgreSQL: drupe store copy"
        )
    with alone(store), _listening(settings) as listener:

        def work(place: Place | None, ready: Callable[[], None]) -> None:
            address, tracking = stores(store, settings)
            _collect_seldom()
            try:
                uvloop.run(_run(address, tracking, settings, listener, ready, place))
            finally:
                close_stores()

        def all_ready() -> None:
            started(_url(listener, settings))

        if settings.workers == 1:
            work(None, all_ready)
        else:
            listener.listen(BACKLOG)
            supervise(settings.workers, lambda place: work(place, place.tell_ready), all_ready)


async def _run(
    address: str,
    tracking: TrackingStore,
    settings: ServerSettings,
    listener: socket.socket,
    ready: Callable[[], None],
    place: Place | None,
) -> None:
    loop = asyncio.get_running_loop()
    changes = Changes(loop, None if place is None else place.tell)
    services = Services(tracking, registry_store(address), places_of(tracking, settings), changes)
    commits = CommitQueue(tracking, loop)
    gate = Gate(settings.host, hosts=settings.allowed_hosts, origins=settings.allowed_origins)
    app = Application(
        services,
        commits,
        gate,
        prefix=settings.prefix,
        readers=settings.readers,
        limits=Limits(settings.max_body_mb << 20, settings.patience_s),
        signed_transfers=settings.signed_transfers,
        place=place,
    )
    config = uvicorn.Config(
        app,
        loop="none",
        http=partial(Connection, patience_s=settings.patience_s, most_connections=_most_connections()),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_S,
        backlog=BACKLOG,
    )
    server = _Server(config, changes)
    reaping = asyncio.create_task(_reap(address, services))
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.002)
    beside = [reaping]
    if place is not None:
        beside.append(asyncio.create_task(_keep_counts(app)))
        loop.add_reader(place.line, _hear, place, changes, server)
    if server.started:
        ready()
    try:
        await serving
    finally:
        for task in beside:
            task.cancel()
        app.keep_counts()
        await commits.close()
        app.close()


class _Server(uvicorn.Server):
    """Ends the streams of changes first, which would otherwise keep it from ending."""

    def __init__(self, config: uvicorn.Config, changes: Changes) -> None:
        super().__init__(config)
        self._changes = changes

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal does not wait."""
        self._changes.close()
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


def _most_connections() -> int:
    """As many as there are descriptors for, less what files and the store need; the system's limit is raised first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + KEPT_DESCRIPTORS
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(min(MOST_CONNECTIONS, soft - KEPT_DESCRIPTORS), soft // 2)


async def _reap(address: str, services: Services) -> None:
    """End the runs of trainers that have died, as every reader of a store does."""
    while True:
        ended = await asyncio.to_thread(look_after, address, services.tracking, now=True)
        for run_id in ended:
            services.changes.tell("run", run_id=run_id)
        await asyncio.sleep(REAP_EVERY_S)


async def _keep_counts(app: Application) -> None:
    while True:
        await asyncio.sleep(KEEP_COUNTS_EVERY_S)
        app.keep_counts()


def _hear(place: Place, changes: Changes, server: uvicorn.Server) -> None:
    """What comes from the supervisor: changes that others have made, or its end, which is this worker's too."""
    try:
        parcel = place.line.recv(PARCEL_BYTES)
    except BlockingIOError:
        return
    except ConnectionError:
        parcel = b""
    if parcel:
        changes.hear(json.loads(parcel))
        return
    asyncio.get_running_loop().remove_reader(place.line)
    changes.close()
    server.should_exit = True


def _url(listener: socket.socket, settings: ServerSettings) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{settings.prefix.rstrip('/')}"


def _collect_seldom() -> None:
    """A page of a thousand runs is made of fifty thousand objects that all live until it is sent: looking for garbage among them costs a fifth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


@contextlib.contextmanager
def _listening(settings: ServerSettings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as fault:
            raise StoreUnavailable(
                f"cannot listen on {settings.host}:{settings.port}: {fault.strerror}. Choose another port with --port, or 0 for any that is free"
            ) from fault
        yield listener
