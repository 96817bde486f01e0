"""The nets of the tests lie beside them, where other processes can import them too."""

from __future__ import annotations

import sys
from pathlib import Path

from drupe.testing.plugin import drupe_workspace

__all__ = ["drupe_workspace"]

sys.path.insert(0, str(Path(__file__).parent))
