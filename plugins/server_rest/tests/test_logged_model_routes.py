"""Logged models over the wire, as MLflow's clients of release 3 ask for them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from plugins.server_rest.tests.served import Served

UNKNOWN = "m-" + "f" * 32


@pytest.fixture
def run_id(server: Served) -> str:
    return server.new_run()


def new_model(server: Served, experiment_id: str = "0", **fields: Any) -> Any:
    return server.post("logged-models", experiment_id=experiment_id, **fields)["model"]


def id_of(model: Any) -> str:
    return str(model["info"]["model_id"])


def pairs(**given: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in given.items()]


def test_a_logged_model_is_made_filled_and_read(server: Served, run_id: str) -> None:
    made = new_model(server, name="pie", model_type="tree", source_run_id=run_id, params=pairs(depth="3"), tags=pairs(team="red"))
    info = made["info"]
    assert re.fullmatch("m-[0-9a-f]{32}", info["model_id"])
    assert info["artifact_uri"] == f"mlflow-artifacts:/0/models/{info['model_id']}/artifacts"
    assert (info["name"], info["model_type"], info["source_run_id"]) == ("pie", "tree", run_id)
    assert (info["status"], info["tags"]) == ("LOGGED_MODEL_PENDING", pairs(team="red"))
    assert info["creation_timestamp_ms"] == info["last_updated_timestamp_ms"] > 1_700_000_000_000
    assert made["data"] == {"params": pairs(depth="3")}
    path = f"logged-models/{info['model_id']}"
    assert server.get(path)["model"] == made
    ready = server.call("PATCH", path, {"model_id": info["model_id"], "status": "LOGGED_MODEL_READY"}).json["model"]
    assert ready["info"]["status"] == "LOGGED_MODEL_READY"
    failed = server.call("PATCH", path, {"status": 3}).json["model"]
    assert failed["info"]["status"] == "LOGGED_MODEL_UPLOAD_FAILED"


def test_a_logged_model_needs_only_an_experiment(server: Served) -> None:
    info = new_model(server)["info"]
    assert info["name"]
    assert (info["model_type"], info["source_run_id"]) == ("", "")


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({}, 400, "INVALID_PARAMETER_VALUE"),
        ({"experiment_id": "0", "name": "a/b"}, 400, "INVALID_PARAMETER_VALUE"),
        ({"experiment_id": "99999"}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ({"experiment_id": "0", "params": [*pairs(a="1"), *pairs(a="2")]}, 400, "INVALID_PARAMETER_VALUE"),
    ],
)
def test_a_logged_model_that_cannot_be_is_refused(server: Served, fields: Any, status: int, error: str) -> None:
    reply = server.call("POST", "logged-models", fields)
    assert (reply.status, reply.error) == (status, error)


def test_a_client_that_chose_the_id_makes_no_twin(server: Served) -> None:
    chosen = "m-" + "0123456789abcdef" * 2
    made = [new_model(server, name="mine", model_id=chosen) for _ in range(2)]
    assert made[0] == made[1]
    refused = server.call("POST", "logged-models", {"experiment_id": "0", "name": "other", "model_id": chosen})
    assert (refused.status, refused.error) == (400, "RESOURCE_ALREADY_EXISTS")


def test_tags_are_set_and_removed_and_params_written_once(server: Served) -> None:
    model = id_of(new_model(server, tags=pairs(a="1"), params=pairs(p="1")))
    changed = server.call("PATCH", f"logged-models/{model}/tags", {"model_id": model, "tags": pairs(a="2", b="ü")}).json["model"]
    assert sorted(tag["key"] + tag["value"] for tag in changed["info"]["tags"]) == ["a2", "bü"]
    assert server.call("DELETE", f"logged-models/{model}/tags/a", {}).json == {}
    assert server.ask("DELETE", f"/api/2.0/mlflow/logged-models/{model}/tags/b").status == 200  # as the client asks: without a body
    server.call("PATCH", f"logged-models/{model}/tags", {"tags": pairs(b="ü")})
    missing = server.call("DELETE", f"logged-models/{model}/tags/a", {})
    assert (missing.status, missing.error) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert server.post(f"logged-models/{model}/params", params=pairs(p="1", q="")) == {}
    refused = server.call("POST", f"logged-models/{model}/params", {"params": pairs(p="2")})
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")
    assert server.get(f"logged-models/{model}")["model"]["data"]["params"] == pairs(p="1", q="")


def test_a_deletion_with_a_body_that_is_not_said_to_be_json_is_refused(server: Served) -> None:
    path = f"/api/2.0/mlflow/logged-models/{id_of(new_model(server))}"
    assert server.ask("DELETE", path, b"{}", Content_Type="text/plain").error == "INVALID_PARAMETER_VALUE"
    assert server.ask("DELETE", path, Origin="https://evil.example").status == 403
    assert server.ask("GET", path).status == 200


def test_a_deleted_logged_model_is_shown_to_who_allows_for_it(server: Served) -> None:
    model = id_of(new_model(server))
    for _ in range(2):
        assert server.call("DELETE", f"logged-models/{model}", {}).status == 200
    for method, path in (("GET", ""), ("PATCH", ""), ("PATCH", "/tags"), ("POST", "/params")):
        gone = server.call(method, f"logged-models/{model}{path}", {"status": "LOGGED_MODEL_READY"} if method == "PATCH" else {})
        assert (gone.status, gone.error) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert id_of(server.get(f"logged-models/{model}", allow_deleted="true")["model"]) == model
    assert server.call("DELETE", f"logged-models/{UNKNOWN}", {}).status == 404


@pytest.mark.parametrize("fields", [{}, {"status": "WHAT"}])
def test_a_status_that_is_none_is_refused(server: Served, fields: Any) -> None:
    reply = server.call("PATCH", f"logged-models/{id_of(new_model(server))}", fields)
    assert (reply.status, reply.error) == (400, "INVALID_PARAMETER_VALUE")


def test_metrics_are_the_runs_and_the_models(server: Served, run_id: str) -> None:
    model = id_of(new_model(server))
    on_iris = {"model_id": model, "dataset_name": "iris", "dataset_digest": "d1"}
    server.post("runs/log-metric", run_id=run_id, key="acc", value=0.5, timestamp=1, step=0, **on_iris)
    server.post(
        "runs/log-batch",
        run_id=run_id,
        metrics=[
            {"key": "acc", "value": 0.75, "timestamp": 2, "step": 1, **on_iris},
            {"key": "acc", "value": "NaN", "timestamp": 3, "step": 2, "model_id": model},
            {"key": "loss", "value": 1, "timestamp": 3},
            {"key": "f1", "value": 1, "timestamp": 3, "dataset_name": "iris"},
        ],
    )
    assert server.get(f"logged-models/{model}")["model"]["data"]["metrics"] == [
        {"key": "acc", "value": "NaN", "timestamp": 3, "step": 2, "run_id": run_id, "model_id": model},
        {"key": "acc", "value": 0.75, "timestamp": 2, "step": 1, "run_id": run_id, **on_iris},
    ]
    history = server.get("metrics/get-history", run_id=run_id, metric_key="acc")["metrics"]
    assert [point["value"] for point in history] == [0.5, 0.75, "NaN"]
    assert {metric["key"] for metric in server.get("runs/get", run_id=run_id)["run"]["data"]["metrics"]} == {"acc", "loss", "f1"}


@pytest.mark.parametrize("path", ["log-metric", "log-batch"])
def test_a_metric_of_an_unknown_logged_model_is_refused(server: Served, run_id: str, path: str) -> None:
    metric = {"key": "acc", "value": 0.5, "timestamp": 1, "model_id": UNKNOWN}
    reply = server.call("POST", f"runs/{path}", {"run_id": run_id, **(metric if path == "log-metric" else {"metrics": [metric]})})
    assert (reply.status, reply.error) == (400, "INVALID_PARAMETER_VALUE")
    assert server.get("runs/get", run_id=run_id)["run"]["data"].get("metrics") is None


def test_a_run_shows_the_models_it_uses_and_has_made(server: Served, run_id: str) -> None:
    used, made = (id_of(new_model(server)) for _ in range(2))
    dataset = {"dataset": {"name": "iris", "digest": "d1", "source_type": "local", "source": "x"}}
    server.post("runs/log-inputs", run_id=run_id, models=[{"model_id": used}], datasets=[dataset])
    server.post("runs/outputs", run_id=run_id, models=[{"model_id": made, "step": "3"}])
    run = server.get("runs/get", run_id=run_id)["run"]
    assert run["inputs"]["model_inputs"] == [{"model_id": used}]
    assert len(run["inputs"]["dataset_inputs"]) == 1
    assert run["outputs"] == {"model_outputs": [{"model_id": made, "step": 3}]}
    refused = server.call("POST", "runs/log-inputs", {"run_id": run_id, "datasets": [dataset], "models": [{"model_id": UNKNOWN}]})
    assert (refused.status, refused.error) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_logged_models_are_searched_page_by_page(server: Served) -> None:
    experiment = server.post("experiments/create", name="searched models")["experiment_id"]
    run_id = server.new_run(experiment)
    ids = [id_of(new_model(server, experiment, name=f"pie {number}", params=pairs(n=str(number)))) for number in range(3)]
    for number, (dataset, value) in enumerate([("iris", 0.5), ("wine", 0.9), ("iris", 0.7)]):
        server.post("runs/log-metric", run_id=run_id, key="acc", value=value, timestamp=1, model_id=ids[number], dataset_name=dataset)

    def found(**asked: Any) -> list[str]:
        told = server.post("logged-models/search", experiment_ids=[experiment], **asked)
        return [model["info"]["name"][-1] for model in told.get("models", [])]

    assert found(filter="metrics.acc > 0.6 AND params.n != '1'") == ["2"]
    assert sorted(found(datasets=[{"dataset_name": "iris"}])) == ["0", "2"]
    assert found(filter="metrics.acc > 0.6", datasets=[{"dataset_name": "iris"}]) == ["2"]
    assert found(order_by=[{"field_name": "metrics.acc", "ascending": False}]) == ["1", "2", "0"]
    assert found(order_by=[{"field_name": "metrics.acc", "dataset_name": "iris"}, {"field_name": "name"}]) == ["0", "2", "1"]
    assert found(filter="name = 'none'") == []
    asked = {"experiment_ids": [experiment], "order_by": [{"field_name": "name"}], "max_results": 2}
    first = server.post("logged-models/search", **asked)
    assert [id_of(model) for model in first["models"]] == ids[:2]
    rest = server.post("logged-models/search", **asked, page_token=first["next_page_token"])
    assert ([id_of(model) for model in rest["models"]], "next_page_token" in rest) == (ids[2:], False)
    wrong = server.call("POST", "logged-models/search", {**asked, "filter": "name = 'x'", "page_token": first["next_page_token"]})
    assert (wrong.status, wrong.error) == (400, "INVALID_PARAMETER_VALUE")
    bad = server.call("POST", "logged-models/search", {"experiment_ids": [experiment], "order_by": [{"field_name": "nme"}]})
    assert (bad.status, bad.error) == (400, "INVALID_PARAMETER_VALUE")


def test_files_of_a_logged_model_are_listed_from_its_root(server: Served) -> None:
    model = new_model(server)
    place = model["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    assert server.put_file(f"{place}/deep/MLmodel", b"flavors: {}").status == 200
    path = f"logged-models/{id_of(model)}/artifacts/directories"
    found = server.get(path)
    assert (found["root_uri"], [one["path"] for one in found["files"]]) == (model["info"]["artifact_uri"], ["deep"])
    (file,) = server.get(path, artifact_directory_path="deep")["files"]
    assert (file["path"], file["file_size"]) == ("deep/MLmodel", 11)
    assert server.call("GET", path, {"artifact_directory_path": "../../.."}).status == 400


def test_a_version_of_a_logged_model_is_noted_with_it_and_leads_to_its_files(server: Served, run_id: str) -> None:
    model = new_model(server, source_run_id=run_id)
    server.post("registered-models/create", name="of a logged model")
    asked = {"name": "of a logged model", "model_id": id_of(model)}
    by_id = server.post("model-versions/create", source=f"models:/{id_of(model)}", **asked)["model_version"]
    assert (by_id["version"], by_id["run_id"]) == ("1", run_id)
    by_place = server.post("model-versions/create", source=model["info"]["artifact_uri"], **asked)["model_version"]
    assert by_place["source"] == model["info"]["artifact_uri"]
    for version in ("1", "2"):
        told = server.get("model-versions/get-download-uri", name="of a logged model", version=version)
        assert told["artifact_uri"] == model["info"]["artifact_uri"]
    (tag,) = server.get(f"logged-models/{id_of(model)}")["model"]["info"]["tags"]
    assert tag["key"] == "mlflow.modelVersions"
    assert json.loads(tag["value"]) == [{"name": "of a logged model", "version": version} for version in ("1", "2")]
    elsewhere = server.call("POST", "model-versions/create", {**asked, "source": "mlflow-artifacts:/0/models/m-other"})
    assert elsewhere.status == 400
    unknown = server.call("POST", "model-versions/create", {**asked, "source": f"models:/{UNKNOWN}", "model_id": UNKNOWN})
    assert (unknown.status, unknown.error) == (404, "RESOURCE_DOES_NOT_EXIST")
