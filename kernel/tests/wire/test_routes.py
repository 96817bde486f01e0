"""The table of routes agrees with MLflow's, and every shape survives being written and read."""

from __future__ import annotations

import attrs
import pytest

from drupe.entities import Access
from drupe.wire.openapi import document
from drupe.wire.routes import NOT_YET, RESERVED, ROUTES, Route, named
from drupe.wire.shapes import NEEDED, plain, read
from drupe.wire.webhooks import CreateWebhook, WebhookAction, WebhookEntity, WebhookEvent


def test_every_route_has_a_name_of_its_own() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES) == len({(route.method, route.path) for route in ROUTES})
    assert named("POST runs/create").paths == ("/api/2.0/mlflow/runs/create", "/ajax-api/2.0/mlflow/runs/create")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_what_only_reads_is_told_from_what_writes(route: Route) -> None:
    assert (route.method == "DELETE" or "delete" in route.path) == (route.access is Access.DELETE)
    if route.method == "GET":
        assert route.access is Access.READ


def test_reserved_routes_are_answered_as_not_there_yet_and_their_shapes_can_be_read() -> None:
    served = {(route.method, route.path) for route in ROUTES}
    for route in RESERVED:
        assert route.path.startswith(NOT_YET)
        assert (route.method, route.path) not in served
    form = {"name": "n", "url": "https://x", "events": [{"entity": "MODEL_VERSION", "action": "CREATED"}], "secret": "s"}
    asked = read(CreateWebhook, form)
    assert plain(asked) == form
    assert asked.events == (WebhookEvent(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED),)


def test_the_document_describes_every_route_and_shape() -> None:
    told = document()
    assert sum(map(len, told["paths"].values())) == len(ROUTES)
    operations = [operation for path in told["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(ROUTES)
    for route in ROUTES:
        needed = [field.name for field in attrs.fields(route.request) if NEEDED in field.metadata]
        assert told["components"]["schemas"].get(route.request.__name__, {}).get("required", needed) == needed
    parameters = {one["name"]: one for one in told["paths"]["/api/2.0/mlflow/registered-models/search"]["get"]["parameters"]}
    assert parameters["max_results"]["schema"]["anyOf"][0] == {"type": "integer", "format": "int64", "minimum": 1, "maximum": 1000}
    assert told["components"]["schemas"]["OneModel"]["properties"]["name"] == {"type": "string", "minLength": 1}
    refs = {text for text in str(told).split("'") if text.startswith("#/components/schemas/")}
    assert {ref.rpartition("/")[2] for ref in refs} <= set(told["components"]["schemas"])
