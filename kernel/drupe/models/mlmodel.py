"""The MLmodel file as a value: which flavors a folder holds, its signature, example, origin and the user's metadata.

MLflow's key and attribute names. Keys that are not known are kept and written again. What the keys lead to is not opened here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from attrs import field, frozen
from yaml import YAMLError

from drupe import lazy
from drupe.errors import InvalidModelFolder, InvalidValue
from drupe.models.signature import ModelSignature
from drupe.models.yaml_text import read_yaml, write_yaml

__all__ = ["MLMODEL_FILE", "PYFUNC", "Model", "ModelInfo"]

MLMODEL_FILE = "MLmodel"
PYFUNC = "python_function"
_HINTED, _FROM_EXAMPLE = "is_signature_from_type_hint", "type_hint_from_example"
_OWN_KEYS = {
    *("flavors", "artifact_path", "run_id", "model_uuid", "utc_time_created", "signature", "saved_input_example_info", "metadata"),
    *(_HINTED, _FROM_EXAMPLE),
}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


@frozen
class Model:
    """What an MLmodel file says. `utc_time_created` is text in UTC; `extra` holds the keys without an attribute here.

    `is_hinted` says that MLflow took the signature from type hints; such a model gets a list of what its one column describes.
    """

    flavors: Mapping[str, Mapping[str, Any]]
    signature: ModelSignature | None = None
    saved_input_example_info: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    artifact_path: str | None = None
    run_id: str | None = None
    model_uuid: str | None = field(factory=lambda: uuid4().hex)
    utc_time_created: str = field(factory=_now)
    is_hinted: bool = False
    extra: Mapping[str, Any] = field(factory=dict)

    @property
    def mlflow_version(self) -> str | None:
        """The release of MLflow that wrote the file; None when it was not MLflow."""
        return self.extra.get("mlflow_version")

    @property
    def model_id(self) -> str | None:
        """The id of the logged model that this is; None when it was only saved, or its store keeps no logged models."""
        return self.extra.get("model_id")

    def config(self, flavor: str) -> dict[str, Any]:
        """The map of one flavor, with the keys of `python_function` below it. Raises InvalidModelFolder when the flavor is not there."""
        if flavor not in self.flavors:
            raise InvalidModelFolder(f"this model has no flavor {flavor!r}; it has {', '.join(self.flavors)}", flavor=flavor)
        return {**self.flavors.get(PYFUNC, {}), **self.flavors[flavor]}

    def to_dict(self) -> dict[str, Any]:
        """The keys of the MLmodel file; what is not known is absent rather than null, as MLflow has it."""
        known: dict[str, Any] = {
            "flavors": {name: dict(config) for name, config in self.flavors.items()},
            "artifact_path": self.artifact_path,
            "run_id": self.run_id,
            "metadata": None if self.metadata is None else dict(self.metadata),
            "saved_input_example_info": None if self.saved_input_example_info is None else dict(self.saved_input_example_info),
        }
        if self.signature is not None:
            known |= {"signature": self.signature.to_dict(), _HINTED: self.is_hinted, _FROM_EXAMPLE: False}
        written = {key: value for key, value in known.items() if value is not None}
        return written | {"model_uuid": self.model_uuid, "utc_time_created": self.utc_time_created} | dict(self.extra)

    @classmethod
    def from_dict(cls, keys: Mapping[str, Any], *, place: str = "MLmodel") -> Model:
        """Read the keys of an MLmodel file; `place` names it in messages. Raises InvalidModelFolder that names every fault."""
        faults = []
        flavors = keys.get("flavors")
        if not isinstance(flavors, Mapping) or not flavors:
            faults.append("it lists no flavors")
        elif not all(isinstance(name, str) and isinstance(config, Mapping) for name, config in flavors.items()):
            faults.append("flavors must be a map of name → map")
        for key, kind in (("metadata", Mapping), ("saved_input_example_info", Mapping), ("signature", Mapping), ("run_id", str)):
            if keys.get(key) is not None and not isinstance(keys[key], kind):
                faults.append(f"{key} must be {'text' if kind is str else 'a map'}, not {type(keys[key]).__name__}")
        signature = None
        if isinstance(keys.get("signature"), Mapping):
            try:
                signature = ModelSignature.from_dict(keys["signature"])
            except InvalidValue as fault:
                faults.append(f"its signature cannot be read: {fault.message}")
        if faults:
            raise InvalidModelFolder(f"{place} is not a usable MLmodel file: {'; '.join(faults)}", faults=faults)
        return cls(
            flavors=dict(keys["flavors"]),
            signature=signature,
            saved_input_example_info=keys.get("saved_input_example_info"),
            metadata=keys.get("metadata"),
            artifact_path=keys.get("artifact_path"),
            run_id=keys.get("run_id"),
            model_uuid=keys.get("model_uuid"),
            utc_time_created=str(keys.get("utc_time_created") or ""),
            is_hinted=keys.get(_HINTED) is True,
            extra={key: value for key, value in keys.items() if key not in _OWN_KEYS},
        )

    def save(self, path: Path | str) -> None:
        """Write the MLmodel file at `path`. Raises InvalidValue when metadata or a flavor's keys hold what YAML cannot say."""
        try:
            write_yaml(Path(path), self.to_dict())
        except YAMLError as fault:
            raise InvalidValue(f"metadata and configuration of a model are plain values (dicts, lists, text, numbers): {fault}") from fault

    @classmethod
    def load(cls, path: Path | str) -> Model:
        """Read an MLmodel file, or the one in a local folder. Nothing else of the folder is opened. Raises InvalidModelFolder."""
        file = Path(path)
        if file.is_dir():
            file /= MLMODEL_FILE
        if not file.is_file():
            raise InvalidModelFolder(f"{file} is not there, so {file.parent} is not a model folder", path=str(file))
        keys = read_yaml(file)
        if not isinstance(keys, Mapping):
            raise InvalidModelFolder(f"{file} is not a usable MLmodel file: it holds {type(keys).__name__}, not a map", path=str(file))
        return cls.from_dict(keys, place=str(file))

    def info(self, model_uri: str, *, registered_model_version: str | None = None) -> ModelInfo:
        """This model as it is known at `model_uri`."""
        return ModelInfo(
            model_uri=model_uri,
            flavors=self.flavors,
            signature=self.signature,
            saved_input_example_info=self.saved_input_example_info,
            metadata=self.metadata,
            artifact_path=self.artifact_path,
            run_id=self.run_id,
            model_uuid=self.model_uuid,
            utc_time_created=self.utc_time_created,
            mlflow_version=self.mlflow_version,
            registered_model_version=registered_model_version,
            model_id=self.model_id,
        )


@frozen
class ModelInfo:
    """What is known of a logged or saved model, without loading it. `registered_model_version` is set by a `log_model` that registered it."""

    model_uri: str
    flavors: Mapping[str, Mapping[str, Any]]
    signature: ModelSignature | None = None
    saved_input_example_info: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    artifact_path: str | None = None
    run_id: str | None = None
    model_uuid: str | None = None
    utc_time_created: str = ""
    mlflow_version: str | None = None
    registered_model_version: str | None = None
    model_id: str | None = None

    @property
    def name(self) -> str | None:
        """MLflow 3's name of `artifact_path`."""
        return self.artifact_path

    def _repr_html_(self) -> str:
        """The model card, for notebooks."""
        return str(lazy.load("drupe.models.card.files:html_of_info")(self))

    @property
    def signature_dict(self) -> dict[str, str | None] | None:
        """The signature as it stands in MLmodel."""
        return None if self.signature is None else self.signature.to_dict()
