"""Pictures of pages for whoever wants to look: phone and desk, by day and by night (`SEALCAM_SCREENSHOTS=DIR`)."""

from __future__ import annotations

import os
from pathlib import Path

from tests.web.browser import Browser

SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
SCHEMES = ("light", "dark")
# What changes colour does so by and by: here it is done.
SETTLED = "document.getAnimations().forEach((one) => { try { one.finish(); } catch { one.cancel(); } })"


def wanted() -> Path | None:
    """Where pictures are kept, if anybody wants them."""
    folder = os.environ.get("SEALCAM_SCREENSHOTS")
    if not folder:
        return None
    Path(folder).mkdir(parents=True, exist_ok=True)
    return Path(folder)


def shot(browser: Browser, name: str) -> None:
    """The page that is shown, whole: nothing runs over its edge. The window is left a desktop's, by day."""
    folder = wanted()
    for size, (width, height) in SIZES.items():
        browser.size(width, height)
        for scheme in SCHEMES:
            browser.prefer(scheme)
            browser.ask(SETTLED)
            assert browser.ask("document.documentElement.scrollWidth") == width, f"{name} is too wide for {width} px"
            if folder is not None:
                (folder / f"{name}-{size}-{scheme}.png").write_bytes(browser.picture(whole=True))
    browser.prefer("light")


def window(browser: Browser, name: str) -> None:
    """What the window shows at this moment."""
    folder = wanted()
    if folder is not None:
        (folder / f"{name}.png").write_bytes(browser.picture())
