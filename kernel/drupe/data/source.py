"""Where a dataset came from, as it is recorded with it: MLflow's kinds and keys.

`record` takes whatever a caller calls a source; `get_source` reads it back from a dataset, and `RecordedSource.load` fetches the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from drupe.data.fetching import fetch
from drupe.entities import Dataset, DatasetInput
from drupe.errors import ArtifactCorrupt, InvalidValue
from drupe.tracking.context import program_tags
from drupe.uris import redact

__all__ = ["RecordedSource", "get_source", "record", "source_type"]

_WEB = ("http", "https")


@frozen
class RecordedSource:
    """`source_type` is MLflow's (`local`, `http`, `s3`, `code`, …), `facts` its JSON form; ours adds `sha256` and `size_bytes` of files that it read."""

    source_type: str
    facts: Mapping[str, Any] = field(factory=dict)

    @property
    def uri(self) -> str | None:
        """The address, without what was secret in it; None for data that the program made itself."""
        found = self.facts.get("url") or self.facts.get("uri")
        return None if found is None else str(found)

    def load(self, dst_path: str | Path | None = None, *, verify: bool = True) -> str:
        """Fetch the file into the folder `dst_path` (a new temporary one by default; local files are then read in place); returns its path.

        Raises InvalidValue when there is no address, ArtifactCorrupt when the content is another one than was described (unless `verify` is
        false), and what the source raises.
        """
        if self.uri is None:
            raise InvalidValue(f"the dataset was made in code ({self.source_type}), so there is no file to load")
        if "***" in self.uri:
            raise InvalidValue(
                f"the address was recorded without its secrets: {self.uri}; load it with drupe.data.load and the full address"
            )
        file = fetch(self.uri, None if dst_path is None else Path(dst_path))
        expected = self.facts.get("sha256")
        if verify and expected and file.sha256 != expected:
            raise ArtifactCorrupt(
                f"{self.uri} has changed since the dataset was described: its SHA-256 is {file.sha256}, not {expected}; "
                "verify=False takes it as it is",
                path=self.uri,
            )
        return str(file.path)

    def to_dict(self) -> dict[str, Any]:
        """The facts."""
        return dict(self.facts)

    def to_json(self) -> str:
        """The facts as JSON text."""
        return json.dumps(self.facts)


def record(given: Any, **facts: Any) -> RecordedSource:
    """What to record for a source: an address or path, one that is recorded already, MLflow's own, or None for "this program".

    `facts` are added to those of an address. Credentials are left out.
    """
    if isinstance(given, RecordedSource):
        return given
    if given is None:
        return RecordedSource("code", {"tags": program_tags()})
    if isinstance(given, str | os.PathLike):
        text = redact(given) if isinstance(given, str) else os.fspath(given)
        kind = source_type(text)
        return RecordedSource(kind, {"url" if kind == "http" else "uri": text, **facts})
    described, type_of = getattr(given, "to_json", None), getattr(given, "_get_source_type", None)
    if callable(described) and callable(type_of):  # a DatasetSource of MLflow
        return RecordedSource(str(type_of()), json.loads(described()))
    raise InvalidValue(f"a source is an address, a path or what get_source returns, not {type(given).__qualname__}")


def source_type(address: str) -> str:
    """MLflow's name for the kind of source at an address: `local`, `http`, or the scheme."""
    scheme, colon, _ = address.partition("://")
    scheme = scheme.lower() if colon else ""
    return "local" if scheme in ("", "file") else "http" if scheme in _WEB else scheme


def get_source(dataset: Any) -> RecordedSource:
    """Where a dataset came from: of one made by `drupe.data`, or one of `run.inputs.dataset_inputs`.

    (used,) = drupe.get_run(run_id).inputs.dataset_inputs
    path = drupe.data.get_source(used).load()
    """
    if isinstance(dataset, DatasetInput):
        dataset = dataset.dataset
    if isinstance(dataset, Dataset):
        try:
            facts = json.loads(dataset.source)
        except ValueError:
            facts = None
        return RecordedSource(dataset.source_type, facts if isinstance(facts, dict) else {"uri": dataset.source})
    found = getattr(dataset, "source", None)
    if found is None:
        raise InvalidValue(f"get_source takes a dataset, not {type(dataset).__qualname__}")
    return record(found)
