"""What may be shown of a setting: addresses without credentials, and nothing of passwords, tokens and keys."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["HIDDEN", "is_secret", "shown"]

HIDDEN = "***"
_SECRET = re.compile(
    r"(^|[._\-])(password|passwd|passphrase|pwd|secret|secrets|token|tokens|credential|credentials|auth|authorization|api_?key|access_?key|"
    r"account_?key|private_?key|secret_?key|signing_?key|sas|connection_?string|dsn)($|[._\-])",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?<=://)[^/\s]*@")
_OPTION = re.compile(r"(?<=[?&;])([^=&;\s]+)=([^&;\s]*)")


def is_secret(key: str) -> bool:
    """True when the name of a setting says that its value must not be shown."""
    return bool(_SECRET.search(key))


def shown(key: str, value: Any) -> Any:
    """`value` as it may be printed: hidden, with credentials in addresses hidden, or as it is. Looks into lists and tables."""
    if value is None or isinstance(value, bool):
        return value
    if is_secret(key):
        return HIDDEN
    if isinstance(value, str):
        text = _USER_INFO.sub(f"{HIDDEN}@", value)
        return _OPTION.sub(lambda found: f"{found[1]}={HIDDEN}" if is_secret(found[1]) else found[0], text)
    if isinstance(value, dict):
        return {name: shown(f"{key}.{name}", entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [shown(key, entry) for entry in value]
    return value
