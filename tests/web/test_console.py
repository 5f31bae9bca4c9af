"""The console in a real browser: live, without losing the reader's place, on every width, by keyboard."""

from __future__ import annotations

import pytest

from tests.unit.hub.console_client import PASSPHRASE
from tests.unit.hub.console_fake import NOW_NS, PORCH, SECOND_NS, notice, report
from tests.waiting import eventually
from tests.web.browser import Browser
from tests.web.conftest import Hub

CARD = "document.querySelector('.card[data-key$=\"{:016x}\"]')"
NEWEST = "document.querySelector('.card').dataset.key"


def key(number: int) -> str:
    return f"'{PORCH}-{number:016x}'"


def test_a_new_incident_appears_by_itself_and_is_said(hub: Hub, browser: Browser) -> None:
    browser.ask(f"{CARD.format(58)}.mark = 'the same node'")
    hub.sees(100, open=True)
    browser.wait(f"{NEWEST} === {key(100)}")
    assert browser.ask(f"{CARD.format(58)}.mark") == "the same node"
    assert browser.ask("document.querySelector('[data-said]').textContent") == "Threat: Person, Front door"


def test_a_change_keeps_focus_and_place(hub: Hub, browser: Browser) -> None:
    browser.ask(f"{CARD.format(45)}.scrollIntoView()")
    browser.ask(f"{CARD.format(45)}.querySelector('a').focus()")
    before = browser.ask(f"{CARD.format(45)}.getBoundingClientRect().top")
    hub.sees(45, verdict="benign")
    browser.wait(f"{CARD.format(45)}.classList.contains('card--benign')")
    assert browser.ask(f"{CARD.format(45)}.contains(document.activeElement)")
    assert browser.ask(f"{CARD.format(45)}.getBoundingClientRect().top") == before


def test_older_ones_are_added_below_and_stay_when_newer_come(hub: Hub, browser: Browser) -> None:
    browser.ask("document.querySelector('[data-older]').click()")
    browser.wait("document.querySelectorAll('.card').length === 48")
    hub.sees(100)
    browser.wait(f"{NEWEST} === {key(100)}")
    assert browser.ask("document.querySelectorAll('.card').length") == 49
    browser.ask("document.querySelector('[data-older]').click()")
    browser.wait("document.querySelectorAll('.card').length === 61")
    assert browser.ask("document.querySelector('[data-older]')") is None
    ids = "[...document.querySelectorAll('.card')].map(card => card.dataset.key)"
    assert browser.ask(f"new Set({ids}).size") == 61
    assert browser.ask("location.search") == ""


def test_a_filter_drops_what_changed_its_verdict(hub: Hub, browser: Browser) -> None:
    browser.open(f"{hub.address}/?show=threats")
    browser.wait("document.querySelector('[data-pulse]').textContent === 'Live'")
    hub.sees(59, verdict="benign")
    browser.wait(f"{NEWEST} === {key(58)}")


def test_a_mode_is_asked_for_shown_as_a_wish_and_confirmed(hub: Hub, browser: Browser) -> None:
    for mode in ("night", "home", "off", "away") * 3:
        button = f"document.querySelector('button[value={mode}]')"
        browser.ask(f"{button}.focus(), {button}.click()")
        browser.wait(f"{button}.matches('[data-waiting]')")
        assert browser.ask("document.querySelector('.modes__wait').textContent.startsWith('Asked for')")
        hub.camera(mode=mode, wished=None)
        browser.wait(f"{button}.ariaPressed === 'true'")
        assert browser.ask("document.activeElement.value") == mode
        assert browser.ask("document.querySelector('.modes__wait')") is None
    assert browser.ask("performance.getEntriesByType('navigation').length") == 1


def test_a_notice_appears_above(hub: Hub, browser: Browser) -> None:
    hub.source.told = [notice(1, "clone", "two different events claim place 12")]
    hub.feed.publish("notice")
    browser.wait("document.querySelector('.notice--clone')")


def test_the_page_of_an_incident_follows_it(hub: Hub, browser: Browser) -> None:
    browser.ask(f"{CARD.format(59)}.querySelector('a').click()")
    browser.wait("document.querySelectorAll('.story__step').length === 2")
    browser.wait("document.querySelector('[data-pulse]').textContent === 'Live'")
    hub.sees(59, reports=(report(1), report(2, "update", verdict="benign"), report(3, "end")))
    browser.wait("document.querySelectorAll('.story__step').length === 3")


