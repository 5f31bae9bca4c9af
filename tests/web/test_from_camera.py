"""From a camera to the player: real footage is recorded, sealed, sent, kept, fetched and watched in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.home.conftest import RunningHome, home, walkers
from tests.unit.hub.console_client import PASSPHRASE
from tests.web.browser import browsing, chromium
from tests.web.conftest import fill
from tests.web.test_player import SEEK, VIDEO

__all__ = ["home", "walkers"]  # fixtures


def test_what_a_camera_recorded_is_fetched_and_watched(home: RunningHome, walkers: Path) -> None:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    home.start(walkers, once=False, extra='[clips]\nrecord = true\nsend = "never"\npost_roll_s = 2\n')
    home.until_events(4)
    with browsing(program) as browser:
        browser.size(1280, 1000)
        browser.open(home.console)
        fill(browser, new=PASSPHRASE, again=PASSPHRASE)
        browser.wait("document.querySelector('.card a')")
        browser.ask("document.querySelector('.card a').click()")
        browser.wait("document.querySelector('.clips__one--camera button')")
        browser.ask("document.querySelector('.clips__one--camera button').click()")
        browser.wait("document.querySelector('.clips__one--here a')")  # by itself, as it comes
        browser.ask("document.querySelector('.clips__one--here a').click()")
        browser.wait(f"document.querySelector('[data-player]')?.dataset.ready && {VIDEO}.readyState >= 2")
        browser.ask(f"{SEEK}({VIDEO}.duration / 2)")
        assert browser.ask(f"[{VIDEO}.videoWidth, {VIDEO}.videoHeight]") == [768, 576]
        marks = browser.ask("[...document.querySelectorAll('.mark__to')].map(one => Number(one.dataset.to))")
        length = browser.ask(f"{VIDEO}.duration")
        assert isinstance(marks, list)
        assert isinstance(length, int | float)
        assert marks
        assert all(0 <= at <= length for at in marks)
        assert browser.problems == []
