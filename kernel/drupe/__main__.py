"""`python -m drupe`: the same as the command `drupe`."""

from __future__ import annotations

import sys

from drupe.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