def test_times_are_the_readers_own(hub: Hub, browser: Browser) -> None:
    browser.call("Emulation.setTimezoneOverride", timezoneId="Pacific/Auckland")  # 13 hours ahead of UTC
    browser.open(hub.address)
    browser.wait("!document.querySelector('.card time').textContent.includes('UTC')")
    assert "12:59:00" in str(browser.ask("document.querySelector('.card time').textContent"))
    assert browser.ask("document.querySelector('.day').dataset.day") == "2025-11-23"
    hub.sees(61, arrived_ns=NOW_NS + 26 * 3600 * SECOND_NS)
    browser.wait("document.querySelectorAll('.day').length === 2")


def test_a_lost_hub_is_told_and_found_again(hub: Hub, browser: Browser) -> None:
    browser.call("Network.enable")
    browser.call(
        "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1
    )
    # The answer to the command above comes before the network service has taken it: a request tells when it has.
    cut_off = "fetch('/fragment/notices').then(() => false, () => true)"
    eventually(lambda: browser.ask(cut_off) is True, what="the loss of the network")
    browser.ask("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    browser.wait("document.querySelector('.pulse--lost')?.textContent.startsWith('Connection to the hub lost')")
    hub.sees(100)
    browser.call(
        "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
    )
    browser.wait("document.querySelector('[data-pulse]').textContent === 'Live'")
    browser.wait(f"{NEWEST} === {key(100)}")


def test_a_session_that_is_over_says_what_to_do(hub: Hub, browser: Browser) -> None:
    browser.call("Network.enable")
    browser.call("Network.clearBrowserCookies")
    browser.ask("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    browser.wait("document.querySelector('.pulse--lost')?.textContent.includes('load this page to sign in')")


@pytest.mark.parametrize("width_px", [320, 360, 768, 1024, 1280, 2560])
@pytest.mark.parametrize("path", ["/", f"/incident/{PORCH}-{59:016x}"])
def test_nothing_is_wider_than_the_window(hub: Hub, browser: Browser, width_px: int, path: str) -> None:
    browser.size(width_px, 800)
    browser.open(hub.address + path)
    assert browser.ask("document.documentElement.scrollWidth") == width_px


def test_without_scripts_everything_is_there(hub: Hub, browser: Browser) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.call("Page.navigate", url=hub.address)
    browser.wait("document.querySelectorAll('.card').length === 24 && document.readyState === 'complete'")
    assert "UTC" in str(browser.ask("document.querySelector('.card time').textContent"))
    browser.ask("document.querySelector('button[value=night]').click()")
    browser.wait("document.querySelector('.modes__wait') && document.querySelector('[data-older]')")
    browser.ask("document.querySelector('[data-older]').click()")
    browser.wait("location.search.includes('before=') && document.querySelectorAll('.card').length === 24")


def test_the_browser_has_nothing_to_complain_of(hub: Hub, browser: Browser) -> None:
    hub.source.pictures = dict.fromkeys((one.id for one in hub.source.shown), b"")
    browser.open("about:blank")  # what the page before still asked for is answered, or given up
    browser.problems.clear()
    browser.open(hub.address)
    browser.wait("document.querySelector('[data-pulse]').textContent === 'Live'")
    hub.sees(100, has_thumbnail=False)
    browser.wait(f"{NEWEST} === {key(100)}")
    assert browser.problems == []


def test_a_tab_from_before_an_upgrade_is_refused_once_and_told_to_load_itself_again(hub: Hub, browser: Browser) -> None:
    pulse = "document.querySelector('[data-pulse]').textContent"
    again = "document.dispatchEvent(new Event('visibilitychange'))"
    hub.ends()
    hub.begins("newer")
    browser.wait(f"{pulse} === 'Signed out: load this page to sign in'")
    signed_in = f"""fetch('/login', {{
        method: 'POST', body: new URLSearchParams({{csrf: '', passphrase: '{PASSPHRASE}'}})
    }}).then((answer) => answer.ok)"""
    assert browser.ask(signed_in), "in another tab, say"
    browser.ask("document.querySelector('.tile button[value=home]').click()")
    browser.wait("document.querySelector('.modes__failed')")
    assert "Load it again" in str(browser.ask("document.querySelector('.modes__failed').textContent"))
    browser.ask(again)
    browser.wait(f"{pulse} === 'The hub was upgraded: load this page again'")
    browser.open(hub.address)
    browser.wait(f"{pulse} === 'Live'")
    browser.ask("document.querySelector('.tile button[value=home]').click()")
    browser.wait("document.querySelector('.tile button[value=home][data-waiting]')")
