"""What the settings say about models whose loading runs code: whose word counts, which places, whose signatures.

Only the user's own settings and environment are asked, never a project's file: that may come with the very models in question.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

from drupe.errors import InvalidSettings
from drupe.settings import Settings, settings, user_file
from drupe.tracking.address import sources_of
from drupe.uris import redact

__all__ = ["Trust", "allowed_signers", "is_named_by_user", "rule_for", "trust"]

_MLFLOW_SWITCH = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"
_ON, _OFF = ("1", "true"), ("0", "false")


class Trust(StrEnum):
    """Whose models may run code when they are loaded; each has the one before it in it, `nobody` refuses all."""

    NOBODY = "nobody"
    OWN = "own"
    SERVERS = "servers"
    STORES = "stores"
    EVERYBODY = "everybody"


def trust(current: Settings | None = None) -> Trust:
    """The setting `models.trust`; where it is not set, MLflow's switch for pickles. Raises InvalidSettings."""
    setting = (current or settings()).value("models.trust")
    if setting.source == "default":
        switch = os.environ.get(_MLFLOW_SWITCH, "").strip().lower()
        if switch in (*_ON, *_OFF):
            return Trust.EVERYBODY if switch in _ON else Trust.NOBODY
    try:
        return Trust(str(setting.value).strip().lower())
    except ValueError:
        raise InvalidSettings(
            f"models.trust is {setting.value!r} in {setting.source}; it must be one of {', '.join(Trust)}", key="models.trust"
        ) from None


def rule_for(places: tuple[str, ...]) -> str | None:
    """The entry of `models.trusted_sources` that one of these addresses is, or lies below; None when there is none."""
    rules: list[tuple[str, str]] = [(rule, _comparable(rule)) for rule in settings().get("models.trusted_sources", ())]
    for place in map(_comparable, places):
        for rule, wanted in rules:
            if wanted and (place == wanted or place.startswith(f"{wanted}/")):
                return rule
    return None


def allowed_signers() -> tuple[Path, ...]:
    """The key files of `models.allowed_signers`."""
    return tuple(Path(name).expanduser() for name in settings().get("models.allowed_signers", ()))


def is_named_by_user(address: str) -> bool:
    """True when the store at this address is in use because of a call, the environment or the user's own file.

    False for the file in the working folder that is used when nobody chose anything, and for what a project's file says.
    """
    own = str(user_file())
    return any(source in ("call", own) or source.startswith(("DRUPE_", "MLFLOW_")) for source in sources_of(address))


def _comparable(place: str) -> str:
    text = redact(place).strip().rstrip("/")
    if "://" not in text and not text.startswith("models:"):
        text = os.path.abspath(os.path.expanduser(text.removeprefix("file:")))
    elif text.startswith("file://"):
        text = os.path.abspath(text.removeprefix("file://"))
    return text
