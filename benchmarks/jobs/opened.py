"""What every job starts with: its options, and the subject that it is about.

A job is a script that does one thing through a subject (a module of `benchmarks/subjects`) and prints one line of JSON. It runs in the
subject's own environment, so it and the subjects import nothing but the standard library and the subject's library.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

given: dict[str, Any] = json.loads(sys.argv[1])
sys.path.insert(0, str(Path(__file__).parents[1] / "subjects"))


def opened() -> Any:
    """The subject, imported and pointed at the folder of its data."""
    subject = importlib.import_module(given["subject"])
    subject.place(given["folder"])
    return subject


def say(**figures: Any) -> None:
    """Print figures as a line of their own, whatever the subject has printed before."""
    print(f"\n{json.dumps(figures)}", flush=True)
