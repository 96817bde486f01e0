"""The README of each plugin tells how to install and test it, and its settings with the defaults that they have."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import attrs
import pytest

from drupe.loading import catalog

ROOT = Path(__file__).parents[2]
READMES = sorted([ROOT / "kernel/README.md", *ROOT.glob("plugins/*/README.md")])
ROW = re.compile(r"^\| `(\w+)` \| (?:`([^`]+)`)? ?\| ", re.MULTILINE)


def shown(default: object) -> str:
    """A default as the tables have it; nothing for None."""
    return "" if default is None else str(default.value if isinstance(default, Enum) else default)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_a_readme_says_how_to_install_and_to_test(readme: Path) -> None:
    text = readme.read_text()
    folder = readme.parent.relative_to(ROOT)
    name = "drupe-kernel" if folder.name == "kernel" else f"drupe-{folder.name.replace('_', '-')}"
    assert text.startswith(f"# {name}\n")
    assert f"pip install {name}" in text
    assert re.search(rf"^\.venv/bin/python -m pytest {folder}\b", text, re.MULTILINE)
    for title in ("Limits", "Test"):
        assert f"\n## {title}\n" in text


def test_every_setting_of_a_plugin_stands_in_its_readme_with_its_default() -> None:
    seen = 0
    for plugin in catalog().plugins:
        readme = ROOT / "plugins" / plugin.name.replace("-", "_") / "README.md"
        for kind in {entry.settings_class() for entry in plugin.entries if readme.is_file()} - {None}:
            told = dict(ROW.findall(readme.read_text()))
            assert {field.name: shown(field.default) for field in attrs.fields(kind)} == told  # type: ignore[arg-type]  # attrs classes all
            seen += 1
    assert seen >= 2
