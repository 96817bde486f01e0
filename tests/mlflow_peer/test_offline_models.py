"""A model that was logged with no server at all, shipped to MLflow's own: its own client finds it under its run, as a logged model, and by its version."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import drupe
from tests.mlflow_peer.conftest import Peer

INSIDE = Path(__file__).with_name("inside_mlflow.py")
OFFLINE = """
import drupe, pandas
from sklearn.linear_model import LogisticRegression
frame = pandas.DataFrame({{"a": [0.0, 1.0, 2.0, 3.0], "y": [0, 0, 1, 1]}})
drupe.set_experiment({experiment!r})
with drupe.start_run(run_name="offline") as run:
    drupe.log_param("depth", 3)
    model = LogisticRegression().fit(frame[["a"]], frame.y)
    info = drupe.sklearn.log_model(
        model, name="clf", input_example=frame[["a"]].head(2), registered_model_name={name!r}, params={{"c": "1"}}, tags={{"team": "red"}},
        pip_requirements=["scikit-learn"], serialization_format="cloudpickle",
    )
    drupe.log_metric("acc", 0.75, model_id=info.model_id)
    drupe.log_text("kept", "note.txt")
print(run.info.run_id, info.model_id)
"""
ROWS = {"a": [0.0, 3.0]}


def test_a_model_that_was_logged_offline_is_there_for_mlflows_own_client(peer: Peer, here: str, in_python: Callable[..., str]) -> None:
    name = f"offline-{uuid.uuid4().hex[:8]}"
    chosen, model_id = in_python("-c", OFFLINE.format(experiment=here, name=name), DRUPE_OFFLINE="true").split()[-2:]
    for _ in range(2):  # the second finds nothing to do
        in_python("-m", "drupe", "sync")
    (only,) = peer.runs_of(here)
    run_id = only["info"]["run_id"]

    found = peer.mlflow.ask_apart(INSIDE, "found", peer.url, run_id, name, ROWS)
    assert len(found["predicted"]) == (3 if peer.is_3 else 2)
    assert all(predicted == [0, 1] for predicted in found["predicted"].values()), found["predicted"]
    if peer.is_3:
        assert found["model"] == {
            "name": "clf",
            "status": "READY",
            "run": run_id,
            "params": {"c": "1", "depth": "3"},
            "tags": {"team": "red"},
            "metrics": {"acc": 0.75},
            "outputs": True,
            "digest": True,
        }
        assert drupe.get_logged_model(model_id).source_run_id == run_id, "the id that was chosen offline finds the model"
        assert list(drupe.load_model(f"models:/{model_id}").predict({"a": [0.0, 3.0]})) == [0, 1]
    assert list(drupe.load_model(f"runs:/{chosen}/clf").predict({"a": [0.0, 3.0]})) == [0, 1]
    assert drupe.Client().get_model_version(name, "1").run_id == run_id
