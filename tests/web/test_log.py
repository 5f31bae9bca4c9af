"""The log's page in a real browser: what was seen is pinned, and a log that no longer holds it is told."""

from __future__ import annotations

from tests.web.browser import Browser
from tests.web.conftest import Hub

MOVED = "!document.querySelector('[data-moved]').hidden"
PINNED = "!document.querySelector('[data-pinned]').hidden"
KEY = f"sealcam-log-{'f' * 64}"


def pin(browser: Browser) -> object:
    return browser.ask(f"localStorage.getItem('{KEY}')")


def test_the_newest_entry_is_pinned_and_moves_on(hub: Hub, browser: Browser) -> None:
    browser.open(f"{hub.address}/log")
    browser.wait(PINNED)
    assert pin(browser) == f"120:{120:064x}"
    hub.log.count = 300  # more than a page further on: the browser asks for what stands there
    browser.open(f"{hub.address}/log")
    browser.wait(PINNED)
    assert pin(browser) == f"300:{300:064x}"
    assert not browser.ask(MOVED)


def test_a_log_that_was_cut_or_written_anew_is_told_and_the_pin_stays(hub: Hub, browser: Browser) -> None:
    browser.open(f"{hub.address}/log")
    browser.wait(PINNED)
    hub.log.count = 119
    browser.open(f"{hub.address}/log")
    browser.wait(MOVED)
    assert pin(browser) == f"120:{120:064x}"
    hub.log.count = 130
    browser.ask(f"localStorage.setItem('{KEY}', '120:{7:064x}')")  # it was another entry
    browser.open(f"{hub.address}/log")
    browser.wait(MOVED)
    assert pin(browser) == f"120:{7:064x}"
    browser.ask("document.querySelector('[data-accept]').click()")
    assert pin(browser) == f"130:{130:064x}"
    assert not browser.ask(MOVED)


def test_an_empty_log_pins_nothing(hub: Hub, browser: Browser) -> None:
    hub.log.count = 0
    browser.open(f"{hub.address}/log")
    browser.wait("document.querySelector('.log__entry')")
    assert pin(browser) is None
