"""axe-core on a page: what it calls serious or critical."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from playwright.sync_api import Page

from drupe_ui_web.building import FRONTEND

__all__ = ["AXE", "found_by_axe"]

AXE = FRONTEND / "node_modules/axe-core/axe.min.js"
ASKED = """async ([rules, without]) => {
  const options = { resultTypes: ['violations'], ...(rules ? { runOnly: rules } : {}), rules: Object.fromEntries(without.map((one) => [one, { enabled: false }])) };
  const { violations } = await axe.run(document, options);
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, any, all }) => `${id}: ${html.slice(0, 160)} ${[...any, ...all].map((one) => one.message).join(' ').slice(0, 200)}`));
}"""


def found_by_axe(page: Page, *rules: str, without: Sequence[str] = ()) -> list[str]:
    """What axe finds against all of its rules but those of `without`, or against `rules` alone; one text for each element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())  # past the page's policy, which lets no script of others in
    told: Any = page.evaluate(ASKED, [list(rules) or None, list(without)])
    return [str(one) for one in told]


@cache
def _source() -> str:
    return f"() => {{ {AXE.read_text(encoding='utf-8')} }}"
