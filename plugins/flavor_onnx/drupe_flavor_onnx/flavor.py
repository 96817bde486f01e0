"""Saves, loads and runs ONNX models. `files` writes and checks them, `session` opens them, `feeding` makes inputs and outputs fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
from attrs import frozen

from drupe.errors import InvalidValue
from drupe.extend import Flavor, FlavorRecord
from drupe.models import inside, pinned_requirements
from drupe_flavor_onnx.feeding import feeds, outputs
from drupe_flavor_onnx.files import check, read_graph, read_model, write_model
from drupe_flavor_onnx.session import checked_options, checked_providers, open_session

__all__ = ["OnnxFlavor", "OnnxModel"]

_OPTIONS = {
    *("onnx_execution_providers", "onnx_session_options", "save_as_external_data"),
    *("all_tensors_to_one_file", "size_threshold", "convert_attribute"),
}


@frozen(eq=False)
class OnnxModel:
    """A model that is ready to run: its `file` and the `session` of ONNX Runtime."""

    file: Path
    session: Any

    def proto(self) -> Any:
        """The model as `onnx` knows it, with its weights."""
        return onnx.load(str(self.file))


class OnnxFlavor(Flavor):
    """ONNX models, given as a ModelProto or the path of a file.

    Options: `onnx_execution_providers` (names in order of preference, or pairs of a name and its options), `onnx_session_options`
    (`intra_op_num_threads`, `inter_op_num_threads`, `execution_mode`, `graph_optimization_level`, `extra_session_config`),
    `save_as_external_data` (weights in a file of their own; default True), and of onnx's own: `all_tensors_to_one_file`, `size_threshold`,
    `convert_attribute`.
    """

    name = "onnx"
    model_argument = "onnx_model"

    def save(self, model: Any, folder: Path, options: Mapping[str, Any]) -> FlavorRecord:
        """Write `model.onnx`, and `model.onnx.data` for large weights. Raises InvalidValue for an unknown option or a model that is not valid."""
        if unknown := sorted(set(options) - _OPTIONS):
            raise InvalidValue(
                f"log_model of the flavor onnx does not know {', '.join(unknown)}; its own options are {', '.join(sorted(_OPTIONS))}"
            )
        providers = checked_providers(options.get("onnx_execution_providers"), InvalidValue)
        settings = checked_options(options.get("onnx_session_options"), InvalidValue)
        if isinstance(model, str | Path):
            model = read_model(model)
        if not isinstance(model, onnx.ModelProto):
            raise InvalidValue(f"the flavor onnx saves a ModelProto or the path of an .onnx file, not {type(model).__name__}")
        file = write_model(
            model,
            folder,
            external=options.get("save_as_external_data", True) is not False,
            one_file=options.get("all_tensors_to_one_file", True) is not False,
            threshold=options.get("size_threshold"),
            attributes=bool(options.get("convert_attribute")),
        )
        return FlavorRecord(
            config={
                "onnx_version": onnx.__version__,
                "data": file.name,
                "providers": providers,
                "onnx_session_options": settings,
            },
            pyfunc={"loader_module": "mlflow.onnx", "data": file.name},
            requirements=pinned_requirements(["onnx", "onnxruntime", "numpy", "pandas"]),
        )

    def load(self, folder: Path, config: Mapping[str, Any], *, model_config: Mapping[str, Any] | None = None) -> Any:
        """Check the model and open it. Raises InvalidModelFolder, also for providers, options and places of weights that a model may not name."""
        file = inside(folder, config.get("data"))
        read_graph(file)
        check(file)
        return OnnxModel(file, open_session(file, config.get("providers"), config.get("onnx_session_options")))

    def native(self, model: Any) -> Any:
        """The ModelProto, with its weights."""
        return model.proto() if isinstance(model, OnnxModel) else model

    def predict(self, model: Any, inputs: Any, params: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
        """A table of the outputs for a table, else a dict of output name → array. Raises InvalidValue for inputs that the graph does not take."""
        session = model.session
        given = feeds(session.get_inputs(), inputs)
        names = [output.name for output in session.get_outputs()]
        try:
            found = session.run(names, given)
        except Exception as fault:  # ONNX Runtime has a dozen exceptions of its own, without a common parent
            raise InvalidValue(f"ONNX Runtime cannot run the model on this input: {str(fault).splitlines()[0]}") from fault
        return outputs(names, found, inputs)

    def loads(self, config: Mapping[str, Any]) -> bool:
        """True when the keys name a model file."""
        return isinstance(config.get("data"), str) and "onnx_version" in config

    def reads_safely(self, config: Mapping[str, Any]) -> Sequence[str]:
        """The graph, and the weights beside it: onnxruntime makes arrays and its own operators of them."""
        data = config.get("data")
        return [data, f"{data}.data"] if isinstance(data, str) else []
