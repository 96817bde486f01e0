"""A dataset at an address of the web, fetched by GET: bounded in size and time, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Self

import requests

from drupe.errors import ArtifactNotFound, InvalidUri, InvalidValue, StoreFull, StoreUnavailable
from drupe.extend import DatasetSource, Fetched, SourceStat
from drupe.uris import Uri, redact
from drupe_source_http.redirects import followed
from drupe_source_http.settings import HttpSettings

__all__ = ["HttpFile"]

BLOCK_BYTES = 2**20
GONE = (404, 410)
NO_SPACE = 28


class HttpFile(DatasetSource):
    """The file that a web server answers with. Proxies and `.netrc` are those of `requests`."""

    def __init__(self, uri: Uri, settings: HttpSettings) -> None:
        self.uri, self._settings = uri, settings
        self._shown = redact(uri.text)

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Self:
        if not uri.host:
            raise InvalidUri(f"address {redact(uri.text)!r} names no host")
        return cls(uri, settings or HttpSettings())

    def stat(self) -> SourceStat:
        with self._answer("HEAD") as answer:
            if answer.status_code in (405, 501):  # a server that does not answer HEAD; what it has shows when it is fetched
                return SourceStat()
            self._check(answer)
            size = answer.headers.get("Content-Length", "")
            return SourceStat(
                int(size) if size.isdecimal() else None,
                _ms(answer.headers.get("Last-Modified")),
                answer.headers.get("ETag"),
            )

    def download(self, target: Path, progress: Fetched | None = None) -> None:
        partial = target.with_name(f".drupe-partial-{token_hex(8)}")
        try:
            with self._answer("GET") as answer:
                self._check(answer)
                self._write(answer, partial, progress)
            os.replace(partial, target)
        except OSError as fault:  # of the file; those of the network are not this kind any more
            kind = StoreFull if fault.errno == NO_SPACE else StoreUnavailable
            raise kind(f"{self._shown} cannot be written to {target}: {fault.strerror}", path=str(target)) from fault
        finally:
            partial.unlink(missing_ok=True)

    def _write(self, answer: requests.Response, partial: Path, progress: Fetched | None) -> None:
        length = answer.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        if total is not None:
            self._check_size(total)
        done = 0
        with partial.open("xb") as copy:
            for block in self._blocks(answer):
                done += len(block)
                self._check_size(done)
                copy.write(block)
                if progress is not None:
                    progress(done, total)
        if total is not None and done != total:
            raise StoreUnavailable(f"{self._shown} broke off after {done} of {total} bytes; try again", done=done, total=total)

    def _blocks(self, answer: requests.Response) -> Iterator[bytes]:
        try:
            while block := answer.raw.read(BLOCK_BYTES):
                yield block
        except Exception as fault:  # what urllib3 raises is not a requests exception here, and its tree is not ours to know
            raise StoreUnavailable(f"the connection to {self._shown} broke: {fault}") from fault

    @contextmanager
    def _answer(self, method: str) -> Iterator[requests.Response]:
        """The answer at the end of all redirects."""
        url = self.uri.text
        with requests.Session() as session:
            for _ in range(self._settings.redirects + 1):
                try:
                    answer = session.request(
                        method,
                        url,
                        stream=True,
                        allow_redirects=False,
                        timeout=(self._settings.connect_s, self._settings.read_s),
                        headers={"Accept-Encoding": "identity"},
                    )
                except requests.RequestException as fault:
                    raise StoreUnavailable(f"{self._shown} cannot be reached: {redact(str(fault))}") from fault
                with answer:
                    if not answer.is_redirect:
                        yield answer
                        return
                    location = answer.headers["Location"]
                target = followed(url, location)
                if target is None:
                    raise StoreUnavailable(
                        f"{self._shown} leads to {redact(location)}, which is not followed: another scheme, a private network, or an unknown host"
                    )
                url = target
        raise StoreUnavailable(f"{self._shown} leads on more than {self._settings.redirects} times")

    def _check(self, answer: requests.Response) -> None:
        if answer.status_code in GONE:
            raise ArtifactNotFound(f"there is no file at {self._shown}: {answer.status_code} {answer.reason}", status=answer.status_code)
        if answer.status_code != 200:
            raise StoreUnavailable(f"{self._shown} answers {answer.status_code} {answer.reason}", status=answer.status_code)

    def _check_size(self, size: int) -> None:
        most = self._settings.max_bytes
        if size > most:
            raise InvalidValue(f"{self._shown} has more than {most} bytes; raise it with DRUPE_SOURCE_HTTP__MAX_BYTES", limit=most)


def _ms(date: str | None) -> int | None:
    try:
        return None if date is None else int(parsedate_to_datetime(date).timestamp() * 1000)
    except ValueError:
        return None
