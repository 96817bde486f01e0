"""What a model takes and gives, as one value, and its form inside MLmodel: JSON texts in a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from drupe.errors import InvalidValue
from drupe.models.schema import ParamSchema, Schema

__all__ = ["ModelSignature"]


@frozen
class ModelSignature:
    """The columns or tensors that `predict` takes, those that it gives, and its params. Each may be unknown (None), but not all."""

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None

    def __attrs_post_init__(self) -> None:
        for name, kind in (("inputs", Schema), ("outputs", Schema), ("params", ParamSchema)):
            part = getattr(self, name)
            if part is not None and not isinstance(part, kind):
                raise InvalidValue(
                    f"a signature's {name} are a {kind.__name__}, not {type(part).__name__}; infer_signature makes one from data"
                )
        if self.inputs is None and self.outputs is None and self.params is None:
            raise InvalidValue("a signature needs inputs, outputs or params")

    def __str__(self) -> str:
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return "\n".join(f"{name + ':':<8} {part}" for name, part in parts.items() if part is not None)

    def to_dict(self) -> dict[str, str | None]:
        """The form inside MLmodel."""
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return {name: None if part is None else part.to_json() for name, part in parts.items()}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> ModelSignature | None:
        """Read what `to_dict` wrote, or MLflow; None when no part is known. Raises InvalidValue."""
        inputs, outputs, params = (parts.get(name) or None for name in ("inputs", "outputs", "params"))
        if inputs == "[]" or outputs == "[]":  # an empty list says as much as none
            inputs, outputs = (None if part == "[]" else part for part in (inputs, outputs))
        if inputs is None and outputs is None and params is None:
            return None
        return cls(
            None if inputs is None else Schema.from_json(inputs),
            None if outputs is None else Schema.from_json(outputs),
            None if params is None else ParamSchema.from_json(params),
        )
