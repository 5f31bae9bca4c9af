"""A camera of its own in front of a real browser: half a minute of live view, and then the camera dies.

How old the pictures on the screen were goes to `build/web/live.txt`, with how that was taken; nothing asserts it.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from tests.home.conftest import RunningHome, home, walkers
from tests.unit.hub.console_client import PASSPHRASE
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import fill
from tests.web.shots import window
from tests.web.test_live_view import STALE, STATE, TEXT, VIDEO

__all__ = ["home", "walkers"]  # fixtures

SECONDS = 30
REPORT = Path(__file__).parents[2] / "build" / "web" / "live.txt"
# Of each picture: its time in the stream, and when the screen shows it, both in milliseconds.
NOTE = f"""(() => {{
    const video = {VIDEO};
    window.shown = [];
    const note = (_, frame) => {{
        window.shown.push([frame.mediaTime * 1000, performance.timeOrigin + frame.expectedDisplayTime]);
        video.requestVideoFrameCallback(note);
    }};
    video.requestVideoFrameCallback(note);
}})()"""


def test_half_a_minute_of_what_the_camera_sees_and_a_grey_picture_when_it_has_died(
    home: RunningHome, walkers: Path
) -> None:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    home.start(walkers, once=False, extra="[clips]\nrecord = true\n")
    home.until_events(1)
    with browsing(program) as browser:
        browser.size(1280, 900)
        browser.open(home.console)
        fill(browser, new=PASSPHRASE, again=PASSPHRASE)
        browser.wait("document.querySelector('a.tile__live')")
        browser.ask("document.querySelector('a.tile__live').click()")
        browser.wait(f"{STATE} === 'live'")
        browser.ask(NOTE)
        shown = pictures(browser)
        assert len(shown) > 2 * SECONDS, "a picture that moves"
        report(shown)
        home.kill("eye")
        browser.wait(STALE)
        assert str(browser.ask(TEXT.format("since"))).startswith("No new picture since ")
        assert "grayscale" in str(browser.ask(f"getComputedStyle({VIDEO}).filter"))
        window(browser, "camera-killed")
        home.restart("eye")
        browser.wait(f"{STATE} === 'live' && !({STALE})")
        assert browser.problems == []


def pictures(browser: Browser) -> list[tuple[float, float]]:
    """Those of half a minute, by the stream's own time: (when it was seen, when it was first shown), each by its clock.

    A player that stays close to now may leap, and then shows a picture a second time.
    """
    for second in range(5, SECONDS + 1, 5):
        browser.wait(f"shown.length && shown.at(-1)[0] - shown[0][0] >= {1000 * second}")
    found = browser.ask("shown")
    assert isinstance(found, list)
    first: dict[float, float] = {}
    for seen_ms, shown_ms in found:
        first.setdefault(seen_ms, shown_ms)
    return sorted(first.items())


def report(shown: list[tuple[float, float]]) -> None:
    """Keep how old they were. Camera, hub and browser are on one machine, and the stream's time is its boot clock."""
    ahead_ms = (time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)) / 1e6
    ages_ms = [at_ms - ahead_ms - seen_ms for seen_ms, at_ms in shown]
    assert all(age_ms > 0 for age_ms in ages_ms), "nothing is shown before it is seen"
    share = statistics.quantiles(ages_ms, n=100, method="inclusive")
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(
        f"live view, from capture to the browser's screen (768 x 576, 10 fps, encoded in software, camera, broker, hub "
        f"and Chromium on one machine, while the camera watches and records): {len(ages_ms)} pictures, "
        f"p50 {share[49]:.0f} ms, p95 {share[94]:.0f} ms, longest {max(ages_ms):.0f} ms\n"
    )
