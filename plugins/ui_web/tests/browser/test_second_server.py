"""A page of a server that shows the store of another: what is done on the other one appears, although the page asks for it by itself only
when it hears of it, and no request of the page has the other one's password.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from plugins.asgi.tests.asking import started
from plugins.server_rest.tests.served import Served
from plugins.ui_web.tests.browser.conftest import watched
from plugins.ui_web.tests.browser.making import Home
from plugins.ui_web.tests.door import Door

PASSWORD = "s3cr3t-of-ada"


@pytest.fixture
def door(server: Home) -> Iterator[Door]:
    made = Door(server.address.port or 0, "ada", PASSWORD)
    yield made
    made.close()


@pytest.fixture
def second(door: Door, tmp_path: Path) -> Iterator[Served]:
    """`drupe ui` that shows the store of the server, behind a login."""
    served = Served(*started(["drupe", "ui", "--no-browser", "--store", door.url], tmp_path))
    yield served
    assert served.stop() == 0


def test_what_is_registered_on_the_other_server_appears_at_once(visitor: Any, server: Home, door: Door, second: Served) -> None:
    with watched(visitor, Home(second.process, second.url, server.folder)) as (page, faults):
        told: list[str] = []
        page.on("response", lambda reply: told.append(f"{reply.request.all_headers()} {reply.url} {reply.all_headers()}"))
        page.goto(f"{second.url}/models?search=elsewhere")
        expect(page.get_by_role("heading", name="No model found")).to_be_visible()
        server.post("registered-models/create", name="made elsewhere")
        expect(page.get_by_role("link", name="made elsewhere")).to_be_visible()
        assert told
        assert not [one for one in told if PASSWORD in one or "authorization" in one.lower()]
    assert faults == []
    assert (door.watched, door.refused) == (1, 0)
