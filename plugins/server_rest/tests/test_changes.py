"""The listeners of a server that ends: each stream comes to its end, whatever happens in the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from drupe_server_rest.changes import KEPT, Changes


async def heard(listener: asyncio.Queue[Mapping[str, str] | None]) -> list[Mapping[str, str] | None]:
    """All that a listener finds, up to the end of its stream."""
    found: list[Mapping[str, str] | None] = []
    async with asyncio.timeout(30):
        while not found or found[-1] is not None:
            found.append(await listener.get())
    return found


def test_a_listener_that_has_not_kept_up_hears_the_end_although_something_changes_after_it() -> None:
    async def ends() -> list[Mapping[str, str] | None]:
        changes = Changes(asyncio.get_running_loop())
        async with changes.listening() as listener:
            for _ in range(KEPT):
                changes.tell("metric", run_id="r")
            changes.close()
            changes.tell("run", run_id="r")  # by a request that was being answered
            await asyncio.sleep(0)
            return await heard(listener)

    told = asyncio.run(ends())
    assert told[-1] is None
    assert {"kind": "run", "run_id": "r"} not in told


def test_a_stream_that_is_begun_while_the_server_ends_ends_at_once() -> None:
    async def ends() -> list[Mapping[str, str] | None]:
        changes = Changes(asyncio.get_running_loop())
        changes.close()
        await asyncio.sleep(0)
        async with changes.listening() as listener:
            return await heard(listener)

    assert asyncio.run(ends()) == [None]


def test_the_end_may_come_in_the_midst_of_telling() -> None:
    async def ends() -> list[Mapping[str, str] | None]:
        changes = Changes(asyncio.get_running_loop())
        async with changes.listening() as listener:
            is_full = listener.full

            def full_and_told_to_end() -> bool:
                found = is_full()
                changes.close()
                return found

            for _ in range(KEPT - 1):
                listener.put_nowait({"kind": "metric"})
            listener.full = full_and_told_to_end  # type: ignore[method-assign]
            changes.tell("run", run_id="r")
            await asyncio.sleep(0)
            listener.full = is_full  # type: ignore[method-assign]
            return await heard(listener)

    told = asyncio.run(ends())
    assert {"kind": "run", "run_id": "r"} in told
