"""What `evaluate` returns: numbers, artifacts and tables, to be looked at, saved to a folder and read again. MLflow's names and files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from drupe.errors import InvalidValue
from drupe.evaluation.formats import KINDS, as_table, decoded, kind_of

if TYPE_CHECKING:
    from drupe.evaluation.thresholds import Check

__all__ = ["EvaluationArtifact", "EvaluationResult"]

_METRICS, _ARTIFACTS, _OURS, _FOLDER = "metrics.json", "artifacts_metadata.json", "evaluation.json", "artifacts"
_CLASS = "mlflow.models.evaluation.artifacts.{kind}EvaluationArtifact"


class EvaluationArtifact:
    """One file of an evaluation: its address, and what is in it.

    `raw` are its bytes; `content` is the value that MLflow gives: an image, a DataFrame, an array, what JSON says, a text.
    """

    def __init__(self, uri: str, raw: bytes) -> None:
        self.uri = uri
        self.raw = raw
        self._content: Any = None

    @property
    def file_name(self) -> str:
        """The last part of the address."""
        return _file_name(self.uri)

    @property
    def content(self) -> Any:
        """The value in the file, read once. Raises UntrustedModel for a pickle."""
        if self._content is None:
            self._content = decoded(self.file_name, self.raw)
        return self._content

    def __repr__(self) -> str:
        return f"{kind_of(self.file_name)}EvaluationArtifact(uri={self.uri!r})"


class EvaluationResult:
    """What an evaluation found out.

    `metrics` are numbers by name and `artifacts` files by name; `run_id` and `model_id` say where they were put. `failures` says what could
    not be found out, and why; `better` which way metrics are better, where that is known; `baseline` is the result of the model that this
    one was compared with, if any. `checks` are the comparisons with thresholds that were made last; they are not saved.
    """

    def __init__(
        self,
        metrics: Mapping[str, float],
        artifacts: Mapping[str, EvaluationArtifact],
        run_id: str | None = None,
        *,
        model_id: str | None = None,
        failures: Mapping[str, str] | None = None,
        better: Mapping[str, bool] | None = None,
        baseline: EvaluationResult | None = None,
    ) -> None:
        self.metrics = dict(metrics)
        self.artifacts = dict(artifacts)
        self.run_id = run_id
        self.model_id = model_id
        self.failures = dict(failures or {})
        self.better = dict(better or {})
        self.baseline = baseline
        self.checks: list[Check] = []

    @property
    def tables(self) -> dict[str, Any]:
        """The artifacts that are tables, as DataFrames."""
        found = {name: as_table(artifact.file_name, artifact.raw) for name, artifact in self.artifacts.items()}
        return {name: table for name, table in found.items() if table is not None}

    def save(self, path: str | Path) -> None:
        """Write the result to a folder, which is made; MLflow's `EvaluationResult.load` reads it too."""
        folder = Path(path)
        files = folder / _FOLDER
        files.mkdir(parents=True, exist_ok=True)
        described = {
            name: {"uri": artifact.uri, "class_name": _CLASS.format(kind=kind_of(artifact.file_name))}
            for name, artifact in self.artifacts.items()
        }
        for artifact in self.artifacts.values():
            (files / artifact.file_name).write_bytes(artifact.raw)
        ours = {
            "run_id": self.run_id,
            "model_id": self.model_id,
            "failures": self.failures,
            "better": self.better,
            "baseline": None if self.baseline is None else self.baseline.metrics,
        }
        for name, content in ((_METRICS, self.metrics), (_ARTIFACTS, described), (_OURS, ours)):
            (folder / name).write_text(json.dumps(content, indent=2), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save`, here or in MLflow, wrote. Raises InvalidValue when a file is missing or damaged."""
        folder = Path(path)
        metrics, described = _read(folder / _METRICS), _read(folder / _ARTIFACTS)
        artifacts = {}
        for name, meta in described.items():
            uri = str(meta.get("uri", "")) if isinstance(meta, dict) else ""
            file = folder / _FOLDER / (_file_name(uri) or name)
            if file.suffix.lower() not in KINDS or not file.is_file() or file.is_symlink():
                raise InvalidValue(f"{folder} holds no whole evaluation: the file of its artifact {name!r}, {file.name!r}, is missing")
            artifacts[name] = EvaluationArtifact(uri, file.read_bytes())
        ours = _read(folder / _OURS) if (folder / _OURS).is_file() else {}
        before = ours.pop("baseline", None)
        known = {key: ours.get(key) for key in ("run_id", "model_id", "failures", "better")}
        return cls(metrics, artifacts, baseline=None if before is None else cls(before, {}), **known)

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={value:.4g}" for name, value in list(self.metrics.items())[:6])
        more = f", … {len(self.metrics)} metrics" if len(self.metrics) > 6 else ""
        return f"<EvaluationResult {numbers}{more}; {len(self.artifacts)} artifacts>"

    def _repr_html_(self) -> str:
        from drupe.evaluation.page import page_of  # here: only notebooks draw it

        return page_of(self)


def _file_name(uri: str) -> str:
    return PurePosixPath(unquote(urlsplit(uri).path)).name


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise InvalidValue(f"{file.parent} holds no evaluation: {file.name} cannot be read ({fault})") from fault
    if not isinstance(found, dict):
        raise InvalidValue(f"{file.parent} holds no evaluation: {file.name} is {type(found).__name__}, not an object")
    return found
