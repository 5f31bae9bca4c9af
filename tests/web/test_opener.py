"""The opener's page in a real browser: a shared clip is played or saved; what must not open leaves nothing."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from sealcam_hub.recipient import key_name, load_key
from tests.shared import ISSUED_NS, PURPOSE, Shared, share
from tests.waiting import eventually
from tests.web.browser import Browser, browsing, chromium
from tests.web.conftest import Hub

CLI = Path(__file__).resolve().parents[2] / "hub" / "opener" / "cli.mjs"
FIELDS = ("clip", "bundle", "key")
PROBLEM = "!document.querySelector('[data-problem]').hidden"
FACTS = "!document.querySelector('[data-facts]').hidden"
PLAYS = "document.querySelector('video').readyState >= 2"
NOTHING_KEPT = "[...document.querySelectorAll('[data-facts], [data-player]')].every(one => one.hidden)"


@pytest.fixture
def stranger() -> Iterator[Browser]:
    """A browser that never signed in anywhere."""
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with browsing(program) as made:
        made.size(1000, 1200)
        yield made


def moving(frames: int = 30) -> bytes:
    """A fragmented MP4 as a camera writes it: a light bar that moves."""
    file = io.BytesIO()
    with av.open(file, "w", "mp4", options={"movflags": "frag_keyframe+empty_moov+default_base_moof"}) as container:
        stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(frames):
            picture = np.full((240, 320, 3), 40, np.uint8)
            picture[:, 8 * number : 8 * number + 40] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def choose(browser: Browser, name: str, path: Path) -> None:
    """Choose a file, as a person does in the browser's dialogue."""
    answer = browser.call("Runtime.evaluate", expression=f"document.querySelector('input[name={name}]')")
    result = answer["result"]
    assert isinstance(result, dict)
    browser.call("DOM.setFileInputFiles", files=[str(path)], objectId=result["objectId"])


def check(browser: Browser, shared: Shared) -> None:
    """Choose the three files, type the fingerprint in groups, press the button."""
    for name, path in zip(FIELDS, (shared.clip, shared.bundle, shared.key), strict=True):
        choose(browser, name, path)
    typed = " ".join(shared.root[at : at + 4] for at in range(0, 64, 4))
    browser.ask(f"document.querySelector('textarea').value = '{typed}'")
    browser.ask("document.querySelector('button[type=submit]').click()")


def text(browser: Browser, name: str) -> object:
    return browser.ask(f"document.querySelector('[data-{name}]').textContent")


def workers(browser: Browser) -> int:
    """How many run."""
    targets = browser.call("Target.getTargets")["targetInfos"]
    assert isinstance(targets, list)
    return sum(one["type"] == "worker" for one in targets)


def open_page(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.wait("'ready' in document.documentElement.dataset")


def test_a_shared_clip_is_shown_and_played_by_a_worker(hub: Hub, stranger: Browser, tmp_path: Path) -> None:
    shared = share(tmp_path, moving())
    open_page(stranger, f"{hub.address}/open")
    check(stranger, shared)
    stranger.wait(f"({FACTS}) || ({PROBLEM})")
    assert stranger.ask(FACTS), text(stranger, "problem-text")
    assert text(stranger, "purpose") == PURPOSE  # as text, whatever is in it
    assert str(text(stranger, "root")).replace(" ", "") == shared.root
    assert text(stranger, "what") == "A whole clip"
    assert str(text(stranger, "words")).startswith("Complete")
    stranger.ask("document.querySelector('[data-play]').click()")
    stranger.wait(PLAYS)
    assert stranger.ask("document.querySelector('video').videoWidth") == 320
    loaded = stranger.ask("performance.getEntriesByType('resource').map(one => one.name).join()")
    assert "libsodium" not in str(loaded)  # the cryptography is in the worker alone
    assert "/opener/worker.mjs" in str(loaded)
    assert workers(stranger) == 1
    assert stranger.problems == []


def test_what_it_opens_is_the_content_bit_by_bit(hub: Hub, stranger: Browser, tmp_path: Path) -> None:
    plain = bytes(range(256)) * 5000  # two segments
    open_page(stranger, f"{hub.address}/open")
    check(stranger, share(tmp_path, plain))
    stranger.wait(FACTS)
    folder = tmp_path / "saved"
    folder.mkdir()
    stranger.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    stranger.ask("document.querySelector('[data-save]').click()")
    stranger.wait("document.querySelector('[data-working]').hidden")
    saved = folder / "clip.mp4"
    eventually(lambda: saved.exists() and saved.stat().st_size == len(plain), 20, "the clip was saved")
    assert saved.read_bytes() == plain


def test_an_expired_grant_is_refused_and_nothing_is_kept(hub: Hub, stranger: Browser, tmp_path: Path) -> None:
    open_page(stranger, f"{hub.address}/open")
    check(stranger, share(tmp_path, moving(), expires_ns=ISSUED_NS + 1))
    stranger.wait(PROBLEM)
    assert str(text(stranger, "problem-text")).startswith("Refused")
    assert stranger.ask(NOTHING_KEPT)
    assert stranger.ask("document.querySelector('video').hasAttribute('src')") is False
    assert workers(stranger) == 0


def test_a_grant_that_ends_while_it_is_shown_takes_the_clip_away(hub: Hub, stranger: Browser, tmp_path: Path) -> None:
    open_page(stranger, f"{hub.address}/open")
    check(stranger, share(tmp_path, moving()))
    stranger.wait(FACTS)
    stranger.ask("document.querySelector('[data-play]').click()")
    stranger.wait(PLAYS)
    stranger.ask("Date.now = () => Date.parse('2200-01-01')")
    stranger.wait(PROBLEM)
    assert stranger.ask(NOTHING_KEPT)
    assert stranger.ask("document.querySelector('video').hasAttribute('src')") is False


def test_a_key_is_made_in_the_browser_and_the_hub_knows_it(hub: Hub, stranger: Browser, tmp_path: Path) -> None:
    open_page(stranger, f"{hub.address}/open")
    stranger.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    stranger.ask("document.querySelector('details').open = true")
    stranger.ask("document.querySelector('[data-make]').click()")
    stranger.wait("document.querySelector('[data-made-public]').textContent")
    saved = tmp_path / "sealcam-recipient.key"
    eventually(saved.exists, 20, "the key was saved")
    key = load_key(saved)
    assert text(stranger, "made-public") == key.public.hex()
    assert text(stranger, "made-name") == key_name(key.public)


def test_a_wrong_file_says_what_to_do(hub: Hub, stranger: Browser, tmp_path: Path) -> None:
    shared = share(tmp_path, b"content")
    shared.key.write_text("not a key")
    open_page(stranger, f"{hub.address}/open")
    check(stranger, shared)
    stranger.wait(PROBLEM)
    assert text(stranger, "problem-text") == "this is no recipient's key"


@pytest.mark.parametrize("width_px", [320, 1280])
def test_the_page_fits_every_width(hub: Hub, stranger: Browser, tmp_path: Path, width_px: int) -> None:
    stranger.size(width_px, 900)
    open_page(stranger, f"{hub.address}/open")
    check(stranger, share(tmp_path, moving(), [0]))
    stranger.wait(FACTS)
    assert stranger.ask("document.documentElement.scrollWidth <= innerWidth")


def test_a_copy_on_any_server_works_the_same(stranger: Browser, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here (apt-get install nodejs)")
    with subprocess.Popen([node, str(CLI), "serve", "--port", "0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[1]
            open_page(stranger, address)
            check(stranger, share(tmp_path, moving()))
            stranger.wait(FACTS)
            assert stranger.problems == []
        finally:
            server.terminate()
