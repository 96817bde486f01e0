"""The example on the reference page of UI extensions is complete: it passes the kit that the page speaks of, and the types hold."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import attrs
import pytest

from drupe.extend import Offer, UiExtension, UiPlace
from drupe.testing.ui_extensions import UiExtensionKit

from .kit_runner import call, promises_of

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "extend" / "ui_extensions.md"
TEXT = PAGE.read_text(encoding="utf-8")
NAMES: dict[str, Any] = {"__name__": "reference_page"}
for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
    exec(compile(block, str(PAGE), "exec"), NAMES)
(MODULE,) = re.findall(r"```javascript\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("test", sorted(promises_of(UiExtensionKit)))
def test_the_example_passes_the_kit(test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "drupe_best" / "ui"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "best.js").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    call(NAMES["TestBestValues"], test, extension=NAMES["TAB"])


def test_the_front_door_is_well_formed() -> None:
    offers: list[Offer] = NAMES["drupe_ui_extensions"]()
    assert [offer.faults() for offer in offers] == [[]]


def test_the_page_names_every_field_and_every_member_of_the_host() -> None:
    fields = [field.name for field in attrs.fields(UiExtension)]
    assert [name for name in (*fields, *UiPlace.__members__) if f"`{name}`" not in TEXT and f"UiPlace.{name}`" not in TEXT] == []
    host = (ROOT / "plugins/ui_web/drupe_ui_web/extension_api.d.ts").read_text().partition("export interface Host<C> {")[2]
    members = re.findall(r"^  readonly (\w+)", host, re.MULTILINE)
    assert len(members) > 15
    assert [name for name in members if not re.search(rf"`(?:\w+`, `)*{name}\b", TEXT)] == []


def test_the_types_in_the_comments_of_the_example_hold(tmp_path: Path) -> None:
    tsc = ROOT / "plugins/ui_web/frontend/node_modules/.bin/tsc"
    if not tsc.exists() or shutil.which("node") is None:
        pytest.skip("the packages of the web UI's build are not installed")
    (tmp_path / "best.js").write_text(MODULE)
    (tmp_path / "tsconfig.json").write_text(
        '{"compilerOptions": {"target": "es2022", "module": "esnext", "moduleResolution": "bundler", "checkJs": true, "allowJs": true, "strict": true,'
        f' "noEmit": true, "types": [], "paths": {{"drupe-ui": ["{ROOT}/plugins/ui_web/drupe_ui_web/extension_api.d.ts"]}}}}, "files": ["best.js"]}}'
    )
    done = subprocess.run([str(tsc), "-p", str(tmp_path)], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "")
