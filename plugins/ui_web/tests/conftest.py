"""One server for the tests of a module, and short ways to ask it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from plugins.server_rest.tests.served import Reply, Served, start


class Ui:
    """The routes of the web UI on a running server."""

    def __init__(self, server: Served) -> None:
        self.server = server

    def ask(self, what: str, **fields: Any) -> Reply:
        """One GET, whatever it answers."""
        return self.server.ask("GET", f"/api/drupe/ui/{what}?{urlencode(fields)}")

    def get(self, what: str, **fields: Any) -> Any:
        """One GET that must succeed; its JSON."""
        reply = self.ask(what, **fields)
        assert reply.status == 200, reply
        return reply.json

    def post(self, what: str, **form: Any) -> Any:
        """One POST that must succeed; its JSON."""
        reply = self.send(what, **form)
        assert reply.status == 200, reply
        return reply.json

    def send(self, what: str, **form: Any) -> Reply:
        """One POST, whatever it answers."""
        return self.server.ask("POST", f"/api/drupe/ui/{what}", json.dumps(form).encode(), Content_Type="application/json")

    def refused(self, what: str, **fields: Any) -> str:
        """One GET that must not succeed; its error code."""
        return self.ask(what, **fields).error

    def put(self, run_id: str, path: str, content: bytes) -> None:
        """A file among a run's artifacts."""
        reply = self.server.put_file(f"0/{run_id}/artifacts/{path}", content)
        assert reply.status == 200, reply


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = start(tmp_path_factory.mktemp("served"))
    yield served
    assert served.stop() == 0


@pytest.fixture
def ui(server: Served) -> Ui:
    return Ui(server)
