"""Addresses that no page has: people get a page that says so, programs an error that they can read."""

from __future__ import annotations

import pytest

from plugins.server_rest.tests.served import Served

PEOPLE = "text/html,application/xhtml+xml,*/*;q=0.8"
BROKEN = "%E0%A4%A"


@pytest.mark.parametrize(
    "path", [BROKEN, f"experiments/{BROKEN}", f"runs/{BROKEN}?tab=charts", f"models/a%2Fb/{BROKEN}/%ff", "experiments/%00"]
)
def test_an_address_that_is_no_text_is_a_page_that_says_so(server: Served, path: str) -> None:
    reply = server.ask("GET", f"/{path}", Accept=PEOPLE)
    assert (reply.status, reply.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert b'<div id="app">' in reply.body
    assert "default-src 'none'" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("query", [f"tab={BROKEN}", "x=%00"])
def test_a_page_is_shown_whatever_cannot_be_read_behind_its_address(server: Served, query: str) -> None:
    reply = server.ask("GET", f"/experiments/0?{query}", Accept=PEOPLE)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "path",
    [
        f"api/2.0/mlflow/{BROKEN}",
        f"ajax-api/2.0/mlflow/runs/get?run_id={BROKEN}",
        f"api/drupe/ui/run?run_id={BROKEN}",
        f"get-artifact?path={BROKEN}",
    ],
)
def test_what_programs_ask_is_refused_in_json_even_in_a_browser(server: Served, path: str) -> None:
    assert server.ask("GET", f"/{path}", Accept=PEOPLE).error == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("path", [f"experiments/{BROKEN}", f"experiments/0?tab={BROKEN}"])
def test_programs_that_ask_for_pages_are_refused_in_json(server: Served, path: str) -> None:
    assert server.ask("GET", f"/{path}").error == "INVALID_PARAMETER_VALUE"


def test_a_page_under_a_broken_address_is_for_allowed_hosts_only(server: Served) -> None:
    assert server.ask("GET", f"/experiments/{BROKEN}", Accept=PEOPLE, Host="evil.example").status == 403
