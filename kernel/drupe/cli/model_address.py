"""What the verbs of `drupe models` share: the address of a model, when it was made, and the option for its environment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drupe.cli.nouns import address_for_process, client, reader
from drupe.cli.references import full_address
from drupe.errors import InvalidModelFolder

if TYPE_CHECKING:
    from drupe.client import Client

__all__ = ["addressed", "created_ms", "manager_option", "place_of"]


def addressed(ctx: click.Context, named: str) -> tuple[Client, str]:
    """The client that knows the model named so, and the model's full address. Raises InvalidModelFolder for a path at which nothing is."""
    if named.startswith(("./", "../", "/", "~")) and not Path(named).exists():
        raise InvalidModelFolder(f"there is no folder {named}; the address of a saved model is that of the folder with MLmodel in it")
    store = client() if Path(named).exists() else reader()  # a folder is read without any store
    address_for_process(ctx)
    return store, full_address(store, named)


def place_of(address: str) -> str | Path:
    """A full address as what opens it: folders as paths, since their names may hold a colon."""
    return Path(address) if ":" not in address else address


def created_ms(text: str) -> int | None:
    """When MLmodel says that it was written: UTC, with or without a zone."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def manager_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--env-manager`, for commands that make a model's environment."""
    return click.option(
        "--env-manager",
        default="uv",
        show_default=True,
        metavar="NAME",
        help="What makes the environment: uv, virtualenv, or a plugin's own.",
    )(function)
