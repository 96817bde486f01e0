"""The journey of somebody who wants to know what takes the space."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep


def test_storage_is_measured_when_asked_and_stays_on_the_page(page: Page, server: Home) -> None:
    keep(server, experiment(server, "storage/kept"), [Made("one", series={"loss": [0.5] * 30})])
    page.goto(f"{server.url}/system")
    storage = page.get_by_role("region", name="Storage")
    storage.get_by_role("button", name="Measure").click()
    expect(storage.get_by_role("row").filter(has_text="storage/kept")).to_contain_text("30")
    expect(storage.get_by_role("status")).to_contain_text("Measured")
    expect(storage.get_by_text("Artifacts:")).to_be_visible()
    page.reload()
    expect(storage.get_by_role("link", name="storage/kept")).to_be_visible()
