"""A real server in a process of its own, and a small client that shows what it answers."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import IO, Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from plugins.asgi.tests.asking import WAIT_S, Process, Reply, started

__all__ = ["Reply", "Served", "start"]


class Served(Process):
    """A running server of stores."""

    @property
    def address(self) -> SplitResult:
        return urlsplit(self.url)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request on a connection of its own; header names with _ for -."""
        connection = http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=WAIT_S)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            reply = connection.getresponse()
            return Reply(reply.status, {name.lower(): text for name, text in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def call(self, method: str, path: str, fields: Any = None, **headers: str) -> Reply:
        """One call of the protocol: fields as query of a GET, else as JSON."""
        where = f"/api/2.0/mlflow/{path}"
        if method == "GET":
            return self.ask("GET", f"{where}?{urlencode(fields or {}, doseq=True)}", **headers)
        return self.ask(method, where, json.dumps(fields or {}).encode(), Content_Type="application/json", **headers)

    def post(self, path: str, **fields: Any) -> Any:
        """A POST that must succeed; its JSON."""
        reply = self.call("POST", path, fields)
        assert reply.status == 200, reply
        return reply.json

    def get(self, path: str, **fields: Any) -> Any:
        """A GET that must succeed; its JSON."""
        reply = self.call("GET", path, fields)
        assert reply.status == 200, reply
        return reply.json

    def put_file(self, path: str, content: bytes) -> Reply:
        return self.ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{quote(path)}", content)

    def get_file(self, path: str, **headers: str) -> Reply:
        return self.ask("GET", f"/api/2.0/mlflow-artifacts/artifacts/{quote(path)}", **headers)

    def new_run(self, experiment_id: str = "0", **fields: Any) -> str:
        return str(self.post("runs/create", experiment_id=experiment_id, start_time=1, **fields)["run"]["info"]["run_id"])


def start(folder: Path, *options: str, env: dict[str, str] | None = None, stderr: IO[str] | None = None) -> Served:
    """Start a server on a free port, with its store in a folder."""
    return Served(*started(["drupe", "server", *options], folder, env=env, stderr=stderr))
