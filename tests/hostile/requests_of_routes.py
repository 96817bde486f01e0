"""A request that each route of the protocol takes, made from the table of routes: what attacks are changes of.

A route with a field that has no value here fails loudly, so that no new route goes without attacks.
"""

from __future__ import annotations

import base64
import json
import struct
from itertools import count
from typing import Any

import attrs
from attrs import frozen

from drupe.wire.routes import Route
from drupe.wire.shapes import Unread
from plugins.server_rest.tests.served import Served

__all__ = ["Bait", "lay_bait", "request_of"]

_numbers = count()
METRIC = {"key": "k", "value": 1.5, "timestamp": 7, "step": 1}
DATASET = {"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "{}"}, "tags": [{"key": "a", "value": "b"}]}
PAIR = [{"key": "k", "value": "v"}]
POINTS = base64.b64encode(struct.pack("<qqd", 1, 7, 1.5)).decode()
COLUMN = {"key": "k", "count": 1, "points": POINTS}


@frozen
class Bait:
    """What may be destroyed: one of each kind."""

    experiment: str
    experiment_name: str
    run: str
    model: str
    registered: str


def lay_bait(server: Served, route: Route) -> Bait:
    """Make new ones, in the state in which this route takes them."""
    name = f"bait {next(_numbers)}"
    experiment = server.post("experiments/create", name=name, tags=PAIR)["experiment_id"]
    run = server.new_run(experiment, run_name=name, tags=PAIR)
    server.post("runs/log-batch", run_id=run, metrics=[METRIC], params=[{"key": "p", "value": "v"}])
    model = server.post("logged-models", experiment_id=experiment, name="m", source_run_id=run, tags=PAIR)["model"]["info"]["model_id"]
    server.post("registered-models/create", name=name, tags=PAIR)
    server.post("model-versions/create", name=name, source="s3://bucket/model", tags=PAIR)
    server.post("registered-models/alias", name=name, alias="best", version="1")
    server.post("model-versions/set-tag", name=name, version="1", key="k", value="v")
    if route.name == "POST experiments/restore":
        server.post("experiments/delete", experiment_id=experiment)
    return Bait(experiment, name, run, model, name)


def request_of(route: Route, bait: Bait) -> dict[str, Any]:
    """The fields of a request that this route takes."""
    fields = {field.name: field.type for field in attrs.fields(attrs.resolve_types(route.request))}
    form = {name: _value(route, name, kind, bait) for name, kind in fields.items() if name not in LEFT_OUT}
    if route.name in ("POST model-versions/create", "POST runs/create"):
        del form["run_id"]  # of the artifacts' owner, and of a run that is to be made
    if route.name == "POST drupe/ship":
        form["run_id"] = form["new"]["run_id"] = form["models"][0]["source_run_id"] = f"shipped{next(_numbers)}"
    return form


LEFT_OUT = {"run_uuid", "page_token"}


def _value(route: Route, name: str, kind: Any, bait: Bait) -> Any:
    number = next(_numbers)
    if name == "name":
        if route.group == "experiments" or route.name == "POST registered-models/create":
            return f"new {number}"
        return "m" if route.group == "logged-models" else bait.registered
    if name in ("run_id", "run_ids", "experiment_ids") and "tuple" in str(kind):
        return [bait.experiment if "experiment" in name else bait.run]
    if name == "metrics":
        return [METRIC] if kind is Unread else [COLUMN]
    if name == "value":
        return 1.5 if kind is float else "v"
    if name == "status":
        return "LOGGED_MODEL_READY" if "LoggedModel" in str(kind) else "FINISHED"
    if name == "models" and route.name == "POST drupe/ship":
        made = {"experiment_id": bait.experiment, "model_id": f"m-{number:032x}", "name": "m", "source_run_id": bait.run}
        return [{**made, "artifact_path": "m", "model_type": "t", "params": PAIR, "tags": PAIR}]
    if name == "model_id" and route.name == "POST logged-models":
        return f"m-{number:032x}"
    if name == "model_id" and route.name == "POST model-versions/create":
        return None
    if name == "datasets" and "logged-models" in route.path:
        return [{"dataset_name": "d", "dataset_digest": "1"}]
    if name == "order_by":
        return [{"field_name": "name", "ascending": True}] if "logged-models" in route.path else []
    if name in ("start", "end"):
        return 0 if name == "start" else 1
    if name == "new":
        return {"experiment_id": bait.experiment, "run_id": bait.run, "run_name": "n", "start_time": 1, "user_id": "u", "tags": PAIR}
    if name == "writer":
        return f"w{number}"
    if name == "beats":
        return [{"run_id": bait.run, "writer": f"w{number}", "at_ms": 1, "interval_ms": 1, "host": "h", "pid": 1, "boot_id": "b"}]
    return {**_PLAIN, **_of_bait(bait), "new_name": f"renamed {number}"}[name]


def _of_bait(bait: Bait) -> dict[str, Any]:
    models = [{"model_id": bait.model}]
    return {
        "experiment_id": bait.experiment,
        "experiment_name": bait.experiment_name,
        "run_id": bait.run,
        "source_run_id": bait.run,
        "model_id": bait.model,
        "models": models,
        "model_inputs": models,
        "model_outputs": [{"model_id": bait.model, "step": 1}],
        "model_metrics": [{**COLUMN, "model_id": bait.model, "dataset_name": "d", "dataset_digest": "1"}],
    }


_PLAIN: dict[str, Any] = {
    "alias": "best",
    "allow_deleted": False,
    "archive_existing_versions": False,
    "artifact_directory_path": "",
    "artifact_path": "",
    "artifact_location": "s3://bucket/place",
    "buckets": 10,
    "dataset_digest": "1",
    "dataset_name": "d",
    "datasets": [DATASET],
    "description": "d",
    "end_step": 5,
    "end_time": 9,
    "filter": "",
    "fields": [{"entity": "metric", "key": "k", "stat": "min", "shadow": "k.min"}, {"entity": "attribute", "key": "status"}],
    "first_step": 0,
    "inputs": [DATASET],
    "key": "k",
    "keys": ["k"],
    "last_step": 5,
    "limit": 5,
    "max_results": 5,
    "metric_key": "k",
    "model_json": json.dumps({"artifact_path": "m", "flavors": {}, "utc_time_created": "x", "run_id": "y"}),
    "model_type": "t",
    "params": PAIR,
    "path": "",
    "prefix": "k",
    "removed_tags": ["gone"],
    "run_link": "",
    "run_name": "n",
    "run_view_type": "ALL",
    "source": "s3://bucket/model",
    "stage": "Staging",
    "stages": ["None"],
    "start_step": 0,
    "start_time": 1,
    "status_message": "m",
    "step": 1,
    "tag_key": "k",
    "tags": PAIR,
    "timestamp": 7,
    "user_id": "u",
    "version": "1",
    "view": "ALL",
    "view_type": "ALL",
}
