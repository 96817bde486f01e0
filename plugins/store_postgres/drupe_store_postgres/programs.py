"""PostgreSQL's own programs: finding them, and running them on one database without a password on their command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from drupe.errors import StoreUnavailable
from drupe_store_postgres.address import Address
from drupe_store_postgres.settings import PostgresSettings

__all__ = ["run"]

LOOK_S = 0.2
_PLACES = "/usr/lib/postgresql"  # where Debian keeps each version's
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


def run(
    program: str, arguments: Sequence[str], address: Address, settings: PostgresSettings, *, meanwhile: Callable[[], None] = lambda: None
) -> None:
    """Run a program to its end; `meanwhile` is called now and then. Raises StoreUnavailable with what it said."""
    variables = {_VARIABLES[name]: str(value) for name, value in address.parameters(settings).items()}
    environment = {**os.environ, **variables, "PGAPPNAME": "drupe", "PGCLIENTENCODING": "UTF8", "LC_MESSAGES": "C"}
    with tempfile.TemporaryFile() as said:
        started = subprocess.Popen(
            [_found(program, address.place), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            while True:
                try:
                    code = started.wait(LOOK_S)
                    break
                except subprocess.TimeoutExpired:
                    meanwhile()
        except BaseException:
            started.kill()
            started.wait()
            raise
        said.seek(0)
        told = said.read().decode(errors="replace").strip()
    if code != 0:
        raise StoreUnavailable(f"{address.place}: {program} failed: {told[-1000:] or f'exit code {code}'}", place=address.place)


def _found(program: str, place: str) -> str:
    """The newest one: pg_dump must not be older than the server."""
    of_versions = sorted(Path(_PLACES).glob(f"*/bin/{program}"), key=lambda path: float(path.parts[-3]), reverse=True)
    found = str(of_versions[0]) if of_versions else shutil.which(program)
    if found is None:
        raise StoreUnavailable(
            f"{place}: {program} is needed for this and not installed here: apt-get install postgresql-client, or what your system calls it",
            place=place,
        )
    return found
