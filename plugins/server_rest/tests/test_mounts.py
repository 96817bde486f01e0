"""Routes that plugins add: found beside the protocol, guarded as it is, and never a reason that a server does not start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugins.server_rest.tests.served import Served, start

PLUGIN = """\
from drupe.errors import InvalidValue
from drupe.extend import Access, Offer, ServerRoutes, WebReply, WebRoute, hookimpl
DRUPE_API = "1.0"

@hookimpl
def drupe_server_routes():
    return [
        Offer("chat", load="acme_chat:Chat", help="talks", keys=("/chat",)),
        Offer("deep", load="acme_chat:Deep", help="below it", keys=("/chat/deep",)),
        Offer("protocol", load="acme_chat:Chat", help="takes what is not its own", keys=("/api/2.0/mlflow/experiments",)),
        Offer("no-token", load="acme_chat:NoToken", keys=("/no-token",)),
        Offer("odd", load="acme_chat:Odd", keys=("/odd",)),
        Offer("slashes", load="acme_chat:Chat", keys=("/a//b/",)),
    ]

class Chat(ServerRoutes):
    def __init__(self, store):
        self.store = store

    @classmethod
    def open(cls, store, settings=None):
        return cls(store)

    def routes(self):
        return [
            WebRoute("GET", "hello/{who}", lambda asked: WebReply.of_form({"hello": asked.fields["who"], "base": asked.base})),
            WebRoute("GET", "rest/{path...}", lambda asked: WebReply(asked.fields["path"].encode(), "text/plain", headers={"Cache-Control": "max-age=9"})),
            WebRoute("GET", "refuses", self.refuses),
            WebRoute("GET", "fails", lambda asked: 1 / 0),
            WebRoute("GET", "search", lambda asked: WebReply.of_form({})),
            WebRoute("GET", "parts", lambda asked: WebReply(kind="text/plain", parts=iter([b"one ", b"two"]))),
            WebRoute("GET", "left-out", lambda asked: WebReply.of_form([list(one) for one in self.store.left_out()])),
            WebRoute("POST", "note", self.note, Access.WRITE),
        ]

    def refuses(self, asked):
        raise InvalidValue("say who is greeted")

    def note(self, asked):
        made = self.store.tracking.create_experiment(asked.form()["name"])
        self.store.tell("experiment", experiment_id=made.experiment_id)
        return WebReply.of_form({"id": made.experiment_id}, status=201)

class Deep(Chat):
    def routes(self):
        return [WebRoute("GET", "hello", lambda asked: WebReply(b"deep", "text/plain"))]

class NoToken(Chat):
    @classmethod
    def open(cls, store, settings=None):
        raise RuntimeError("no token for the chat")

class Odd(Chat):
    def routes(self):
        return [WebRoute("FETCH", "/x/", None)]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("mounts")
    facts = folder / "plugin" / "acme_chat-1.0.dist-info"
    facts.mkdir(parents=True)
    (folder / "plugin" / "acme_chat.py").write_text(PLUGIN)
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-chat\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[drupe.plugins]\nacme-chat = acme_chat\n")
    with (folder / "log.txt").open("w") as log:
        served = start(folder, "--prefix", "/tracking", env={"PYTHONPATH": str(folder / "plugin")}, stderr=log)
        yield served
        assert served.stop() == 0
    assert "the routes of acme-chat below /no-token are left out: RuntimeError: no token for the chat" in (folder / "log.txt").read_text()


def test_a_route_gets_the_parts_of_its_path_decoded_once(server: Served) -> None:
    assert server.ask("GET", "/chat/hello/J%C3%BCrgen%20%2541").json == {"hello": "Jürgen %41", "base": "/tracking/"}
    assert server.ask("GET", "/tracking/chat/hello/x").json["hello"] == "x"
    assert server.ask("GET", "/chat/rest/").body == b""
    assert server.ask("GET", "/chat/rest/a/b").body == b"a/b"
    assert server.ask("GET", "/chat/hello/a/b").status == 404


def test_the_longest_path_answers_first(server: Served) -> None:
    assert server.ask("GET", "/chat/deep/hello").body == b"deep"


def test_the_protocol_cannot_be_taken_away(server: Served) -> None:
    assert "experiments" in server.get("experiments/search", max_results=1)


def test_errors_are_those_of_the_protocol(server: Served) -> None:
    refused = server.ask("GET", "/chat/refuses")
    assert (refused.status, refused.error, refused.json["message"]) == (400, "INVALID_PARAMETER_VALUE", "say who is greeted")
    failed = server.ask("GET", "/chat/fails")
    assert (failed.status, failed.error) == (500, "INTERNAL_ERROR")
    assert "division" not in failed.body.decode()
    wrong = server.ask("DELETE", "/chat/hello/x")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET")
    assert server.ask("GET", "/chat/nothing").status == 404


def test_hosts_origins_and_content_types_are_checked_as_everywhere(server: Served) -> None:
    assert server.ask("GET", "/chat/hello/x", Host="evil.example").status == 403
    body = b'{"name": "a"}'
    assert server.ask("POST", "/chat/note", body, Content_Type="application/json", Origin="https://evil.example").status == 403
    assert server.ask("POST", "/chat/note", body, Content_Type="text/plain").status == 400
    assert server.ask("POST", "/chat/note", body, Content_Type="application/json").status == 201
    assert server.get("experiments/get-by-name", experiment_name="a")


def test_answers_are_safe_and_may_say_more(server: Served) -> None:
    plain = server.ask("GET", "/chat/hello/x").headers
    assert (plain["x-content-type-options"], plain["cache-control"]) == ("nosniff", "no-store")
    own = server.ask("GET", "/chat/rest/x").headers
    assert (own["cache-control"], own["content-type"]) == ("max-age=9", "text/plain")
    head = server.ask("HEAD", "/chat/rest/x")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "1")
    assert server.ask("GET", "/chat/parts").body == b"one two"


def test_what_is_left_out_is_told_with_the_reason(server: Served) -> None:
    told = {path: reason for path, _, reason in server.ask("GET", "/chat/left-out").json}
    assert set(told) == {"/no-token", "/odd", "/a//b/"}
    assert "method must be one of" in told["/odd"]
    assert "must begin with a slash, end without one" in told["/a//b/"]


def test_routes_are_counted_under_their_pattern(server: Served) -> None:
    server.ask("GET", "/chat/hello/one-name")
    figures = server.ask("GET", "/metrics").body.decode()
    assert "GET /chat/hello/{who}" in figures
    assert "one-name" not in figures
