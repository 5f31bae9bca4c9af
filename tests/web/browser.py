"""A headless Chromium driven through two pipes (its DevTools protocol), with the standard library alone.

What a test needs of a browser: open a page, look at it, press and click, ask it a question, take its picture.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from select import select
from time import monotonic

from tests.waiting import eventually

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE_S = 30.0
LEFT = "icon from the Manifest"  # is asked for late: a page that is left, or a console that ends, breaks that off
# Chromium reads commands from descriptor 3 and answers on 4, whatever numbers the pipes have here.
LAUNCH = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(pipe), fcntl.F_DUPFD, 10) for pipe in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def chromium() -> str | None:
    """Where there is a Chromium, if anywhere."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    """One tab. Every call waits for its answer; a question that stays unanswered is a `TimeoutError`."""

    def __init__(self, program: str, profile: Path) -> None:
        down_read, self._down = os.pipe()
        self._up, up_write = os.pipe()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                LAUNCH,
                str(down_read),
                str(up_write),
                program,
                *FLAGS,
                f"--user-data-dir={profile}",
            ],
            pass_fds=(down_read, up_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(down_read)
        os.close(up_write)
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.problems: list[str] = []

    def attach(self) -> None:
        """Open the tab."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = str(self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Log.enable")

    def call(self, method: str, **params: object) -> dict[str, object]:
        """One DevTools command, and its result."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._down, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result = answer["result"]
                assert isinstance(result, dict)
                return result
            self._note(answer)

    def _read(self) -> dict[str, object]:
        until = monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            if not select([self._up], [], [], max(0.0, until - monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self._up, 1 << 20)
            if not part:
                raise ConnectionError("the browser has gone")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        read = json.loads(line)
        assert isinstance(read, dict)
        return read

    def _note(self, event: dict[str, object]) -> None:
        if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
            said = json.dumps(event["params"])
            if LEFT not in said:
                self.problems.append(said)

    def open(self, url: str) -> None:
        """Load a page and wait until its scripts have run."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def ask(self, expression: str) -> object:
        """What a JavaScript expression is in the page; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        result = answer["result"]
        assert isinstance(result, dict)
        return result.get("value")

    def wait(self, expression: str, within_s: float = PATIENCE_S) -> None:
        """Wait until an expression is true in the page."""
        eventually(lambda: self._true(expression), within_s, expression)

    def _true(self, expression: str) -> bool:
        try:
            return self.ask(f"Boolean({expression})") is True
        except RuntimeError:  # the page is being exchanged for the next one
            return False

    def size(self, width_px: int, height_px: int, scale: float = 1.0) -> None:
        """Be a window of this many CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width_px,
            height=height_px,
            deviceScaleFactor=scale,
            mobile=width_px < 600,
        )

    def prefer(self, scheme: str) -> None:
        """Be set to `light` or `dark`."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, whole: bool = False) -> bytes:
        """What it looks like, as PNG; the whole page or the window."""
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(str(answer["data"]))

    def close(self) -> None:
        """End it and every process it started."""
        os.close(self._down)
        os.close(self._up)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextlib.contextmanager
def browsing(program: str) -> Iterator[Browser]:
    """A browser with a profile of its own, for as long as inside."""
    with tempfile.TemporaryDirectory(prefix="sealcam-web-", ignore_cleanup_errors=True) as profile:
        browser = Browser(program, Path(profile))
        try:
            browser.attach()
            yield browser
        finally:
            browser.close()
