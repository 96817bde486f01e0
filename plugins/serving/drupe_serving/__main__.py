"""`python -m drupe_serving --model FOLDER --port PORT`: the scoring server by itself, for images: no store, no other plugin's command.

Options are those of `drupe models serve`; they can be set as `DRUPE_SERVING__PORT` and so on.
`python -m drupe_serving predict …` is `drupe models predict` in the same way.
"""

from __future__ import annotations

import os
import sys

from drupe.errors import DrupeError
from drupe_serving.command import serve
from drupe_serving.predict_command import predict

PREFIX = "DRUPE_SERVING__"


def main() -> int:
    """Run it; the exit code."""
    told: dict[str, object] = {name.removeprefix(PREFIX).lower(): text for name, text in os.environ.items() if name.startswith(PREFIX)}
    for name in ("allowed_hosts", "allowed_origins"):
        if name in told:
            told[name] = tuple(str(told[name]).split(","))
    try:
        if sys.argv[1:2] == ["predict"]:
            predict.main(sys.argv[2:], prog_name="python -m drupe_serving predict")
        serve.main(prog_name="python -m drupe_serving", standalone_mode=True, default_map=told)
    except DrupeError as fault:
        sys.stderr.write(f"drupe: {fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
