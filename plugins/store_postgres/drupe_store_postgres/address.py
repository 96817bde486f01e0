"""The address of a PostgreSQL store to what the driver needs: `postgresql://user:password@host:port/database`, any part of it left out.

What is left out is libpq's affair: its environment variables (PGHOST, PGPORT, PGUSER, PGPASSWORD, …), its password file, its defaults.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from attrs import field, frozen

from drupe.errors import InvalidUri
from drupe.uris import Uri
from drupe_store_postgres.settings import PostgresSettings

__all__ = ["Address", "artifact_root_for"]

_FORM = "postgresql://user:password@host:port/database"


@frozen
class Address:
    """One database; `place` is what messages call it. The password is in nobody's `repr`."""

    place: str
    host: str | None
    port: int | None
    user: str | None
    database: str | None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, uri: Uri) -> Address:
        """Read an address. Raises InvalidUri."""
        if uri.scheme not in ("postgresql", "postgres"):
            raise InvalidUri(f"address {uri.text!r} is not one of a PostgreSQL database; the form is {_FORM}")
        place = f"postgresql://{uri.host}{uri.path}"
        name = uri.path.removeprefix("/")
        if not uri.has_authority or "/" in name:
            raise InvalidUri(f"address {place!r} does not name a database; the form is {_FORM}")
        host, _, port = uri.host.rpartition(":") if not uri.host.endswith("]") else (uri.host, "", "")
        if not port.isdecimal():
            host, port = uri.host, ""
        user, _, password = uri.user_info.partition(":")
        return cls(
            place, host.strip("[]") or None, int(port) if port else None, unquote(user) or None, name or None, unquote(password) or None
        )

    def parameters(self, settings: PostgresSettings) -> dict[str, str | int]:
        """What libpq is told; nothing of what was left out."""
        given: dict[str, str | int | None] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": self.database,
            "sslmode": settings.sslmode,
            "sslrootcert": settings.sslrootcert,
            "sslcert": settings.sslcert,
            "sslkey": settings.sslkey,
        }
        return {name: value for name, value in given.items() if value is not None}


def artifact_root_for(configured: str | None) -> str:
    """The address below which new experiments keep their artifacts."""
    if configured:
        return Uri.parse(configured).text.rstrip("/")
    return Uri.parse(Path("drupe-artifacts").absolute()).text
