"""Stores that tell nothing of what others change: listeners are told that they have to look, where there is anything to be seen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from drupe.errors import UnsupportedFeature
from drupe.extend import Feature, Support
from drupe.testing.memory_tracking import MemoryTrackingStore
from drupe_server_rest.changes import Changes
from drupe_server_rest.relaying import Relay

MOMENT_S = 0.01


class BehindAProxy(MemoryTrackingStore):
    """Its server would tell, and a proxy keeps it back."""

    features: ClassVar[Mapping[Feature, Support]] = {**MemoryTrackingStore.features, Feature.CHANGES: Support.FULL}

    def changes(self) -> Iterator[Mapping[str, str] | None]:
        raise UnsupportedFeature("a proxy keeps it back", feature=Feature.CHANGES.name)


async def heard_first(store: MemoryTrackingStore) -> list[Mapping[str, str] | None]:
    """The first two changes that a listener hears."""
    changes = Changes(asyncio.get_running_loop())
    relay = Relay(store, changes, look_s=MOMENT_S)
    async with changes.listening() as listener:
        found = [await listener.get() for _ in range(2)]
    relay.close()
    return found


@pytest.mark.parametrize("kind", [MemoryTrackingStore, BehindAProxy])
def test_listeners_are_told_to_look_again_and_again(kind: type[MemoryTrackingStore]) -> None:
    assert asyncio.run(heard_first(kind())) == [{"kind": "unheard"}] * 2


async def works(is_shared: bool) -> bool:
    before = set(threading.enumerate())
    relay = Relay(MemoryTrackingStore(), Changes(asyncio.get_running_loop()), is_shared=is_shared)
    mine = set(threading.enumerate()) - before
    relay.close()
    for thread in mine:
        thread.join()
    return bool(mine)


def test_where_nobody_else_writes_there_is_nothing_to_do() -> None:
    assert asyncio.run(works(is_shared=True)) is True
    assert asyncio.run(works(is_shared=False)) is False
