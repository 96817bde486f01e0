"""The reference pages on stores: their code is a test file that passes, and a front door without faults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PAGES = Path(__file__).parents[3] / "docs" / "reference" / "extend"
BLOCK = re.compile(r"^( *)```python\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def _blocks(page: str) -> list[str]:
    text = (PAGES / page).read_text(encoding="utf-8")
    return ["\n".join(line.removeprefix(indent) for line in code.splitlines()) for indent, code in BLOCK.findall(text)]


@pytest.mark.parametrize("page", ["tracking_store.md", "registry_store.md"])
def test_the_test_file_on_the_page_passes(page: str, pytester: pytest.Pytester) -> None:
    front_door, test_file = _blocks(page)
    assert "DRUPE_API" in front_door
    pytester.makepyfile(test_file)
    result = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-k", "random_searches or left_out or first or alias")
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) == outcomes.get("errors", 0) == 0
    assert outcomes["passed"] >= 4


@pytest.mark.parametrize(
    ("page", "hook", "contract"),
    [("tracking_store.md", "drupe_tracking_stores", "MyStore"), ("registry_store.md", "drupe_registry_stores", "MyRegistry")],
)
def test_the_front_door_on_the_page_offers_a_store(page: str, hook: str, contract: str) -> None:
    module: dict[str, object] = {}
    exec(_blocks(page)[0], module)
    offers = module[hook]()  # type: ignore[operator]
    assert [(offer.name, offer.faults(), offer.load.partition(":")[2]) for offer in offers] == [("mine", [], contract)]
