"""The server that is attacked, what must stay as it was there, and what must never leave it."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import signal
import socket
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plugins.server_rest.tests.served import Reply, Served, start

__all__ = ["PATIENCE_S", "SECRET", "Target", "is_error", "target_in"]

SECRET = "the-secret-outside-of-the-root"
PATIENCE_S = 2.0
MOST_ERROR_BYTES = 20_000
MOST_BODY_MB = 1


class Target:
    """A served store with something to lose in it."""

    def __init__(self, server: Served, folder: Path, log: Path) -> None:
        self.server, self.folder, self._log = server, folder, log
        self.address = (server.address.hostname or "", server.address.port or 0)
        self._line = http.client.HTTPConnection(*self.address, timeout=60)
        self.run = server.new_run("0", run_name="kept", tags=[{"key": "kept", "value": "x"}])
        self.root = f"0/{self.run}/artifacts"
        server.post("runs/log-batch", run_id=self.run, metrics=[{"key": "kept", "value": 1.5, "timestamp": 1, "step": 1}])
        server.post("registered-models/create", name="kept")
        server.post("model-versions/create", name="kept", source="s3://bucket/kept")
        assert server.put_file(f"{self.root}/kept.txt", b"kept").status == 200
        self._plant()
        self._store = sqlite3.connect(f"file:{folder / 'drupe.db'}?mode=ro", uri=True)
        self._rows, self._files = self.all_rows(), self._all_files()

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        """One request on the line that stays open; path and body go as they are."""
        for is_last in (False, True):
            try:
                self._line.putrequest(method, path, skip_host="Host" in (headers or {}), skip_accept_encoding=True)
                for name, text in {**({"Content-Length": str(len(body))} if body is not None else {}), **(headers or {})}.items():
                    self._line.putheader(name, text)
                self._line.endheaders(body)
                reply = self._line.getresponse()
                return Reply(reply.status, {name.lower(): text for name, text in reply.getheaders()}, reply.read())
            except (http.client.HTTPException, ConnectionError):  # the server has closed it after the answer before
                self._line.close()
                if is_last:
                    raise
        raise AssertionError("not reached")

    @contextlib.contextmanager
    def raw(self, said: bytes = b"") -> Iterator[socket.socket]:
        """A connection of its own, on which something has been said."""
        with socket.create_connection(self.address, timeout=30) as line:
            with contextlib.suppress(ConnectionError):
                line.sendall(said)
            yield line

    def version(self) -> int:
        """Another number whenever anything in the store has changed."""
        return int(self._store.execute("PRAGMA data_version").fetchone()[0])

    def check_intact(self) -> None:
        """Fails unless all that was there before the attacks is as it was, and the server is healthy."""
        missing = self._rows - self.all_rows()
        assert not missing, list(missing)[:5]
        assert self._files.items() <= self._all_files().items()
        self.check_healthy()

    def check_healthy(self) -> None:
        """Fails unless the server runs and has no fault to tell."""
        assert self.server.process.poll() is None
        told = self._log.read_text()
        assert "Traceback" not in told, told[-5000:]
        assert "fault of the server" not in told, told[-5000:]

    def close(self) -> None:
        """Let go of it."""
        self._line.close()
        self._store.close()

    def _plant(self) -> None:
        """Put a secret beside the root of artifacts, and ways to it that somebody with access to the disk may have laid."""
        (self.folder / "secret.txt").write_text(SECRET)
        (self.folder / "secrets").mkdir()
        (self.folder / "secrets" / "inner.txt").write_text(SECRET)
        place = next(self.folder.rglob("kept.txt")).parent
        (place / "to-file").symlink_to(self.folder / "secret.txt")
        (place / "to-folder").symlink_to(self.folder / "secrets")
        (place / "up").symlink_to(Path("../../../../.."))
        (place / "loop").symlink_to("loop")

    def all_rows(self) -> Counter[Any]:
        """The content of the store."""
        names = [name for (name,) in self._store.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
        return Counter((name, *row) for name in names if name not in MOVING for row in self._store.execute(f'SELECT * FROM "{name}"'))

    def _all_files(self) -> dict[str, str]:
        files = [path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink()]
        return {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if not path.name.startswith(("drupe.db", ".drupe-sha256"))
        }


MOVING = {"counters"}
"""Tables whose rows change by nature."""


@contextlib.contextmanager
def target_in(folder: Path, *options: str, is_intact: bool = True, **given: Any) -> Iterator[Target]:
    """Serve a new store in a folder and have it attacked; in the end it stops as it should."""
    (folder / "home").mkdir()
    with (folder / "log.txt").open("w") as log:
        server = start(
            folder / "home",
            "--max-body-mb",
            str(MOST_BODY_MB),
            "--patience-s",
            str(PATIENCE_S),
            "--durability",
            "normal",
            *options,
            stderr=log,
            **given,
        )
        try:
            target = Target(server, folder / "home", folder / "log.txt")
            yield target
            if is_intact:
                target.check_intact()
            else:
                target.check_healthy()
            target.close()
            assert server.stop() == 0
        finally:
            if server.process.poll() is None:
                server.stop(signal.SIGKILL)


def is_error(reply: Reply) -> str | None:
    """None for an answer as it should be to a request that is refused; else what is wrong with it."""
    if reply.status >= 500 or reply.status < 400:
        return f"status {reply.status}"
    if len(reply.body) > MOST_ERROR_BYTES:
        return f"{len(reply.body)} bytes of an error"
    try:
        form = json.loads(reply.body)
        is_right = bool(form["error_code"] and form["message"]) and reply.headers["content-type"] == "application/json"
    except (ValueError, KeyError, TypeError):
        is_right = False
    if not is_right:
        return f"an error in another form: {reply.body[:100]!r}"
    return "a trace" if "Traceback" in form["message"] or ".py" in form["message"] else None
