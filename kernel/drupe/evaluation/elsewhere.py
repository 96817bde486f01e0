"""A model that is judged in its own environment: a process there predicts, everything else of the evaluation happens here.

The model passes the gate here, its environment is made or found by an environment manager, and `answering` loads it there. Tables go there and
predictions come back as `exchange` has them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from drupe import errors
from drupe.errors import DrupeError, ModelError
from drupe.evaluation.exchange import receive, send
from drupe.models.environments import prepared_environment, vouched_model
from drupe.models.environments.preparing import OF_THE_CALLER
from drupe.models.handed_over import note_for_child

__all__ = ["JudgedElsewhere", "opened_elsewhere"]

_MODULE = "drupe.evaluation.answering"
_WAIT_S = 10


class JudgedElsewhere:
    """See `drupe.extend.JudgedModel`. The library's object is in another process, so that `native` is None."""

    def __init__(self, process: subprocess.Popen[bytes], name: str, model_id: str | None) -> None:
        self.name, self.model_id = name, model_id
        self.native = None
        self.classes: Any = None
        self.feature_names: list[str] | None = None
        self.has_probabilities = False
        self._process = process

    def open(self, how: Mapping[str, Any]) -> None:
        """Have the model loaded. Raises what loading it raises there."""
        told = self._asked("open", dict(how))
        self.classes, self.feature_names, self.has_probabilities = told["classes"], told["features"], told["probabilities"]

    def predict(self, features: Any) -> Any:
        """What the model predicts."""
        return self._asked("predict", features)

    def predict_proba(self, features: Any) -> Any:
        """Probabilities, one column for each class."""
        return self._asked("predict_proba", features)

    def _asked(self, kind: str, value: Any) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            send(stdin, kind, value)
            answer = receive(stdout)
        except BrokenPipeError:
            answer = None
        if answer is None:
            code = self._process.wait()
            raise ModelError(f"the model {self.name} ended its process in its own environment, with code {code}; what it wrote is above")
        if answer[0] == "fault":
            _raise(answer[1], self.name)
        return answer[1]


@contextmanager
def opened_elsewhere(
    model: str | Path, *, env_manager: str, model_config: Mapping[str, Any] | str | None, params: Mapping[str, Any] | None, is_array: bool
) -> Iterator[JudgedElsewhere]:
    """The model at an address, loaded in its own environment while the block lasts.

    Raises as `run_in_environment` does, InvalidValue, ModelError, and what loading the model raises there.
    """
    if isinstance(model_config, str):
        model_config = os.path.abspath(model_config)
    admitted = vouched_model(model)
    environ = {key: value for key, value in os.environ.items() if key not in OF_THE_CALLER}
    with prepared_environment(admitted, env_manager=env_manager) as (python, _):
        command = [str(python), "-s", "-P", "-m", _MODULE, str(admitted.folder.absolute())]
        process = subprocess.Popen(
            command, env={**environ, **note_for_child(admitted.folder, admitted.digest)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            found = JudgedElsewhere(process, str(model), admitted.model.model_id)
            found.open(
                {"name": str(model), "model_config": model_config, "params": None if params is None else dict(params), "is_array": is_array}
            )
            yield found
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """It ends by itself when nothing more can come; one that does not is killed."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(BrokenPipeError):  # it is gone already
                stream.close()
    try:
        process.wait(_WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _raise(told: Mapping[str, Any], name: str) -> None:
    """What was raised there, as what it is here, where it is one of ours."""
    kind = getattr(errors, str(told["kind"]), None) if told["kind"] else None
    if isinstance(kind, type) and issubclass(kind, DrupeError):
        raise kind(told["message"])
    raise ModelError(f"the model {name} failed in its own environment: {told['message']}")
