"""Experiments, runs and series over the wire, as MLflow's clients ask for them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from plugins.server_rest.tests.served import Served


@pytest.fixture
def run_id(server: Served) -> str:
    return server.new_run()


def data_of(server: Served, run_id: str) -> Any:
    return server.get("runs/get", run_id=run_id)["run"]["data"]


def test_an_experiment_is_made_found_renamed_and_told_with_a_place_behind_the_proxy(server: Served) -> None:
    made = server.post("experiments/create", name="first", tags=[{"key": "team", "value": "x"}])["experiment_id"]
    found = server.get("experiments/get-by-name", experiment_name="first")["experiment"]
    assert found["experiment_id"] == made
    assert found["artifact_location"] == f"mlflow-artifacts:/{made}"
    assert found["tags"] == [{"key": "team", "value": "x"}]
    assert server.post("experiments/update", experiment_id=made, new_name="renamed") == {}
    assert server.get("experiments/get", experiment_id=made)["experiment"]["name"] == "renamed"


def test_deleting_an_experiment_hides_it_and_restoring_brings_it_back(server: Served) -> None:
    made = server.post("experiments/create", name="to the trash")["experiment_id"]
    server.post("experiments/delete", experiment_id=made)
    assert server.get("experiments/get", experiment_id=made)["experiment"]["lifecycle_stage"] == "deleted"
    wanted = {"max_results": 100, "filter": "name = 'to the trash'"}
    assert server.post("experiments/search", **wanted) == {}
    assert len(server.post("experiments/search", **wanted, view_type="ALL")["experiments"]) == 1
    server.post("experiments/restore", experiment_id=made)
    assert len(server.post("experiments/search", **wanted)["experiments"]) == 1


def test_an_experiment_search_without_a_size_of_page_is_refused(server: Served) -> None:
    assert server.call("POST", "experiments/search").error == "INVALID_PARAMETER_VALUE"
    assert server.call("GET", "experiments/search", {"max_results": 50_001}).error == "INVALID_PARAMETER_VALUE"


def test_a_run_has_what_was_logged_to_it(server: Served, run_id: str) -> None:
    server.post("runs/log-metric", run_id=run_id, key="loss", value=0.5, timestamp=10, step=1)
    server.post("runs/log-metric", run_uuid=run_id, key="loss", value="NaN", timestamp="11", step="2")
    server.post("runs/log-parameter", run_id=run_id, key="lr", value="0.1")
    server.post("runs/set-tag", run_id=run_id, key="team", value="x")
    server.post(
        "runs/log-batch",
        run_id=run_id,
        metrics=[{"key": "acc", "value": 1, "timestamp": 5, "step": 0}, {"key": "acc", "value": -math.pi, "timestamp": 6, "step": -1}],
        params=[{"key": "depth", "value": ""}],
        tags=[{"key": "a/b", "value": "ü"}],
    )
    data = data_of(server, run_id)
    assert {metric["key"]: metric for metric in data["metrics"]} == {
        "loss": {"key": "loss", "value": "NaN", "timestamp": 11, "step": 2},
        "acc": {"key": "acc", "value": 1.0, "timestamp": 5, "step": 0},
    }
    assert {param["key"]: param["value"] for param in data["params"]} == {"lr": "0.1", "depth": ""}
    assert {"team": "x", "a/b": "ü"}.items() <= {tag["key"]: tag["value"] for tag in data["tags"]}.items()
    history = server.get("metrics/get-history", run_id=run_id, metric_key="acc")["metrics"]
    assert [(point["timestamp"], point["step"]) for point in history] == [(5, 0), (6, -1)]


def test_a_param_keeps_its_first_value_and_a_batch_with_another_leaves_nothing(server: Served, run_id: str) -> None:
    server.post("runs/log-parameter", run_id=run_id, key="lr", value="0.1")
    server.post("runs/log-parameter", run_id=run_id, key="lr", value="0.1")
    refused = server.call(
        "POST",
        "runs/log-batch",
        {"run_id": run_id, "params": [{"key": "lr", "value": "0.2"}], "metrics": [{"key": "m", "value": 1, "timestamp": 1}]},
    )
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")
    assert "metrics" not in data_of(server, run_id)


@pytest.mark.parametrize(
    ("what", "fields"),
    [
        ("metrics", [{"key": f"m{n}", "value": 1, "timestamp": 1} for n in range(1001)]),
        ("params", [{"key": f"p{n}", "value": "1"} for n in range(101)]),
        ("tags", [{"key": f"t{n}", "value": "1"} for n in range(101)]),
        ("params", [{"key": "same", "value": "1"}] * 2),
        ("metrics", [{"key": "m", "value": "much", "timestamp": 1}]),
        ("metrics", [{"key": "m", "value": 1, "timestamp": -1}]),
        ("metrics", [{"key": "m", "value": 1, "timestamp": 1, "step": 2**63}]),
        ("metrics", [{"key": "../m", "value": 1, "timestamp": 1}]),
        ("metrics", [7]),
        ("metrics", {"key": "m"}),
    ],
)
def test_a_batch_beyond_the_limits_is_refused_whole(server: Served, run_id: str, what: str, fields: Any) -> None:
    refused = server.call("POST", "runs/log-batch", {"run_id": run_id, what: fields})
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")
    assert set(data_of(server, run_id)) <= {"tags"}


def test_runs_are_searched_paged_and_ordered(server: Served) -> None:
    experiment = server.post("experiments/create", name="searched")["experiment_id"]
    for number in range(5):
        run_id = server.new_run(experiment)
        server.post("runs/log-metric", run_id=run_id, key="m", value=number, timestamp=1)
    asked = {"experiment_ids": [experiment], "filter": "metrics.m > 0", "order_by": ["metrics.m DESC"], "max_results": 3}
    first = server.post("runs/search", **asked)
    rest = server.post("runs/search", **asked, page_token=first["next_page_token"])
    values = [run["data"]["metrics"][0]["value"] for page in (first, rest) for run in page["runs"]]
    assert values == [4, 3, 2, 1]
    assert "next_page_token" not in rest
    assert server.post("runs/search", experiment_ids=[]) == {}


def test_a_search_that_is_no_search_says_where(server: Served) -> None:
    refused = server.call("POST", "runs/search", {"experiment_ids": ["0"], "filter": "metrics.m >"})
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")
    assert server.call("POST", "runs/search", {"experiment_ids": ["0"], "order_by": "metrics.m"}).error == "INVALID_PARAMETER_VALUE"
    assert server.call("POST", "runs/search", {"experiment_ids": ["zero"]}).error == "INVALID_PARAMETER_VALUE"
    assert server.call("POST", "runs/search", {"experiment_ids": ["0"], "page_token": "garbage"}).error == "INVALID_PARAMETER_VALUE"


def test_a_run_ends_goes_to_the_trash_and_comes_back(server: Served, run_id: str) -> None:
    told = server.post("runs/update", run_id=run_id, status="FINISHED", end_time=99, run_name="done")["run_info"]
    assert (told["status"], told["end_time"], told["run_name"]) == ("FINISHED", 99, "done")
    assert server.post("runs/update", run_id=run_id, status="WHAT")["run_info"]["status"] == "FINISHED"
    server.post("runs/delete", run_id=run_id)
    assert server.get("runs/get", run_id=run_id)["run"]["info"]["lifecycle_stage"] == "deleted"
    assert server.call("POST", "runs/log-metric", {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1}).status == 400
    server.post("runs/restore", run_id=run_id)
    server.post("runs/log-metric", run_id=run_id, key="m", value=1, timestamp=1)


def test_asking_again_with_the_same_id_makes_no_twin(server: Served) -> None:
    fields = {"experiment_id": "0", "run_id": "a" * 32, "start_time": 5, "run_name": "once"}
    first, again = (server.post("runs/create", **fields)["run"]["info"] for _ in range(2))
    assert first == again


def test_curves_of_many_runs_are_read_at_once_and_thinned(server: Served) -> None:
    runs = [server.new_run() for _ in range(2)]
    for run_id in runs:
        for start in (0, 1000):
            points = [{"key": "c", "value": float(step == 777), "timestamp": step, "step": step} for step in range(start, start + 1000)]
            server.post("runs/log-batch", run_id=run_id, metrics=points)
    thinned = server.get("metrics/get-history-bulk-interval", run_ids=runs, metric_key="c", max_results=90)["metrics"]
    assert {point["run_id"] for point in thinned} == set(runs)
    assert len(thinned) <= 2 * 100
    assert sum(point["value"] for point in thinned) == 2  # the spike of each
    whole = server.get("metrics/get-history-bulk", run_id=runs, metric_key="c", max_results=3000)["metrics"]
    assert len(whole) == 3000
    page = server.get("metrics/get-history", run_id=runs[0], metric_key="c", max_results=1500, page_token="")
    rest = server.get("metrics/get-history", run_id=runs[0], metric_key="c", max_results=1500, page_token=page["next_page_token"])
    assert [point["step"] for point in page["metrics"] + rest["metrics"]] == list(range(2000))


def test_datasets_are_tied_to_a_run_and_offered_for_its_experiment(server: Served) -> None:
    experiment = server.post("experiments/create", name="with data")["experiment_id"]
    run_id = server.new_run(experiment)
    dataset = {"name": "wine", "digest": "abc", "source_type": "local", "source": "{}"}
    tags = [{"key": "mlflow.data.context", "value": "training"}]
    server.post("runs/log-inputs", run_id=run_id, datasets=[{"dataset": dataset, "tags": tags}])
    inputs = server.get("runs/get", run_id=run_id)["run"]["inputs"]
    assert inputs == {"dataset_inputs": [{"dataset": dataset, "tags": tags}]}
    found = server.post("experiments/search-datasets", experiment_ids=[experiment])["dataset_summaries"]
    assert found == [{"experiment_id": experiment, "name": "wine", "digest": "abc", "context": "training"}]


def test_models_of_older_clients_are_listed_in_a_tag(server: Served, run_id: str) -> None:
    for name in ("a", "b"):
        model = {"artifact_path": name, "flavors": {}, "utc_time_created": "2026-01-01", "run_id": run_id}
        server.post("runs/log-model", run_id=run_id, model_json=json.dumps(model))
    tags = {tag["key"]: tag["value"] for tag in data_of(server, run_id)["tags"]}
    assert [entry["artifact_path"] for entry in json.loads(tags["mlflow.log-model.history"])] == ["a", "b"]
    server.post("runs/set-tag", run_id=run_id, key="mlflow.log-model.history", value="somebody else's text")
    large = {"artifact_path": "c", "flavors": {"f": "x" * 3000}, "utc_time_created": "2026-01-01", "run_id": run_id}
    for _ in range(4):
        server.post("runs/log-model", run_id=run_id, model_json=json.dumps(large))
    tags = {tag["key"]: tag["value"] for tag in data_of(server, run_id)["tags"]}
    assert [entry["artifact_path"] for entry in json.loads(tags["mlflow.log-model.history"])] == ["c", "c"]
    assert server.call("POST", "runs/log-model", {"run_id": run_id, "model_json": "{}"}).error == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    ("method", "path", "fields", "status", "error"),
    [
        ("GET", "experiments/get", {"experiment_id": "99999"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "experiments/get", {"experiment_id": "x"}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "experiments/get", {}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "experiments/get-by-name", {"experiment_name": "none"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "experiments/create", {"name": "Default"}, 400, "RESOURCE_ALREADY_EXISTS"),
        ("POST", "experiments/create", {"name": 5}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "runs/get", {"run_id": "0" * 32}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "runs/create", {"experiment_id": "99999"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "runs/create", {"experiment_id": "0", "experimentId": "0"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/log-metric", {"run_id": "0" * 32, "key": "m", "value": 1, "timestamp": 1}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "nothing/here", {}, 404, "ENDPOINT_NOT_FOUND"),
        ("GET", "runs/create", {}, 405, "BAD_REQUEST"),
        ("GET", "traces", {}, 501, "NOT_IMPLEMENTED"),
    ],
)
def test_a_refusal_has_the_status_and_the_code_that_clients_know(
    server: Served, method: str, path: str, fields: Any, status: int, error: str
) -> None:
    refused = server.call(method, path, fields)
    assert (refused.status, refused.error) == (status, error)


def test_unknown_runs_and_metrics_have_no_points_yet(server: Served, run_id: str) -> None:
    assert server.get("metrics/get-history", run_id=run_id, metric_key="none") == {}
    assert server.get("metrics/get-history", run_id="0" * 32, metric_key="none") == {}


def test_browsers_have_the_same_routes_below_another_prefix(server: Served, run_id: str) -> None:
    assert server.ask("GET", f"/ajax-api/2.0/mlflow/runs/get?run_id={run_id}").json == server.get("runs/get", run_id=run_id)
