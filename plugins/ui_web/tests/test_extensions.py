"""UI extensions as the server tells and serves them: with a digest of their files, from nowhere but their folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugins.server_rest.tests.served import Served, start
from plugins.ui_web.tests.acme_ui import install, with_plugin
from plugins.ui_web.tests.conftest import Ui


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    install(folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Iterator[Served]:
    served = start(tmp_path_factory.mktemp("served"), env=with_plugin(site))
    yield served
    assert served.stop() == 0


def told(ui: Ui) -> dict[str, Any]:
    return {one["key"]: one for one in ui.get("extensions")["extensions"]}


def test_extensions_are_told_with_their_place_and_the_files_they_fit(ui: Ui) -> None:
    found = told(ui)
    words = found["WORDS"]
    assert (words["plugin"], words["version"], words["place"], words["title"]) == ("acme-ui", "1.5", "artifact-viewer", "Words")
    assert (words["patterns"], words["max_bytes"]) == ([[r"(?:^|/)[^/]*\.txt$", 4]], 1000)
    assert (found["FACTS"]["place"], found["FACTS"]["patterns"], found["FACTS"]["max_bytes"]) == ("run-tab", [], None)
    assert found["safetensors"]["plugin"] == "viewer-safetensors"


def test_what_cannot_be_shown_is_left_out_with_the_reason(ui: Ui) -> None:
    assert not {"NO_MODULE", "gone"} & set(told(ui))
    left_out = {one["key"]: (one["what"], one["plugin"], one["reason"]) for one in ui.get("system")["left_out"]}
    assert set(left_out) == {"NO_MODULE", "gone"}
    assert left_out["NO_MODULE"][:2] == ("UI extension", "acme-ui")
    assert "acme_ui has no file ui/no_module.js" in left_out["NO_MODULE"][2]


def test_a_module_is_served_as_one_for_ever_and_its_imports_below_the_same_digest(ui: Ui) -> None:
    address = told(ui)["FACTS"]["module"]
    reply = ui.server.ask("GET", f"/{address}")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    assert b"export const api = 1;" in reply.body
    inside = ui.server.ask("GET", f"/{address.rpartition('/')[0]}/inside/line.js")
    assert (inside.status, b"export const line" in inside.body) == (200, True)


@pytest.mark.parametrize(
    "path",
    [
        "secret.py",
        "leads-out.js",
        "../hidden.js",
        "..%2fhidden.js",
        "%2e%2e/hidden.js",
        "inside/../../hidden.js",
        "inside/..%2f..%2fparts.py",
        "/etc/passwd",
        "%00facts.js",
        "inside",
        "",
        "none.js",
    ],
)
def test_nothing_but_the_files_beside_the_module_is_served(ui: Ui, path: str) -> None:
    folder = told(ui)["FACTS"]["module"].rpartition("/")[0]
    reply = ui.server.ask("GET", f"/{folder}/{path}")
    assert reply.status in (400, 404)
    assert b"cherry-stone" not in reply.body
    assert b"root:" not in reply.body


def test_an_unknown_plugin_or_digest_is_not_found(ui: Ui) -> None:
    _, plugin, digest, name = told(ui)["FACTS"]["module"].split("/")
    for plugin_asked, digest_asked in (("none", digest), (plugin, "0" * 20), (plugin, "..")):
        reply = ui.server.ask("GET", f"/extensions/{plugin_asked}/{digest_asked}/{name}")
        assert (reply.status, reply.error) == (404, "ENDPOINT_NOT_FOUND")
    assert "load the page again" in reply.json["message"]


def test_a_changed_file_gets_another_address_and_the_old_one_is_gone(ui: Ui, site: Path) -> None:
    path = site / "acme_ui/ui/inside/line.js"
    old = told(ui)["FACTS"]["module"]
    was = path.read_text()
    path.write_text(was + "// changed\n")
    os.utime(path, ns=(1, 1))
    new = told(ui)["FACTS"]["module"]
    assert new != old
    assert (ui.server.ask("GET", f"/{old}").status, ui.server.ask("GET", f"/{new}").status) == (404, 200)
    path.write_text(was)
    assert told(ui)["FACTS"]["module"] == old
