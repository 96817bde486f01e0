"""Asking a scoring server: one in this process, called as uvicorn would call it, and one in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, NamedTuple

from drupe.models import LoadedModel, load_model
from drupe_serving.running import make_application
from drupe_serving.settings import ServingSettings

WAIT_S = 120


class Told(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def predictions(self) -> Any:
        assert self.status == 200, self
        return self.json["predictions"]

    @property
    def error(self) -> str:
        """The message; fails when the answer is not an error in MLflow's form, or tells a trace."""
        assert self.status >= 400, self
        assert self.headers["content-type"] == "application/json", self
        assert self.json["error_code"], self
        assert not any(sign in self.body.decode() for sign in ("Traceback", 'File "')), self
        return str(self.json["message"])


class Scored:
    """A model behind the application, in this process."""

    def __init__(self, model: LoadedModel | Path, name: str = "m", version: str | None = None, **settings: Any) -> None:
        loaded = model if isinstance(model, LoadedModel) else load_model(model)
        self.app, self.predictor, self.noted = make_application(loaded, ServingSettings(**settings), name, version)
        self.loop = asyncio.new_event_loop()

    def ask(self, path: str, body: Any = b"", content_type: str | None = "application/json", method: str = "POST", **headers: str) -> Told:
        return self.ask_all([(path, body)], content_type, method, **headers)[0]

    def score(self, form: Any, content_type: str = "application/json") -> Told:
        """POST /invocations."""
        return self.ask("/invocations", form, content_type)

    def get(self, path: str, **headers: str) -> Told:
        return self.ask(path, b"", None, "GET", **headers)

    def ask_all(
        self, requests: Sequence[tuple[str, Any]], content_type: str | None = "application/json", method: str = "POST", **headers: str
    ) -> list[Told]:
        """Several requests at once."""

        async def all_of_them() -> list[Told]:
            return await asyncio.gather(*(self.send(path, body, content_type, method, headers) for path, body in requests))

        return self.loop.run_until_complete(all_of_them())

    async def send(
        self,
        path: str,
        body: Any,
        content_type: str | None = "application/json",
        method: str = "POST",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Told:
        """One request, on the loop of this model."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        path, _, query = path.partition("?")
        sent = {"host": "127.0.0.1", "content-length": str(len(content)), **{k.replace("_", "-").lower(): v for k, v in headers.items()}}
        if content_type is not None:
            sent["content-type"] = content_type
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.encode(), text.encode("latin-1")) for name, text in sent.items()],
            "client": ("127.0.0.1", 1),
        }
        told: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                told["headers"] = {name.decode(): text.decode() for name, text in message["headers"]}
            else:
                told["body"] += message.get("body", b"")

        await self.app(scope, receive, send)
        return Told(told["status"], told["headers"], told["body"])

    def close(self) -> None:
        self.predictor.close()
        if self.noted is not None:
            self.noted.close()
        self.loop.close()


class Served:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process, self.url, self.printed = process, url, ""

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it; the exit code."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        with self.process.stdout:
            self.printed = self.process.stdout.read()
        return self.process.wait(WAIT_S)


def start(command: Sequence[str], folder: Path, *, env: dict[str, str] | None = None, stderr: IO[str] | None = None) -> Served:
    """Start `python -m …` on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--port", "0"],
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
