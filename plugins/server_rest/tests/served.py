"""A real server in a process of its own, and a small client that shows what it answers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

WAIT_S = 60


class Reply(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The error code; fails when the answer is not an error in the protocol's form."""
        assert self.status >= 400, self
        assert self.headers["content-type"] == "application/json", self
        assert self.json["message"], self
        return str(self.json["error_code"])


class Served:
    """A running server."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url = process, url
        self.printed = ""
        self.address = urlsplit(url)

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

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; the exit code."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        with self.process.stdout:
            self.printed = self.process.stdout.read()
        return self.process.wait(WAIT_S)


def start(folder: Path, *options: str, env: dict[str, str] | None = None, stderr: IO[str] | None = None) -> Served:
    """Start a server on a free port, with its store in a folder."""
    process = subprocess.Popen(
        [sys.executable, "-m", "drupe", "server", "--port", "0", *options],
        cwd=folder,
        env={**{name: text for name, text in os.environ.items() if not name.startswith(("DRUPE_", "MLFLOW_"))}, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().startswith("at "):
            return Served(process, line.split()[1])
    raise AssertionError(f"the server ended with {process.wait(WAIT_S)}")
