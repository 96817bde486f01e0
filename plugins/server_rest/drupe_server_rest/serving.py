"""Running the server: uvicorn with one application, from the first line in the terminal to the last request after SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

import uvloop

from drupe.errors import InvalidSettings
from drupe.extend import TrackingStore
from drupe.tracking.address import close_stores, registry_store
from drupe.tracking.reaper import look_after
from drupe.uris import redact
from drupe_asgi.bodies import Limits
from drupe_asgi.gate import Gate
from drupe_asgi.running import BACKLOG, answer_requests, check_may_listen, collect_seldom, listening, url_of
from drupe_asgi.workers import Place, supervise
from drupe_server_rest.app import Application
from drupe_server_rest.changes import Changes
from drupe_server_rest.commits import CommitQueue
from drupe_server_rest.opening import alone, is_shared, places_of, stores
from drupe_server_rest.relaying import Relay
from drupe_server_rest.services import Services
from drupe_server_rest.settings import ServerSettings

__all__ = ["serve"]

REAP_EVERY_S = 15.0

log = logging.getLogger("drupe.server")


def serve(store: str, settings: ServerSettings, started: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is being answered. `started` is called with the URL once it listens.

    Raises InvalidSettings, StoreBusy, StoreUnavailable.
    """
    check_may_listen(settings.host, settings.open_to_all)
    if settings.workers > 1 and not is_shared(store):
        raise InvalidSettings(
            f"--workers {settings.workers}: {redact(store)} is a file, and one file has one writer: further processes would wait for it, and "
            "lose what makes many writes one sync. Serve it with one, or keep the runs in PostgreSQL: drupe store copy"
        )
    with alone(store), listening(settings.host, settings.port) as listener:

        def work(place: Place | None, ready: Callable[[], None]) -> None:
            address, tracking = stores(store, settings)
            collect_seldom()
            try:
                uvloop.run(_run(address, tracking, settings, listener, ready, place))
            finally:
                close_stores()

        def all_ready() -> None:
            started(url_of(listener, settings.prefix))

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
    services = Services(tracking, registry_store(address), places_of(address, tracking, settings), changes)
    commits = CommitQueue(tracking, loop)
    gate = Gate(settings.host, hosts=settings.allowed_hosts, origins=settings.allowed_origins)
    app = Application(
        services,
        commits,
        gate,
        prefix=settings.prefix,
        readers=settings.readers,
        address=redact(address),
        limits=Limits(settings.max_body_mb << 20, settings.patience_s),
        signed_transfers=settings.signed_transfers,
        place=place,
    )
    relay = Relay(tracking, changes, is_shared=is_shared(address))
    reaping = asyncio.create_task(_reap(address, services))
    try:
        await answer_requests(app, listener, ready, patience_s=settings.patience_s, ending=changes.close, place=place, heard=changes.hear)
    finally:
        relay.close()
        reaping.cancel()
        await commits.close()
        app.close()


async def _reap(address: str, services: Services) -> None:
    """End the runs of trainers that have died, as every reader of a store does."""
    while True:
        ended = await asyncio.to_thread(look_after, address, services.tracking, now=True)
        for run_id in ended:
            services.changes.tell("run", run_id=run_id)
        await asyncio.sleep(REAP_EVERY_S)
