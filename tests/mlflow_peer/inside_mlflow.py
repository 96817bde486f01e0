"""Run inside MLflow: what its own client finds of a run's model on its own server. See `tests.real_mlflow.worker` for how."""

import mlflow
import pandas


def found(tracking_uri, run_id, name, rows):
    """Predictions of the run's model by every address that this release knows, and what the server says of the logged model."""
    mlflow.set_tracking_uri(tracking_uri)
    client = mlflow.MlflowClient()
    frame = pandas.DataFrame(rows)
    addresses = [f"runs:/{run_id}/clf", f"models:/{name}/1"]
    told = None
    if hasattr(client, "search_logged_models") and int(mlflow.__version__.partition(".")[0]) >= 3:
        run = client.get_run(run_id)
        (model,) = client.search_logged_models([run.info.experiment_id], filter_string=f"source_run_id = '{run_id}'")
        addresses.append(f"models:/{model.model_id}")
        told = {
            "name": model.name,
            "status": str(model.status),
            "run": model.source_run_id,
            "params": model.params,
            "tags": {key: value for key, value in model.tags.items() if not key.startswith(("mlflow.", "drupe."))},
            "metrics": {metric.key: metric.value for metric in model.metrics or []},
            "outputs": [one.model_id for one in run.outputs.model_outputs] == [model.model_id],
            "digest": "drupe.model_digest" in model.tags,
        }
    predicted = {}
    for address in addresses:
        predicted[address.replace(run_id, "RUN")] = [int(one) for one in mlflow.pyfunc.load_model(address).predict(frame)]
    return {"predicted": predicted, "model": told}
