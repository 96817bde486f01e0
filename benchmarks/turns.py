"""Jobs in processes of their own, and what they say: the scripts in `benchmarks/jobs`, each run by the Python of the subject that it measures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

HERE = Path(__file__).parent
_FOREIGN = ("DRUPE_", "MLFLOW_", "WANDB_", "TRACKIO_", "AIM_", "PYTHON", "XDG_")
_QUIET = {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "WANDB_MODE": "offline",
    "WANDB_ERROR_REPORTING": "false",
    "HF_HUB_OFFLINE": "1",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Subject(NamedTuple):
    """Something that is measured: its name in tables, its module in `subjects`, the library that it imports, and the Python that has it."""

    name: str
    module: str
    library: str = "os"
    python: Path = Path(sys.executable)


class JobFailed(Exception):
    """A job ended otherwise than it should have; the text is the last that it wrote."""


def environ(folder: Path, **also: str) -> dict[str, str]:
    """The environment of a job: nobody's settings but its own, nothing sent anywhere, all files below `folder`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    homes = {f"XDG_{name}_HOME": str(folder / f".{name.lower()}") for name in ("CONFIG", "STATE", "CACHE", "DATA")}
    return {**kept, **_QUIET, **homes, **also}


class Job:
    """One running job. `hear` waits for the next thing that it says; leaving the block ends it and all that it has started."""

    def __init__(self, job: str, subject: Subject, folder: Path, *, env: dict[str, str] | None = None, **options: Any) -> None:
        given = json.dumps({"subject": subject.module, "library": subject.library, "folder": str(folder), **options})
        self.name = f"{job} of {subject.name}"
        self._errors = folder / f"{job}.stderr"
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                [str(subject.python), str(HERE / "jobs" / f"{job}.py"), given],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env=environ(folder, **(env or {})),
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def tell(self, line: str) -> None:
        """Write a line to its input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next figures that it prints. Raises JobFailed when it ends without."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                heard: dict[str, Any] = json.loads(line)
                return heard
        self._process.wait()
        said = self._errors.read_text().strip().splitlines() or ["nothing was said"]
        raise JobFailed(f"{self.name} ended with {self._process.returncode}: {said[-1][:300]}")

    def wait(self) -> None:
        """Until it has ended by itself."""
        self._process.wait()


def ask(job: str, subject: Subject, folder: Path, **options: Any) -> dict[str, Any]:
    """Run a job that says one thing, and return that."""
    with Job(job, subject, folder, **options) as running:
        heard = running.hear()
        running.wait()
        return heard
