"""What a page shows, asked as a person would see it: whether all has come, what the address says, what stands beyond the edge."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, TimeoutError

__all__ = ["WAIT_MS", "beyond_the_edge", "came_to_life", "query_of", "settle"]

# charts that are not in sight are drawn when they come there
ALL_HAS_COME = """() => document.querySelector('main h1, main [role=alert], main .notice')
  && [...document.querySelectorAll('.waiting')].every((one) => one.getBoundingClientRect().top > innerHeight)"""
FITS = "() => document.documentElement.scrollWidth <= innerWidth"
WAIT_MS = 60_000  # for what has to come; a busy machine may keep a browser waiting
PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
# what may be scrolled or is cut is in its place
BEYOND = """() => [...document.querySelectorAll('body *')].filter((one) => {
  if (one.getBoundingClientRect().right <= innerWidth + 1) return false;
  for (let at = one.parentElement; at && at !== document.body; at = at.parentElement) {
    if (getComputedStyle(at).overflowX !== 'visible' && at.getBoundingClientRect().right <= innerWidth + 1) return false;
  }
  return getComputedStyle(one).position !== 'fixed';
}).map((one) => `${one.parentElement.tagName} ${one.parentElement.className} > ${one.tagName} ${one.className} ${one.textContent}`.slice(0, 120))"""

# whatever of a content became part of the page, and not of a frame that is kept apart
ALIVE = """() => [
  ...(window.taken ? ['a script ran'] : []),
  ...[...document.querySelectorAll('[data-taken], main script, main style, main link, main base, main object, main embed, main form[action]')],
  ...[...document.querySelectorAll('*')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on'))),
  ...[...document.querySelectorAll('a[href], area[href]')].filter((one) => !/^(https?|mailto|blob):$/.test(new URL(one.getAttribute('href'), document.baseURI).protocol)),
  ...[...document.querySelectorAll('iframe')].filter((one) => /allow-(same-origin|top|popups|modals|forms)/.test(one.getAttribute('sandbox') ?? 'allow-top')),
].map((one) => one.outerHTML?.slice(0, 120) ?? one)"""


def settle(page: Page) -> None:
    """Wait until nothing that is on the page is waited for."""
    page.wait_for_function(ALL_HAS_COME)
    page.evaluate(PAINTED)


def came_to_life(page: Page) -> list[str]:
    """What of the content of a hostile store is an element, a handler, a link that runs, a frame with rights."""
    found: Any = page.evaluate(ALIVE)
    return [str(one) for one in found]


def query_of(page: Page) -> dict[str, str]:
    """The parameters of the address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def beyond_the_edge(page: Page) -> list[str]:
    """What makes the page wider than the window; empty where it is not, once canvases have followed its size."""
    try:
        page.wait_for_function(FITS, timeout=WAIT_MS)
    except TimeoutError:
        found: Any = page.evaluate(BEYOND)
        return [str(one) for one in found] or ["the page"]
    return []
