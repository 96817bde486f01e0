"""The conformance kit of UI extensions: what every `drupe.extend.UiExtension` must do before a browser sees it.

A plugin's test module subclasses the kit and names its extension; nothing else is needed:

    class TestMyViewer(UiExtensionKit):
        @pytest.fixture
        def extension(self):
            return VIEWER

The files are read as texts; where Node is installed, it is asked whether they are modules, too. How they look is for a browser.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from drupe.extend import UiExtension

__all__ = ["UiExtensionKit"]

SCRIPTS = (".js", ".mjs")
FOREIGN = re.compile(r"""["'`(]\s*((?:(?:https?|wss?):)?//[\w\[][^"'`)\s]*)""")
NAMESPACES = "http://www.w3.org/"
COMMENT = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|/\*.*?\*/|(?<![\w)\]\\/])//[^\n]*""", re.DOTALL)
BLOCK_COMMENT = re.compile(r"/\*.*?\*/|<!--.*?-->", re.DOTALL)
IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\1""")
REFUSED = re.compile(r"\beval\s*\(|\bnew\s+Function\s*\(|\bWebAssembly\b|\bset(?:Timeout|Interval)\s*\(\s*[\"'`]")
HTML = re.compile(r"\.(?:inner|outer)HTML\s*\+?=|\binsertAdjacentHTML\s*\(|\bdocument\.write(?:ln)?\s*\(")
NODE_S = 30


class UiExtensionKit:
    """Subclass it as `Test…` and override the fixture `extension`.

    `cannot` names tests that this extension does not pass, each with the reason; they are skipped and the reason shown. `shows` has paths of
    files that a viewer must be offered for, and `leaves` such that are none of its business.
    """

    cannot: ClassVar[Mapping[str, str]] = {}
    shows: ClassVar[tuple[str, ...]] = ()
    leaves: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    def extension(self) -> UiExtension:
        """The extension under test."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture `extension` that gives the extension")

    @pytest.fixture(autouse=True)
    def _leave_out_what_the_extension_cannot(self, request: pytest.FixtureRequest) -> None:
        reason = self.cannot.get(getattr(request.function, "__name__", ""))
        if reason:
            pytest.skip(reason)

    def test_what_is_left_out_are_tests_of_this_kit(self) -> None:
        assert [name for name in self.cannot if not callable(getattr(self, name, None))] == []

    def test_it_is_well_formed_and_its_files_are_there(self, extension: UiExtension) -> None:
        assert extension.faults() == []

    def test_every_file_beside_the_module_is_one_for_browsers(self, extension: UiExtension) -> None:
        served = set(extension.files().values())
        folder = extension.folder()
        assert folder is not None
        others = [path for path in folder.rglob("*") if not path.is_dir() and path not in served and "__pycache__" not in path.parts]
        assert others == [], "only these are served; keep other files elsewhere in the package"

    def test_the_module_exports_the_version_of_the_api_and_mount(self, extension: UiExtension) -> None:
        source = _source(_module(extension))
        assert re.search(r"\bexport\s+(?:const|let|var)\s+api\s*=\s*1\b|\bexport\s*\{[^}]*\bapi\b", source), "export const api = 1;"
        assert re.search(
            r"\bexport\s+(?:async\s+)?function\s+mount\b|\bexport\s+(?:const|let|var)\s+mount\b|\bexport\s*\{[^}]*\bmount\b", source
        ), "export function mount(element, context, host) { … }"

    def test_the_files_are_modules_that_can_be_parsed(self, extension: UiExtension) -> None:
        node = shutil.which("node")
        if node is None:
            pytest.skip("Node is not installed")
        for path in _scripts(extension):
            command = [node, "--input-type=module", "--check", "-"]
            done = subprocess.run(
                command, input=path.read_text(encoding="utf-8"), capture_output=True, text=True, timeout=NODE_S, check=False
            )
            assert done.returncode == 0, f"{path}: {done.stderr.strip()[-500:]}"

    def test_what_is_imported_is_served_with_it(self, extension: UiExtension) -> None:
        folder, served = extension.folder(), set(extension.files().values())
        assert folder is not None
        for path in _scripts(extension):
            for _, wanted in IMPORT.findall(_source(path)):
                assert wanted.startswith(("./", "../")), f"{path.name} imports {wanted!r}, which browsers cannot find: only ./ and ../ are"
                target = (path.parent / wanted).resolve()
                assert target in {one.resolve() for one in served}, f"{path.name} imports {wanted!r}, which is not among the served files"

    def test_it_asks_nothing_of_other_hosts(self, extension: UiExtension) -> None:
        for path in _texts(extension):
            foreign = [found for found in FOREIGN.findall(_source(path)) if not found.startswith(NAMESPACES)]
            assert foreign == [], f"{path.name} names other hosts, which the page's policy refuses"

    def test_it_needs_no_code_that_the_policy_of_the_page_refuses(self, extension: UiExtension) -> None:
        for path in _scripts(extension):
            assert REFUSED.findall(_source(path)) == [], f"{path.name} makes code of texts, or runs WebAssembly"

    def test_texts_are_never_made_html(self, extension: UiExtension) -> None:
        for path in _scripts(extension):
            assert HTML.findall(_source(path)) == [], f"{path.name}: use textContent, append and setAttribute"

    def test_it_shows_what_it_says_and_leaves_the_rest(self, extension: UiExtension) -> None:
        patterns = [re.compile(expression, re.IGNORECASE) for expression, _ in extension.patterns()]
        assert [path for path in self.shows if not any(one.search(path) for one in patterns)] == []
        assert [path for path in self.leaves if any(one.search(path) for one in patterns)] == []


def _module(extension: UiExtension) -> Path:
    found = extension.files().get(extension.module.rpartition("/")[2])
    assert found is not None, f"{extension.package} has no file {extension.module}"
    return found


def _scripts(extension: UiExtension) -> Iterator[Path]:
    return (path for path in extension.files().values() if path.suffix in SCRIPTS)


def _texts(extension: UiExtension) -> Iterator[Path]:
    return (path for path in extension.files().values() if path.suffix in (*SCRIPTS, ".css", ".svg"))


def _source(path: Path) -> str:
    """A file without its comments, in which addresses and examples are welcome."""
    text = path.read_text(encoding="utf-8")
    return COMMENT.sub(lambda found: found[1] or " ", text) if path.suffix in SCRIPTS else BLOCK_COMMENT.sub(" ", text)
