"""What changes on one server is heard by the pages of another that shows its store: at once, over one connection, with credentials that no
page sees, and again after the first one was away.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from plugins.asgi.tests.asking import started
from plugins.server_rest.tests.served import Served, start

from .door import Door

USER, PASSWORD = "ada", "s3cr3t-of-ada"
CHANGES = "/api/drupe/changes"
MISSED = {"kind": "missed"}
Heard = Callable[[], Any]


class Sides:
    """A server, the door before it, and `drupe ui` that shows its store through the door."""

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self._ends = ends
        for name in ("first", "second"):
            (folder / name).mkdir()
        self.first = start(folder / "first")
        ends.callback(self.first.stop)
        self.door = Door(self.first.address.port or 0, USER, PASSWORD)
        ends.callback(self.door.close)
        self.told = folder / "told.txt"
        stderr = ends.enter_context(self.told.open("w"))
        command = ["drupe", "ui", "--no-browser", "--store", self.door.url]
        self.second = Served(*started(command, folder / "second", stderr=stderr))
        ends.callback(self._stop_second)

    def _stop_second(self) -> None:
        if self.second.process.poll() is None:
            self.second.stop()

    def page(self, server: Served | None = None) -> Heard:
        """A page of the second server that listens: gives the next change, whatever else is said."""
        server = server or self.second
        connection = http.client.HTTPConnection(server.address.hostname or "", server.address.port, timeout=60)
        self._ends.callback(connection.close)
        connection.request("GET", CHANGES)
        reply = connection.getresponse()
        assert reply.readline() == b": listening\n"
        lines = (line.removeprefix(b"data: ") for line in reply if line.startswith(b"data: "))
        return lambda: json.loads(next(lines))


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Sides]:
    with ExitStack() as ends:
        yield Sides(tmp_path, ends)


def heard_until(heard: Heard, wanted: Any) -> list[Any]:
    """What is heard before a change, which must come."""
    before = []
    while (change := heard()) != wanted:
        before.append(change)
    return before


def test_pages_of_the_second_hear_what_changes_on_the_first(sides: Sides) -> None:
    page = sides.page()
    assert page() == MISSED  # the second has begun to listen, and what happened before it did is not known
    run_id = sides.first.new_run()
    sides.first.post("runs/log-metric", run_id=run_id, key="loss", value=1, timestamp=1, step=0)
    sides.first.post("runs/set-tag", run_id=run_id, key="team", value="red")
    sides.first.post("registered-models/create", name="forest")
    sides.first.put_file(f"0/{run_id}/artifacts/a.txt", b"a")
    assert [page() for _ in range(5)] == [
        {"kind": "run", "experiment_id": "0", "run_id": run_id},
        {"kind": "metric", "run_id": run_id},
        {"kind": "tag", "run_id": run_id},
        {"kind": "model", "name": "forest"},
        {"kind": "artifact", "path": f"0/{run_id}/artifacts/a.txt"},
    ]


def test_the_first_is_listened_to_once_for_all_pages_and_for_none_not_at_all(sides: Sides) -> None:
    sides.second.new_run()
    assert sides.door.watched == 0
    pages = [sides.page() for _ in range(3)]
    heard_until(pages[0], MISSED)
    run_id = sides.first.new_run()
    for page in pages:
        heard_until(page, {"kind": "run", "experiment_id": "0", "run_id": run_id})
    assert sides.door.watched == 1
    assert b"\ndrupe_listeners 1\n" in sides.first.ask("GET", "/metrics").body
    assert b"\ndrupe_listeners 3\n" in sides.second.ask("GET", "/metrics").body


def test_credentials_for_the_first_stay_in_the_second(sides: Sides) -> None:
    connection = http.client.HTTPConnection(sides.second.address.hostname or "", sides.second.address.port, timeout=60)
    connection.request("GET", CHANGES)  # as a page does, which knows of no login
    reply = connection.getresponse()
    lines = [reply.readline() for _ in range(3)]
    assert lines[2] == b'data: {"kind": "missed"}\n'
    told = str(reply.getheaders()) + str(lines) + sides.second.ask("GET", "/api/drupe/ui/system").body.decode()
    connection.close()
    assert (sides.door.watched, sides.door.refused) == (1, 0)
    assert PASSWORD not in told
    assert "WWW-Authenticate" not in told
    sides.door.shut()
    sides.page()
    assert PASSWORD not in sides.told.read_text()


def test_after_an_outage_pages_are_told_that_they_missed_some_and_hear_again(sides: Sides) -> None:
    page = sides.page()
    heard_until(page, MISSED)
    sides.door.shut()
    sides.first.new_run("0", run_name="made while nobody could hear")
    sides.door.open()
    assert page() == MISSED
    run_id = sides.first.new_run()
    assert page() == {"kind": "run", "experiment_id": "0", "run_id": run_id}


def test_a_second_server_ends_at_once_while_it_listens(sides: Sides) -> None:
    page = sides.page()
    heard_until(page, MISSED)
    assert sides.second.stop() == 0
    assert "Traceback" not in sides.told.read_text()


def test_a_third_hears_through_the_second(sides: Sides, tmp_path: Path) -> None:
    command = ["drupe", "ui", "--no-browser", "--store", sides.second.url]
    third = Served(*started(command, tmp_path))
    try:
        page = sides.page(third)
        heard_until(page, MISSED)
        heard_until(page, MISSED)
        run_id = sides.first.new_run()
        assert page() == {"kind": "run", "experiment_id": "0", "run_id": run_id}
    finally:
        third.stop()
