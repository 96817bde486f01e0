"""The contract of a model flavor: how models of one library are written to a folder, read back, and asked for predictions.

A flavor deals with its own files only. The MLmodel file, signature, example, environment files and manifest are written around it
by `drupe.models`. The conformance kit is `drupe.testing.flavor`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from attrs import field, frozen

__all__ = ["Flavor", "FlavorRecord"]


@frozen
class FlavorRecord:
    """What a flavor says about the model that it has just written.

    `config`         the flavor's own map in MLmodel (`flavors.<name>`); MLflow's keys
    `pyfunc`         keys for `flavors.python_function`, with `loader_module` so that MLflow can load the folder; empty: not loadable that way
    `requirements`   pip requirements that loading and predicting need, pinned to what is installed
    `executes_code`  True when loading runs code stored in the files (pickles, scripts)
    """

    config: Mapping[str, Any] = field(factory=dict)
    pyfunc: Mapping[str, Any] = field(factory=dict)
    requirements: Sequence[str] = ()
    executes_code: bool = False


class Flavor(ABC):
    """Saves, loads and runs the models of one library. Stateless: one instance may serve several threads."""

    name: ClassVar[str]
    """The flavor's name in MLmodel, e.g. `sklearn`."""

    model_argument: ClassVar[str] = "model"
    """What MLflow's `log_model` of this flavor calls the model, e.g. `sk_model`; taken as a keyword too."""

    also_saved: ClassVar[frozenset[str]] = frozenset()
    """Arguments of every flavor's `log_model` that `save` is to see among its options too, e.g. `input_example` to trace a model with."""

    load_options: ClassVar[frozenset[str]] = frozenset()
    """Keyword arguments of this flavor's `load_model`; `load` gets them in `model_config`, for this call only."""

    functions: ClassVar[Mapping[str, str]] = {}
    """Further functions of `drupe.<name>`, each as "module:attr", imported on first use; the five that every flavor has cannot be replaced."""

    @abstractmethod
    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        """Write `model` into `folder`, which exists and holds nothing of this flavor yet.

        `options` are the keyword arguments of `log_model` that only this flavor knows; refuse unknown ones with InvalidValue.
        """

    @abstractmethod
    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        """Read the model back, as the library's own object.

        `config` is `flavors.<name>` from MLmodel, with the keys of `flavors.python_function` below it where both exist. Its file names are
        not trusted: resolve them with `drupe.models.inside`. Raises InvalidModelFolder, MissingRequirement.
        """

    @abstractmethod
    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        """Predict for `inputs`, which already fit the signature (a DataFrame for columns, arrays for tensors); `params` hold defaults."""

    def example(self, model: Any, given: Any) -> Any:
        """The `input_example` as `predict` takes it and a file can keep it: a table, arrays, plain values. As it was given by default."""
        return given

    def native(self, model: Any) -> Any:
        """The library's own object, for `<flavor>.load_model`: what `load` gave, unless that is something made ready to predict around it."""
        return model

    def predicts_rows_alone(self, model: Any, config: Mapping[str, Any]) -> bool:
        """True when `predict` gives each row what it would give that row alone, so that rows of several requests may be predicted together.

        Say so for libraries whose models are like that by what they are; leave it False where users' code may do anything.
        """
        return False

    def loads(self, config: Mapping[str, Any]) -> bool:
        """True when this flavor can read `flavors.<name>` as it stands; a cheap look at keys, nothing is opened."""
        return bool(config)

    def reads_safely(self, config: Mapping[str, Any]) -> Sequence[str]:
        """The files and folders that `load` reads for this map without being able to run code, whatever they hold; none by default.

        A folder with a file in a format that the gate does not know is loaded only when somebody vouches for it, unless its flavor says here
        that the library's reader of that format makes nothing but data of it. Never name a pickle, a script, or a file that is read as one.
        """
        return ()

    def predict_method(self, options: Mapping[str, Any]) -> str:
        """The method of the native model whose output an automatic signature describes."""
        return str(options.get("pyfunc_predict_fn") or "predict")
