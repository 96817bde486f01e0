"""The installation as its pages are told it: plugins in every state, and the state of the server with nothing secret in it."""

from __future__ import annotations

from pathlib import Path

from drupe_store_sql.migrations import NEWEST
from plugins.server_rest.tests.served import start
from plugins.ui_web.tests.conftest import Ui


def test_every_plugin_is_told_with_its_offers(ui: Ui) -> None:
    found = {plugin["name"]: plugin for plugin in ui.get("plugins")["plugins"]}
    web = found["ui-web"]
    assert (web["state"], web["reason"], web["distribution"]) == ("active", "", "drupe-ui-web")
    assert {(offer["kind"], offer["name"], offer["state"]) for offer in web["offers"]} == {
        ("set of server routes", "ui-web", "ready"),
        ("command", "ui", "ready"),
    }


def test_the_system_tells_its_store_and_how_long_it_runs(ui: Ui) -> None:
    ui.server.new_run()
    told = ui.get("system")
    assert told["store"]["address"].startswith("sqlite:")
    assert told["store"]["runs"] >= 1
    assert told["store"]["size_bytes"] > 0
    assert told["store"]["schema"] == NEWEST
    assert told["uptime_ms"] >= 0
    assert told["memory_bytes"] > 1_000_000
    assert told["disk"]["total_bytes"] >= told["disk"]["free_bytes"] > 0
    assert (told["waiting"], told["left_out"]) == ([], [])


BROKEN = """\
from drupe.extend import Offer, ServerRoutes, hookimpl
DRUPE_API = "1.0"

@hookimpl
def drupe_server_routes():
    return [Offer("chat", load="acme_chat:Chat", help="talks", keys=("/chat",))]

class Chat(ServerRoutes):
    @classmethod
    def open(cls, store, settings=None):
        raise RuntimeError("no token for the chat")

    def routes(self):
        return []
"""


def test_what_a_plugin_cannot_add_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "acme_chat.py").write_text(BROKEN)
    facts = tmp_path / "acme_chat-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-chat\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[drupe.plugins]\nacme-chat = acme_chat\n")
    (tmp_path / "store").mkdir()
    server = start(tmp_path / "store", env={"PYTHONPATH": str(tmp_path)})
    try:
        told = Ui(server).get("system")["left_out"]
    finally:
        server.stop()
    assert told == [{"what": "routes", "key": "/chat", "plugin": "acme-chat", "reason": "RuntimeError: no token for the chat"}]
