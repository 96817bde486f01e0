"""A loaded model of any flavor behind one interface: `predict` makes the input fit the signature, then asks the flavor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drupe import lazy
from drupe.extend import Flavor
from drupe.models.coercion import Coercion
from drupe.models.enforce import InputFit, enforce_params
from drupe.models.examples import read_example
from drupe.models.gate import Admitted
from drupe.models.mlmodel import Model
from drupe.models.schema import ParamSchema, Schema
from drupe.models.signature import ModelSignature

__all__ = ["LoadedModel"]


class LoadedModel:
    """A model ready to predict. `metadata` is what its MLmodel says; `native` the library's own object."""

    def __init__(
        self, native: Any, flavor: Flavor, config: Mapping[str, Any], admitted: Admitted, coercion: Coercion = Coercion.safe
    ) -> None:
        self.native = native
        self.metadata: Model = admitted.model
        self.path: Path = admitted.folder
        self.flavor = flavor.name
        self.config = config
        self._flavor = flavor
        signature = self.metadata.signature
        self._inputs: Schema | None = signature.inputs if signature else None
        self._params: ParamSchema | None = signature.params if signature else None
        self._fit = InputFit(self._inputs, coercion, is_hinted=self.metadata.is_hinted)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """The model's prediction for `data`, as the library gives it.

        With a signature, `data` is made to fit it first: columns are taken by name, extra ones left out with a warning, types converted
        as far as the coercion allows that the model was loaded with; params that are left out get their defaults. Raises
        SignatureMismatch that says what was expected and found.
        """
        given = {} if params is None and self._params is None else enforce_params(params, self._params)
        return self._flavor.predict(self.native, self._fit(data), given, self.config)

    @property
    def signature(self) -> ModelSignature | None:
        """What the model takes and gives; None when that is not known."""
        return self.metadata.signature

    @property
    def predicts_rows_alone(self) -> bool:
        """True when the flavor knows that a row's prediction does not depend on the rows beside it."""
        return self._flavor.predicts_rows_alone(self.native, self.config)

    @property
    def model_config(self) -> Any:
        """The configuration that the model was saved with."""
        return self.config.get("config")

    @property
    def input_example(self) -> Any:
        """The input example that the model was saved with, or None. Raises InvalidModelFolder."""
        info = self.metadata.saved_input_example_info
        return None if info is None else read_example(self.path, info, self._inputs).inputs

    def unwrap_python_model(self) -> Any:
        """The user's own PythonModel; for other flavors, the library's object."""
        return getattr(self.native, "python_model", self.native)

    def get_raw_model(self) -> Any:
        """MLflow's name of `unwrap_python_model`."""
        return self.unwrap_python_model()

    def _repr_html_(self) -> str:
        """The model card, for notebooks."""
        return str(lazy.load("drupe.models.card.files:html_of_loaded")(self.metadata, self.path))

    def __repr__(self) -> str:
        return f"<LoadedModel {self.flavor} from {self.path}>"
