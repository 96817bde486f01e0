"""Asking a scoring server: one in this process, called as uvicorn would call it, and one in a process of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from drupe.models import LoadedModel, load_model
from drupe_serving.running import make_application
from drupe_serving.settings import ServingSettings
from plugins.asgi.tests.asking import Process, Reply, started

__all__ = ["Process", "Scored", "Told", "start"]


class Told(Reply):
    """What came back of a scoring server."""

    __slots__ = ()

    @property
    def predictions(self) -> Any:
        assert self.status == 200, self
        return self.json["predictions"]

    @property
    def error(self) -> str:
        """The message, of an error in MLflow's form."""
        assert super().error
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


def start(command: Sequence[str], folder: Path, *, env: dict[str, str] | None = None, stderr: IO[str] | None = None) -> Process:
    """Start `python -m …` on a free port."""
    return Process(*started(command, folder, env=env, stderr=stderr))
