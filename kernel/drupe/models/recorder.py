"""Run as a process: loads a model that was just written, predicts for its example, and notes which modules the model itself asks for.

`python -P -m drupe.models.recorder JOB`. `recording` writes the job and reads the report. What a library imports in turn is not
noted: an import counts when the model's own code asks for it, or when a pickle names it. The network is shut unless the job says otherwise.
"""

from __future__ import annotations

import builtins
import importlib
import json
import site
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drupe.loading import catalog
from drupe.models.code_folder import make_importable
from drupe.models.enforce import enforce_input, enforce_params
from drupe.models.examples import read_example
from drupe.models.signature import ModelSignature

__all__ = ["Recorder", "main"]

_LOCAL = ("127.", "::1", "localhost")
_READ_PICKLES = ("cloudpickle", "pickle", "joblib", "torch", "skops")


class Recorder:
    """Notes imports while it is started: `names` are full names of modules."""

    def __init__(self) -> None:
        paths = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
        self._installed = tuple(f"{path}/" for path in {*paths, *site.getsitepackages(), site.getusersitepackages()} if path)
        self.names: set[str] = set()

    def start(self) -> None:
        """Look at every import from now on."""
        real_import, real_module = builtins.__import__, importlib.import_module

        def noted_import(name: str, namespace: Any = None, local: Any = None, fromlist: Any = (), level: int = 0) -> Any:
            if level == 0 and self._counts(namespace, fromlist):
                self.names.add(name)
                self.names.update(f"{name}.{part}" for part in fromlist or () if isinstance(part, str) and part.isidentifier())
            return real_import(name, namespace, local, fromlist, level)

        def noted_module(name: str, package: str | None = None) -> Any:
            if not name.startswith(".") and self._counts(sys._getframe(1).f_globals, ()):
                self.names.add(name)
            return real_module(name, package)

        setattr(builtins, "__import__", noted_import)  # noqa: B010 - its type names other arguments
        importlib.import_module = noted_module

    def _counts(self, namespace: Mapping[str, Any] | None, fromlist: Any) -> bool:
        """True when the model's code asks, or what reads a pickle: Python's own reader goes through C, which passes a list."""
        name = str((namespace or {}).get("__name__") or "")
        top = name.partition(".")[0]
        if top in _READ_PICKLES:
            return top in ("cloudpickle", "pickle") or name.startswith("skops.io") or isinstance(fromlist, list)
        if top == "drupe" or top.startswith("drupe_"):
            return isinstance(fromlist, list) or top == "drupe_model_script"
        file = (namespace or {}).get("__file__")
        if file is None and top != "__main__":  # compiled modules have none yet while they are being imported
            file = getattr(sys.modules.get(top), "__file__", None)
        return file is None or not str(file).startswith(self._installed)


def main(arguments: list[str]) -> int:
    """Do the job in the file `arguments[0]`; the report goes to the file that it names."""
    job = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    Path(job["report"]).write_text(json.dumps(_record(job)), encoding="utf-8")
    return 0


def _record(job: Mapping[str, Any]) -> dict[str, Any]:
    folder, config = Path(job["folder"]), job["config"]
    flavor = catalog().flavor(job["flavor"])
    signature = ModelSignature.from_dict(job["signature"]) if job["signature"] else None
    example = read_example(folder, job["example"], signature.inputs if signature else None) if job["example"] else None
    if config.get("code"):
        make_importable(folder / config["code"])
    if not job["network"]:
        sys.addaudithook(_shut_network)
    recorder = Recorder()
    recorder.start()
    stage = "loaded"
    try:
        model = flavor.load(folder, config, model_config=config.get("config"))
        if example is not None:
            stage = "asked for its example"
            given = enforce_input(example.inputs, signature.inputs if signature else None)
            flavor.predict(model, given, enforce_params(example.params, signature.params if signature else None), config)
    except Exception as fault:  # the user's model raised it
        reason = str(getattr(fault, "message", "")) or f"{type(fault).__name__}: {fault}"
        return {"fault": f"it cannot be {stage} in a process of its own: {reason}"}
    return {"modules": {name: getattr(sys.modules[name], "__file__", None) for name in sorted(recorder.names) if name in sys.modules}}


def _shut_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        place = arguments[1][0] if isinstance(arguments[1], tuple) else ""  # a path of this machine otherwise
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        place = arguments[0]
    else:
        return
    host = place.decode(errors="replace") if isinstance(place, bytes) else str(place or "")
    if host and not host.startswith(_LOCAL):
        raise PermissionError(
            f"no network while a model's imports are recorded, and it asks for {host}; DRUPE_REQUIREMENTS_INFERENCE_NETWORK=true lets it"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
