"""Signed addresses: uploads in parts and downloads that go past the server, straight to and from its storage.

A client has no credentials of the storage; it is told addresses that work for one file and for a while. Storages without such addresses,
as a local folder, answer with the error by which MLflow's clients know to send files whole through `proxy`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from drupe.entities import Access
from drupe.errors import InvalidPath, InvalidValue
from drupe.uris import ArtifactPath
from drupe.wire.artifacts import DownloadAddress, DropParts, FinishParts, PartAddress, PartsStarted, StartParts
from drupe.wire.shapes import plain, read
from drupe_asgi.answers import Answer, json_answer
from drupe_asgi.bodies import Limits, json_form, whole
from drupe_asgi.exchange import Exchange
from drupe_asgi.gate import check_is_json
from drupe_server_rest.services import Services

__all__ = ["SIGNED_ACCESS", "SignedTransfers"]

T = TypeVar("T")

SIGNED_ACCESS: Mapping[str, tuple[str, Access]] = {
    "mpu/create": ("POST", Access.WRITE),
    "mpu/complete": ("POST", Access.WRITE),
    "mpu/abort": ("POST", Access.WRITE),
    "presigned": ("GET", Access.READ),
}
"""Method and access of each."""


class SignedTransfers:
    """Transfers below the server's root of artifacts."""

    def __init__(self, services: Services, threads: ThreadPoolExecutor, limits: Limits) -> None:
        self._services, self._threads, self._limits = services, threads, limits

    async def answer(self, what: str, path: ArtifactPath, exchange: Exchange) -> Answer:
        """Answer one of `SIGNED_ACCESS`; `path` is a folder for uploads. Raises UnsupportedFeature, InvalidPath, InvalidValue, NotFound."""
        repo = self._services.places.repo
        if what == "presigned":
            found = await self._in_thread(repo.signed_download, path)
            return json_answer({**plain(DownloadAddress(found.url, found.size)), "headers": dict(found.headers)})
        if what == "mpu/create":
            start = await self._read(StartParts, exchange)
            begun = await self._in_thread(repo.start_parts, _file_in(path, start.path), start.num_parts)
            form = plain(PartsStarted(begun.upload_id, tuple(PartAddress(one.url, one.part) for one in begun.parts)))
            for one, told in zip(begun.parts, form["credentials"], strict=True):
                told["headers"] = dict(one.headers)
            return json_answer(form)
        if what == "mpu/abort":
            drop = await self._read(DropParts, exchange)
            await self._in_thread(repo.drop_parts, _file_in(path, drop.path), drop.upload_id)
            return json_answer({})
        finish = await self._read(FinishParts, exchange)
        file = _file_in(path, finish.path)
        etags = {part.part_number: part.etag for part in finish.parts}
        if len(etags) != len(finish.parts):
            raise InvalidValue("a part is named twice")
        await self._in_thread(repo.finish_parts, file, finish.upload_id, etags)
        self._services.changes.tell("artifact", path=str(file))
        return json_answer({})

    async def _read(self, kind: type[T], exchange: Exchange) -> T:
        check_is_json(exchange.headers, exchange.name)
        return read(kind, json_form(await whole(exchange.receive, exchange.headers, self._limits), exchange.name))

    async def _in_thread(self, call: Callable[..., Any], *given: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call, *given)


def _file_in(folder: ArtifactPath, local_file: str) -> ArtifactPath:
    """The file of that name in a folder; clients tell where the file lies on their machine, of whatever system."""
    name = local_file.replace("\\", "/").rpartition("/")[2]
    if not name:
        raise InvalidPath("an upload needs the name of a file")
    return folder / name
