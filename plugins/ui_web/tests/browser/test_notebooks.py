"""Values of the API as a notebook's page shows them: on light and dark ground, beside the notebook's own styles, in a real browser.

The styles are those that JupyterLab lays on the output of a cell, by which tables stand to the right and have coloured rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kernel.tests.notebook.test_what_notebooks_show import EVIL, everything, run_of

STYLES = """body{margin:16px;font:14px system-ui;background:var(--ground);color:var(--ink)}
.out table{border-collapse:collapse;border:none;font-size:12px;table-layout:fixed;margin:0 auto 1em}
.out td,.out th,.out tr{vertical-align:middle;text-align:right;padding:.5em;max-width:none;border:none}
.out thead{border-bottom:1px solid #bdbdbd}.out tbody tr:nth-child(odd){background:#fff}.out tbody tr:nth-child(even){background:#f5f5f5}
.out a{color:#1976d2}.out pre,.out code{background:#f5f5f5;color:#000}"""
GROUNDS = {"light": ("#ffffff", "#1c1c1c"), "dark": ("#111111", "#e0e0e0")}
INKS = "elements => [...new Set(elements.map(one => getComputedStyle(one).color))]"
ROWS = "elements => [...new Set(elements.map(one => getComputedStyle(one).backgroundColor))]"
SIDES = "rows => rows.map(row => [...row.cells].map(cell => getComputedStyle(cell).textAlign))"


@pytest.mark.parametrize("theme", GROUNDS)
def test_a_notebook_shows_values_in_its_own_ink_and_runs_nothing_in_them(page: Any, theme: str, tmp_path: Path) -> None:
    ground, ink = GROUNDS[theme]
    shown = [value._repr_html_() for value in (run_of(count=1000), *everything(EVIL))]
    outputs = "".join(f'<div class="out">{html}</div>' for html in shown)
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    page.set_content(
        f"<!doctype html><style>:root{{--ground:{ground};--ink:{ink}}}{STYLES}</style><table id=other><tr><td>1</table>{outputs}"
    )
    assert page.eval_on_selector_all(".out td, .out a, .out summary, .out code", INKS) == [
        page.evaluate("getComputedStyle(document.body).color")
    ]
    assert page.eval_on_selector_all(".out tr", ROWS) == ["rgba(0, 0, 0, 0)"]
    metrics = page.locator(".drupe-run").first.locator("details", has_text="Metrics 2").locator("tbody tr")
    assert metrics.evaluate_all(SIDES) == [["left", "right", "right", "right", "right"]] * 2
    assert page.eval_on_selector("#other td", "cell => getComputedStyle(cell).padding") == "1px"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator(".out script, .out style").count() == 0
    assert page.locator(".drupe-run").first.bounding_box()["height"] < 900, "a thousand params are folded"
    page.screenshot(path=str(tmp_path / f"notebook-{theme}.png"))
