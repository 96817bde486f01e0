"""Which distributions a model needs, found by watching what it imports in a clean process; `recorder` is what runs there.

It is done where a list cannot be known beforehand: for Python models, models with code of the user's own, and models whose files may hold
any class (pickles). Models in a library's own format need what the flavor says, and cost nothing here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from logging import getLogger
from pathlib import Path
from typing import Any

from drupe.errors import InvalidValue
from drupe.models.pinning import pins_of_modules
from drupe.models.signature import ModelSignature
from drupe.settings import settings

__all__ = ["recorded_requirements"]

log = getLogger("drupe.models")

_MODULE = "drupe.models.recorder"
_MOST_CHARACTERS = 600
_told_of_examples = False


def recorded_requirements(
    folder: Path, flavor: str, config: Mapping[str, Any], *, signature: ModelSignature | None, example: Mapping[str, Any] | None
) -> list[str]:
    """Pinned lines for what the model in the draft `folder` imports when it is loaded and, with an example, when it predicts.

    `example` is `saved_input_example_info`. When it cannot be found out, a warning says why and the list is empty: what the flavor says must
    do then. Raises InvalidValue instead with the setting `requirements_inference_raise_errors`.
    """
    told = _recorded(folder, flavor, config, signature, example)
    if "fault" in told:
        message = (
            f"the model's requirements are what the flavor {flavor} knows, for what the model imports could not be recorded: {told['fault']}. "
            "Give pip_requirements, or code_paths for modules of your own; DRUPE_REQUIREMENTS_INFERENCE=false leaves this out"
        )
        if settings().get("requirements_inference_raise_errors"):
            raise InvalidValue(message)
        warnings.warn(message, stacklevel=5)
        return []
    if example is None:
        _tell_of_examples()
    own = str(folder.resolve())
    modules = {name: file for name, file in told["modules"].items() if not str(file or "").startswith(own)}
    lines, homeless = pins_of_modules(modules)
    if homeless:
        warnings.warn(
            f"the model imports {', '.join(homeless)}, which no installed distribution brings, so no requirement can name "
            f"{'it' if len(homeless) == 1 else 'them'}: give your own modules to log_model with code_paths",
            stacklevel=5,
        )
    return lines


def _recorded(
    folder: Path, flavor: str, config: Mapping[str, Any], signature: ModelSignature | None, example: Mapping[str, Any] | None
) -> dict[str, Any]:
    timeout_s = float(settings().get("requirements_inference_timeout"))
    with tempfile.TemporaryDirectory(prefix="drupe-recorder-") as place:
        report, job = Path(place) / "report.json", Path(place) / "job.json"
        asked = {
            "folder": str(folder.resolve()),
            "flavor": flavor,
            "config": dict(config),
            "signature": signature.to_dict() if signature else None,
            "example": dict(example) if example else None,
            "network": bool(settings().get("requirements_inference_network")),
            "report": str(report),
        }
        job.write_text(json.dumps(asked, default=str), encoding="utf-8")
        command = [sys.executable, "-P", "-m", _MODULE, str(job)]
        child = subprocess.Popen(
            command, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = child.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            return {"fault": f"it took longer than {timeout_s:g} seconds (DRUPE_REQUIREMENTS_INFERENCE_TIMEOUT)"}
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)  # with whatever the model has started
                child.communicate()
        if child.returncode == 0 and report.is_file():
            found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
            return found
    return {"fault": f"its process ended with code {child.returncode}: {' '.join(said.split())[-_MOST_CHARACTERS:]}"}


def _tell_of_examples() -> None:
    global _told_of_examples
    if not _told_of_examples:
        _told_of_examples = True
        log.warning(
            "requirements of a model without an input example are what loading it imports; give input_example, so that what predict imports is "
            "found as well (said once)"
        )
