"""drupe-serving: serves a model under MLflow's scoring protocol and the Open Inference Protocol, and predicts for files."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_cli_commands() -> list[Offer]:
    return [
        Offer(
            "models-serve",
            load="drupe_serving.command:serve",
            help="Answer requests for predictions",
            keys=("models serve",),
            settings="drupe_serving.settings:ServingSettings",
        ),
        Offer(
            "models-predict", load="drupe_serving.predict_command:predict", help="Predict for the rows of a file", keys=("models predict",)
        ),
    ]
