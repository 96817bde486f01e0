"""Registered models, versions, stages, aliases and tags over the wire."""

from __future__ import annotations

from typing import Any

import pytest

from plugins.server_rest.tests.served import Served


@pytest.fixture
def model(server: Served, request: pytest.FixtureRequest) -> str:
    name: str = request.node.name
    server.post("registered-models/create", name=name)
    return name


def version_of(server: Served, name: str, **fields: Any) -> Any:
    return server.post("model-versions/create", name=name, source="s3://bucket/model", **fields)["model_version"]


def test_a_model_is_made_described_found_renamed_and_deleted(server: Served, model: str) -> None:
    assert server.call("POST", "registered-models/create", {"name": model}).error == "RESOURCE_ALREADY_EXISTS"
    told = server.call("PATCH", "registered-models/update", {"name": model, "description": "of churn"}).json["registered_model"]
    assert told["description"] == "of churn"
    server.post("registered-models/set-tag", name=model, key="team", value="x")
    found = server.get("registered-models/search", filter=f"name = '{model}'")["registered_models"]
    assert [(one["name"], one["tags"]) for one in found] == [(model, [{"key": "team", "value": "x"}])]
    assert server.call("DELETE", "registered-models/delete-tag", {"name": model, "key": "team"}).json == {}
    assert server.post("registered-models/rename", name=model, new_name=f"{model}2")["registered_model"]["name"] == f"{model}2"
    assert server.call("DELETE", "registered-models/delete", {"name": f"{model}2"}).json == {}
    assert server.call("GET", "registered-models/get", {"name": f"{model}2"}).error == "RESOURCE_DOES_NOT_EXIST"


def test_versions_are_counted_and_never_used_again(server: Served, model: str) -> None:
    assert [version_of(server, model)["version"] for _ in range(2)] == ["1", "2"]
    server.call("DELETE", "model-versions/delete", {"name": model, "version": "2"})
    assert version_of(server, model)["version"] == "3"
    found = server.get("model-versions/search", filter=f"name = '{model}'")["model_versions"]
    assert sorted(one["version"] for one in found) == ["1", "3"]
    assert server.call("GET", "model-versions/get", {"name": model, "version": "2"}).status == 404
    assert server.call("GET", "model-versions/get", {"name": model, "version": "two"}).status == 400


def test_stages_move_versions_and_archive_others(server: Served, model: str) -> None:
    for _ in range(2):
        version_of(server, model)
    fields = {"name": model, "stage": "production", "archive_existing_versions": True}
    server.post("model-versions/transition-stage", **fields, version="1")
    assert server.post("model-versions/transition-stage", **fields, version="2")["model_version"]["current_stage"] == "Production"
    assert server.get("model-versions/get", name=model, version="1")["model_version"]["current_stage"] == "Archived"
    latest = server.get("registered-models/get-latest-versions", name=model, stages=["Production"])["model_versions"]
    assert [one["version"] for one in latest] == ["2"]
    refused = server.call("POST", "model-versions/transition-stage", {**fields, "version": "2", "stage": "Archived"})
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")


def test_aliases_move_and_go(server: Served, model: str) -> None:
    for _ in range(2):
        version_of(server, model)
    for version in ("1", "2"):
        server.post("registered-models/alias", name=model, alias="champion", version=version)
    assert server.get("registered-models/alias", name=model, alias="champion")["model_version"]["version"] == "2"
    assert server.get("registered-models/get", name=model)["registered_model"]["aliases"] == [{"alias": "champion", "version": "2"}]
    assert server.call("DELETE", "registered-models/alias", {"name": model, "alias": "champion"}).json == {}
    refused = server.call("GET", "registered-models/alias", {"name": model, "alias": "champion"})
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")


def test_a_version_of_a_run_is_told_behind_the_proxy_and_kept_where_the_files_are(server: Served, model: str) -> None:
    run_id = server.new_run()
    source = f"mlflow-artifacts:/0/{run_id}/artifacts/model"
    made = server.post("model-versions/create", name=model, source=source, run_id=run_id)["model_version"]
    assert made["source"] == source
    assert server.get("model-versions/get-download-uri", name=model, version="1")["artifact_uri"] == source


@pytest.mark.parametrize(
    "source",
    [
        "mlflow-artifacts:/0/another/artifacts/model",
        "mlflow-artifacts:/0/../../etc",
        "mlflow-artifacts:/0/%2e%2e/x",
        "/etc/passwd",
        "file:///etc",
        "http://example.org/model",
        "https://example.org/model",
        "C:\\models",
    ],
)
def test_a_source_outside_of_the_runs_files_is_refused(server: Served, request: pytest.FixtureRequest, source: str) -> None:
    server.call("POST", "registered-models/create", {"name": "sources"})
    run_id = server.new_run()
    refused = server.call("POST", "model-versions/create", {"name": "sources", "source": source, "run_id": run_id})
    assert (refused.status, refused.error) == (400, "INVALID_PARAMETER_VALUE")
