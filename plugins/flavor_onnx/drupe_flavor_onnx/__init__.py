"""drupe-flavor-onnx: ONNX models, run by ONNX Runtime."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_model_flavors() -> list[Offer]:
    return [
        Offer(
            "onnx",
            load="drupe_flavor_onnx.flavor:OnnxFlavor",
            help="ONNX models",
            handles=("onnx.onnx_ml_pb2.ModelProto",),
            requires=("onnx", "onnxruntime"),
        )
    ]
