"""The first page: experiments as a tree that is searched, folded, opened, and changed."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from plugins.ui_web.tests.browser.looking import query_of
from plugins.ui_web.tests.browser.making import Home, experiment, run


def test_experiments_are_a_tree_that_is_searched_folded_and_opened_as_a_whole(page: Page, server: Home) -> None:
    made = [experiment(server, f"team/{name}") for name in ("one", "two")]
    experiment(server, "solo")
    run(server, made[0], "x")
    page.goto(f"{server.url}/")
    page.wait_for_selector(".tree-name")
    page.keyboard.press("/")
    page.keyboard.type("team/")
    expect(page.get_by_role("row").filter(has_text="solo")).to_have_count(0)
    assert query_of(page) == {"search": "team/"}
    folder = page.get_by_role("row", name="team").first
    assert folder.get_attribute("aria-expanded") == "true"
    page.locator("[data-spot='0:0']").focus()
    page.keyboard.press("-")
    expect(page.get_by_role("row").filter(has_text="two")).to_have_count(0)
    page.keyboard.press("+")
    page.keyboard.press("Enter")
    page.wait_for_selector(".runs-name")
    assert page.url == f"{server.url}/experiments/{','.join(made)}"
    expect(page.get_by_role("heading", level=1)).to_have_text("team/one, team/two")


def test_experiments_are_made_renamed_deleted_and_restored(page: Page, server: Home) -> None:
    page.goto(f"{server.url}/?search=made")
    page.get_by_role("button", name="New experiment").click()
    page.get_by_role("textbox", name="Name").fill("made/here")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("row").filter(has_text="here")).to_be_visible()
    page.locator("[data-spot='1:0']").focus()
    page.keyboard.press("m")
    page.get_by_role("menuitem", name="Rename…").click()
    page.get_by_role("textbox", name="Name").fill("made/there")
    page.get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_role("row").filter(has_text="there")).to_be_visible()
    page.locator("[data-spot='1:0']").focus()
    page.keyboard.press("Space")
    page.get_by_role("region", name="Selected experiments").get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No experiment has this in its name")).to_be_visible()
    page.get_by_role("button", name="Trash").click()
    page.locator("[data-spot='1:0']").focus()
    page.keyboard.press("Space")
    page.get_by_role("region", name="Selected experiments").get_by_role("button", name="Restore").click()
    page.get_by_role("button", name="Trash").click()
    expect(page.get_by_role("row").filter(has_text="there")).to_be_visible()


def test_a_name_that_is_taken_is_told_in_the_dialog(page: Page, server: Home) -> None:
    page.goto(f"{server.url}/")
    page.get_by_role("button", name="New experiment").click()
    page.get_by_role("textbox", name="Name").fill("Default")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("alert")).to_contain_text("Default")
