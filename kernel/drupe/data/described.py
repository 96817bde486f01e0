"""What describing data gives: MLflow's attributes of a dataset, and the data itself for as long as the program keeps it.

`log_input` takes these. What a store keeps, and gives back, is the plain value `drupe.entities.Dataset`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from drupe.data.source import RecordedSource
from drupe.entities import Dataset
from drupe.models.schema import Schema

__all__ = ["ArrayDataset", "DescribedDataset", "FrameDataset"]


@frozen(eq=False, kw_only=True)
class DescribedDataset:
    """`digest` is of the content, `profile` counts and statistics; `source` says where it came from."""

    name: str
    digest: str
    source: RecordedSource
    profile: Mapping[str, Any] = field(repr=False)

    def schema_json(self) -> str | None:
        """The schema as MLflow writes it, or None where the types have no name in it."""
        return None

    def to_dict(self) -> dict[str, str | None]:
        """Name, digest, source_type and the JSON texts source, schema and profile."""
        return {
            "name": self.name,
            "digest": self.digest,
            "source_type": self.source.source_type,
            "source": self.source.to_json(),
            "schema": self.schema_json(),
            "profile": json.dumps(self.profile, allow_nan=False),
        }

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict())

    def to_entity(self) -> Dataset:
        """The value that stores keep, for `Client.log_inputs`."""
        return Dataset(**self.to_dict())  # type: ignore[arg-type]  # its fields, name by name

    _to_mlflow_entity = to_entity  # what MLflow's documentation calls, although its name is private


@frozen(eq=False, kw_only=True)
class FrameDataset(DescribedDataset):
    """A table: `df` is the DataFrame that was described; `targets` and `predictions` are names of columns in it."""

    df: Any = field(repr=False)
    schema: Schema | None = field(repr=False, default=None)
    targets: str | None = None
    predictions: str | None = None

    def schema_json(self) -> str | None:
        """The columns; None when one has a type that a signature cannot describe, which the profile then names."""
        return None if self.schema is None else json.dumps({"mlflow_colspec": self.schema.to_dict()})


@frozen(eq=False, kw_only=True)
class ArrayDataset(DescribedDataset):
    """An array or a dict of named arrays, and the targets that belong to it, row by row."""

    features: Any = field(repr=False)
    targets: Any = field(repr=False, default=None)
    features_schema: Schema | None = field(repr=False, default=None)
    targets_schema: Schema | None = field(repr=False, default=None)

    @property
    def schema(self) -> Mapping[str, Schema | None]:
        """The schemas of both parts."""
        return {"features": self.features_schema, "targets": self.targets_schema}

    def schema_json(self) -> str | None:
        """Both parts, each as a text in the text: how MLflow writes and reads it. None when there is no name for a type."""
        if self.features_schema is None:
            return None
        parts = {part: None if found is None else found.to_json() for part, found in self.schema.items()}
        return json.dumps({"mlflow_tensorspec": parts})
