"""What people see: the page, the OpenAPI document, the example."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import drupe
from plugins.serving.tests.scoring import Scored

Of = Callable[[str], Scored]


def test_the_document_has_the_models_own_schema_and_example(scored: Of) -> None:
    document = scored("columns").get("/openapi.json").json
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]
    assert content["example"] == {"dataframe_split": {"columns": ["a", "b"], "data": [[0.2, 0.1], [0.8, 0.2]]}}
    forms = document["components"]["schemas"]["Invocation"]["oneOf"]
    (records,) = [form for form in forms if form["required"] == ["dataframe_records"]]
    assert records["properties"]["dataframe_records"]["items"]["required"] == ["a", "b"]
    assert "/v2/models/columns/infer" in document["paths"]


def test_the_page_shows_signature_and_commands_and_runs_no_script(scored: Of) -> None:
    told = scored("types").get("/", Host="localhost:5000")
    page = told.body.decode()
    assert "<td>flag</td><td>boolean</td>" in page
    assert "<td>o</td><td>double</td><td>optional</td>" in page
    assert "curl http://localhost:5000/invocations" in page
    assert told.headers["content-security-policy"].startswith("default-src 'none'")


def test_names_of_a_model_cannot_write_on_the_page(tmp_path: Path) -> None:
    from drupe.models import ColSpec, ModelSignature, Schema

    evil = "<script>alert(1)</script>{curl}"
    drupe.save_model(
        lambda given: given, tmp_path / "m", signature=ModelSignature(Schema([ColSpec("double", evil)])), pip_requirements=["pandas"]
    )
    scored = Scored(tmp_path / "m", evil)
    page = scored.get("/").body.decode()
    assert "<script" not in page
    assert json.loads(scored.get("/openapi.json").body)["info"]["title"].endswith(evil)
    scored.close()
