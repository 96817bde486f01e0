"""Settings: `drupe.toml`, the environment and defaults as one value that knows where each part comes from.

`settings()` is the process's own; `Settings.read` makes others. What may be set is declared in `keys`; changing a file is in `edit`.
"""

from __future__ import annotations

from drupe.settings.keys import KEYS, Key
from drupe.settings.reading import Setting, Settings, project_file, user_file
from drupe.settings.secrets import shown

__all__ = ["KEYS", "Key", "Setting", "Settings", "project_file", "reset", "settings", "shown", "user_file"]

_current: Settings | None = None


def settings() -> Settings:
    """The settings of this process: files are read at the first call, environment variables at every look-up. Raises InvalidSettings."""
    global _current
    if _current is None:
        _current = Settings.read()
    return _current


def reset() -> None:
    """Forget what was read, so that the next `settings()` reads the files again; for tests and for commands that change a file."""
    global _current
    _current = None
