"""Every promise of the kit for UI extensions has teeth: for each way to get it wrong, a named test of the kit fails."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drupe.extend import UiExtension, UiPlace
from drupe.testing.ui_extensions import UiExtensionKit

from .kit_runner import call, check_mistyped_names_are_noticed, promises_of

GOOD = """\
/** Says hello; see https://example.org/hello. */
import { text } from "./text.js";
export const api = 1;
export function mount(element, { file }, host) {
  const link = document.createElementNS("http://www.w3.org/2000/svg", "svg"); // as in https://example.org
  element.append(link, text(file.name));
}
"""
FILES = {
    "ui/viewer.js": GOOD,
    "ui/text.js": "export const text = (name) => `Hello ${name}`;\n",
    "ui/look.css": ".acme { color: var(--ink) }\n",
}


class Kit(UiExtensionKit):
    shows = ("a/b.GeoJSON", "report.txt")
    leaves = ("geojson", "b.json", "old/report.txt.bak")


def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str | None], **changes: Any) -> UiExtension:
    """An extension of a package with the good files, but for `files`; None leaves one out."""
    package = tmp_path / "acme_viewer"
    for name, text in {"__init__.py": "raise RuntimeError('it is not imported')\n", **FILES, **files}.items():
        if text is not None:
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / name).write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    given = {
        "place": UiPlace.ARTIFACT_VIEWER,
        "title": "Hello",
        "package": "acme_viewer",
        "module": "ui/viewer.js",
        "matches": ("*.geojson", "report.txt"),
        **changes,
    }
    return UiExtension(**given)


WELL_FORMED = "test_it_is_well_formed_and_its_files_are_there"
EXPORTS = "test_the_module_exports_the_version_of_the_api_and_mount"
IMPORTS = "test_what_is_imported_is_served_with_it"
HOSTS = "test_it_asks_nothing_of_other_hosts"
POLICY = "test_it_needs_no_code_that_the_policy_of_the_page_refuses"
SHOWS = "test_it_shows_what_it_says_and_leaves_the_rest"
FAULTS: list[tuple[str, dict[str, str | None], dict[str, Any]]] = [
    (WELL_FORMED, {}, {"title": " "}),
    (WELL_FORMED, {}, {"title": "x" * 41}),
    (WELL_FORMED, {}, {"place": "run-tab"}),
    (WELL_FORMED, {}, {"place": UiPlace.RUN_TAB}),
    (WELL_FORMED, {}, {"matches": ()}),
    (WELL_FORMED, {}, {"matches": ("../*.json",)}),
    (WELL_FORMED, {}, {"matches": ("/a.json",)}),
    (WELL_FORMED, {}, {"matches": ("",)}),
    (WELL_FORMED, {}, {"matches": ("x" * 101,)}),
    (WELL_FORMED, {}, {"media_types": ("application/x-nobody-knows",)}),
    (WELL_FORMED, {}, {"max_bytes": 0}),
    (WELL_FORMED, {}, {"package": "acme_nowhere"}),
    (WELL_FORMED, {}, {"module": "ui/none.js"}),
    (WELL_FORMED, {}, {"module": "viewer.js"}),
    (WELL_FORMED, {}, {"module": "ui/../ui/viewer.js"}),
    (WELL_FORMED, {}, {"module": "/etc/viewer.js"}),
    (WELL_FORMED, {}, {"module": "ui/look.css"}),
    (WELL_FORMED, {"ui/large.js": "//" + "x" * 5_000_000}, {}),
    ("test_every_file_beside_the_module_is_one_for_browsers", {"ui/keys.py": "KEY = 1"}, {}),
    ("test_every_file_beside_the_module_is_one_for_browsers", {"ui/.env": "KEY=1"}, {}),
    (EXPORTS, {"ui/viewer.js": GOOD.replace("api = 1", "api = 2")}, {}),
    (EXPORTS, {"ui/viewer.js": GOOD.replace("export function mount", "export default function mount")}, {}),
    (EXPORTS, {"ui/viewer.js": GOOD.replace("export function", "// export function mount()\nfunction")}, {}),
    ("test_the_files_are_modules_that_can_be_parsed", {"ui/text.js": "export const text = (;\n"}, {}),
    ("test_the_files_are_modules_that_can_be_parsed", {"ui/text.js": "const text = 1;\nexport { text, none };\n"}, {}),
    (IMPORTS, {"ui/text.js": None}, {}),
    (IMPORTS, {"ui/text.js": 'import _ from "lodash";\nexport const text = _.identity;\n'}, {}),
    (IMPORTS, {"ui/text.js": 'export const text = await import("../../other.js");\n'}, {}),
    (HOSTS, {"ui/text.js": 'export const text = () => fetch("https://example.org/track");\n'}, {}),
    (HOSTS, {"ui/text.js": "export const text = () => new WebSocket(`wss://example.org`);\n"}, {}),
    (HOSTS, {"ui/look.css": "@import url(//example.org/font.css);\n"}, {}),
    (POLICY, {"ui/text.js": "export const text = (name) => eval(name);\n"}, {}),
    (POLICY, {"ui/text.js": "export const text = (name) => new Function(name)();\n"}, {}),
    ("test_texts_are_never_made_html", {"ui/text.js": "export const text = (name, box) => { box.innerHTML = name };\n"}, {}),
    ("test_texts_are_never_made_html", {"ui/text.js": "export const text = (n, box) => box.insertAdjacentHTML('afterend', n);\n"}, {}),
    (SHOWS, {}, {"matches": ("*.geojson",)}),
    (SHOWS, {}, {"matches": ("*.geojson", "report.txt", "*.json")}),
    (SHOWS, {}, {"matches": ("*.geojson", "report.txt*")}),
]


@pytest.mark.parametrize("test", sorted(promises_of(Kit)))
def test_a_good_extension_passes(test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call(Kit, test, extension=made(tmp_path, monkeypatch, {}))
    assert "acme_viewer" not in sys.modules


@pytest.mark.parametrize(("test", "files", "changes"), FAULTS, ids=[f"{n}-{fault[0]}" for n, fault in enumerate(FAULTS)])
def test_a_broken_extension_is_caught_by_the_named_test(
    test: str, files: Mapping[str, str | None], changes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "parsed" in test and shutil.which("node") is None:
        pytest.skip("Node is not installed")
    extension = made(tmp_path, monkeypatch, files, **changes)
    with pytest.raises(AssertionError):
        call(Kit, test, extension=extension)


def test_a_link_that_leads_out_of_the_folder_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extension = made(tmp_path, monkeypatch, {})
    (tmp_path / "secret.js").write_text("export const key = 1;")
    (tmp_path / "acme_viewer/ui/leads-out.js").symlink_to(tmp_path / "secret.js")
    assert sorted(extension.files()) == ["look.css", "text.js", "viewer.js"]


def test_patterns_that_fix_more_weigh_more_and_letter_case_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extension = made(tmp_path, monkeypatch, {}, matches=("*", "*.json", "reports/?.json"), media_types=("image/tiff",))
    assert extension.patterns() == [
        (r"(?:^|/)[^/]*$", 0),
        (r"(?:^|/)[^/]*\.json$", 5),
        (r"^reports/[^/]\.json$", 13),
        (r"\.(?:tif|tiff)$", 1),
    ]


def test_every_promise_is_proved_to_have_teeth() -> None:
    assert promises_of(UiExtensionKit) == {test for test, _, _ in FAULTS}


def test_a_name_that_is_left_out_and_does_not_exist_is_noticed() -> None:
    check_mistyped_names_are_noticed(UiExtensionKit)
