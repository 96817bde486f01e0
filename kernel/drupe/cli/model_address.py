"""What the verbs of `drupe models` share: the address of a model, and when it was made."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drupe.cli.nouns import address_for_process, client, reader
from drupe.cli.references import full_address

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["addressed", "created_ms"]


def addressed(ctx: click.Context, named: str) -> tuple[Client, str]:
    """The client that knows the model named so, and the model's full address."""
    store = client() if Path(named).exists() else reader()  # a folder is read without any store
    address_for_process(ctx)
    return store, full_address(store, named)


def created_ms(text: str) -> int | None:
    """When MLmodel says that it was written: UTC, with or without a zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
