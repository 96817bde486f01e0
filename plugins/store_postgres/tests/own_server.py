"""A PostgreSQL server of the tests' own, in a temporary folder and on a free port of this machine. The whole run shares one; see /conftest.py.

Debian's package is installed where it is missing and may be. A watcher ends the server when the tests were killed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import psycopg

USER = "postgres"
PASSWORD = "s3cret/word@"  # signs that an address must escape
PASSWORD_ESCAPED = "s3cret%2Fword%40"
SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "max_connections=60",
    "shared_buffers=64MB",
    "autovacuum_naptime=5min",
    "deadlock_timeout=50ms",
)


TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'drupe_schema'"
COUNTERS = "SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL"
WATCH = """
import shutil, subprocess, sys
sys.stdin.read()
folder, *command = sys.argv[1:]
subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
shutil.rmtree(folder, ignore_errors=True)
"""


class NoServer(Exception):
    """No PostgreSQL can be started here; the reason is its text."""


class OwnServer:
    """A running server. `restart`, `stop` and `kill` are for tests of what clients do then."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self.binaries, self.folder = binaries, folder
        self.data = folder / "data"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def make(self) -> None:
        """Initialise the data folder; only the owner of the server may look into it."""
        password = self.folder / "password"
        password.write_text(PASSWORD)
        for path in (self.folder, password):
            _give_away(path)
        self._run(
            "initdb",
            "-D",
            str(self.data),
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            f"--pwfile={password}",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = [f"-p {self.port}", "-c listen_addresses=127.0.0.1", f"-c unix_socket_directories={self.folder}"]
        options += [f"-c {setting}" for setting in SETTINGS]
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", " ".join(options), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is as if it were killed."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    def address(self, database: str, *, scheme: str = "postgresql") -> str:
        """The address of a database, with user and password."""
        return f"{scheme}://{USER}:{PASSWORD_ESCAPED}@127.0.0.1:{self.port}/{database}"

    @property
    def variables(self) -> dict[str, str]:
        """What leads libpq here."""
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": USER, "PGPASSWORD": PASSWORD}

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of a bystander, which commits every statement."""
        return psycopg.connect(host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database, autocommit=True)

    def new_database(self, options: str = "") -> str:
        """Make an empty database and return its name."""
        name = f"t{uuid.uuid4().hex[:16]}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} {options}")  # type: ignore[arg-type]
        return name

    def empty(self, name: str) -> None:
        """Remove all that is in a database, and everybody who is connected to it."""
        with self.connect(name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")

    def clear(self, name: str, artifact_root: str) -> None:
        """Take all rows out of a database that has a store of the newest schema, as quickly as can be, and furnish it."""
        with self.connect(name) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            tables = [one for (one,) in connection.execute(TABLES)]
            counters = [one for (one,) in connection.execute(COUNTERS)]
            work = [f"DELETE FROM {table}" for table in tables] + [f"ALTER SEQUENCE {counter} RESTART" for counter in counters]
            # ten times as quick as TRUNCATE, which makes a hundred files anew; as a replica, so that the order does not matter
            connection.execute(f"BEGIN; SET LOCAL session_replication_role = replica; {'; '.join(work)}; COMMIT")  # type: ignore[arg-type]
            now = time.time_ns() // 1_000_000
            connection.execute("INSERT INTO experiments VALUES (0, 'Default', %s, 0, %s, %s)", (f"{artifact_root}/0", now, now))

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]

    def watch(self) -> subprocess.Popen[bytes]:
        """A process that ends the server and takes its folder away as soon as this one is gone, however it goes."""
        stop = self._command("pg_ctl", "-D", str(self.data), "-w", "-m", "immediate", "stop")
        return subprocess.Popen([sys.executable, "-c", WATCH, str(self.folder), *stop], stdin=subprocess.PIPE, start_new_session=True)

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(self.binaries / program), *arguments]
        return ["runuser", "-u", USER, "--", *command] if os.geteuid() == 0 else command  # the server refuses to run as root

    def _run(self, program: str, *arguments: str) -> None:
        command = self._command(program, *arguments)
        output = self.folder / "output"
        with output.open("wb") as written:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=written, stderr=subprocess.STDOUT, cwd="/", check=False, timeout=120
            )
        if done.returncode != 0:
            log = self.folder / "log"
            told = output.read_text(errors="replace") + (log.read_text(errors="replace") if log.exists() else "")
            raise NoServer(f"{program} failed: {told[-1500:]}")


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server that runs while the block does. Raises NoServer with the reason."""
    folder = Path(tempfile.mkdtemp(prefix="drupe-postgres-"))
    try:
        server = OwnServer(_binaries(), folder)
        server.make()
        server.start()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    watcher = server.watch()
    try:
        yield server
    finally:
        watcher.communicate()  # which ends its input


@lru_cache(maxsize=1)
def _binaries() -> Path:
    found = _installed()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "--no-install-recommends", "postgresql"]):
            subprocess.run(command, env=environment, capture_output=True, check=False, timeout=280)
        found = _installed()
    if found is None:
        raise NoServer("PostgreSQL is not installed here, and could not be: apt-get install postgresql")
    return found


def _installed() -> Path | None:
    """The folder of the newest server's programs."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3].split(".")[0]))
    if folders:
        return folders[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _give_away(path: Path) -> None:
    path.chmod(0o755 if path.is_dir() else 0o644)
    if os.geteuid() == 0:
        owner = pwd.getpwnam(USER)
        os.chown(path, owner.pw_uid, owner.pw_gid)
