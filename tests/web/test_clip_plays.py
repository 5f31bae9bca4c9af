"""What the recorder writes plays in a real browser: as a file, and by Media Source Extensions, with seeking."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from sealcam.board.protocols import Frame
from sealcam.cli import main
from sealcam.sight.types import Stage
from sealcam.wire.keys import BoxKey
from tests import footage
from tests.films import film, frames, report, shown, video
from tests.recording import Rig, incident
from tests.web.browser import Browser, browsing, chromium

HUB = str(Path(sys.executable).with_name("sealcam-hub"))
SEEK = """(async (at_s) => {
    const video = document.querySelector('video');
    await new Promise((done, fail) => {
        video.onseeked = done;
        video.onerror = () => fail(new Error(video.error.message));
        video.currentTime = at_s;
    });
})"""
SHOWN = """(() => {
    const video = document.querySelector('video');
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0);
    const pixels = context.getImageData(0, 10, canvas.width, 1).data;
    let place = 0;
    for (let x = 0; x < canvas.width; x++) if (pixels[4 * x] > pixels[4 * place]) place = x;
    return place;
})()"""
BY_FILE = """(async () => {
    const video = document.body.appendChild(document.createElement('video'));
    video.muted = true;
    video.src = URL.createObjectURL(await (await fetch('clip.mp4')).blob());
    await new Promise((done, fail) => { video.onloadeddata = done; video.onerror = () => fail(video.error); });
    return [video.duration, video.videoWidth, video.videoHeight];
})()"""
BY_SOURCE = """(async (type, parts) => {
    const video = document.body.appendChild(document.createElement('video'));
    video.muted = true;
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await new Promise((done) => { source.onsourceopen = done; });
    const buffer = source.addSourceBuffer(type);
    const whole = await (await fetch('clip.mp4')).arrayBuffer();
    for (const [from, to] of parts) {
        buffer.appendBuffer(whole.slice(from, to));
        await new Promise((done, fail) => { buffer.onupdateend = done; buffer.onerror = fail; });
    }
    source.endOfStream();
    const span = buffer.buffered;
    return [video.duration, span.length, span.start(0), span.end(0)];
})"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def browser() -> Iterator[Browser]:
    program = chromium()
    if program is None:
        pytest.skip("no Chromium here (apt-get install chromium)")
    with browsing(program) as made:
        yield made


def bars(seconds: float) -> Iterator[Frame]:
    """A light bar that goes two pixels to the right from one picture to the next."""
    for index, one in enumerate(frames(seconds, size=(320, 240))):
        y = np.full(one.y.shape, 40, np.uint8)
        y[:, 2 * index : 2 * index + 2] = 235
        yield replace(one, y=y)


@pytest.fixture
def clip(tmp_path: Path) -> bytes:
    """Fifteen seconds that were recorded, opened again."""
    rig = Rig(tmp_path / "clips")
    film(rig.recorder, bars(15), incident(2, 100))
    (one,) = rig.recorder.stop([report(Stage.END, 14.9, 2)])
    return video(rig.file(one))


@pytest.fixture
def served(tmp_path: Path, clip: bytes) -> Iterator[str]:
    with serving(tmp_path / "web", clip) as address:
        yield address


@contextmanager
def serving(folder: Path, content: bytes) -> Iterator[str]:
    """A page without anything, and a clip beside it."""
    folder.mkdir()
    (folder / "clip.mp4").write_bytes(content)
    (folder / "index.html").write_text('<!doctype html><link rel=icon href="data:,"><title>clip</title>')
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def fragments(mp4: bytes) -> list[tuple[int, int]]:
    """Where the beginning and each fragment stand, the index left out."""
    found, at, begins = [], 0, 0
    while at < len(mp4):
        size, kind = int.from_bytes(mp4[at : at + 4], "big"), mp4[at + 4 : at + 8]
        at += size
        if kind in (b"moov", b"mdat"):
            found.append((begins, at))
            begins = at
    return found


def look(browser: Browser) -> None:
    """Five places, in no order: each shows the picture that was taken then."""
    for at_s in (7.25, 0.05, 14.85, 3.05, 11.95):
        browser.ask(f"{SEEK}({at_s})")
        browser.wait(f"Math.abs({SHOWN} - {2 * int(at_s * 10)}) <= 2")


def test_a_browser_plays_and_seeks_it_as_a_file(browser: Browser, served: str) -> None:
    browser.open(served)
    assert browser.ask(BY_FILE) == [15, 320, 240]
    look(browser)
    assert browser.problems == []


def test_a_browser_takes_it_fragment_by_fragment(browser: Browser, served: str, clip: bytes) -> None:
    browser.open(served)
    record = clip[clip.index(b"avcC") + 5 :][:3]
    type_ = f'video/mp4; codecs="avc1.{record.hex()}"'
    assert browser.ask(f"{BY_SOURCE}({type_!r}, {[list(part) for part in fragments(clip)]})") == [15, 1, 0, 15]
    look(browser)
    assert browser.problems == []


def test_the_porch_as_the_commands_record_and_open_it_plays(browser: Browser, tmp_path: Path) -> None:
    owner, folder = BoxKey(b"o" * 32), tmp_path / "clips"
    assert main(["record", str(footage.porch()), "--to", str(folder), "--recipient", owner.public.hex()]) == 0
    (sealed,) = folder.glob("*.scl1")
    (tmp_path / "secret").write_text(owner.secret.hex())
    out = tmp_path / "out.mp4"
    keys = ["--key", str(tmp_path / "secret"), "--signer", str(folder / "signer.pub")]
    subprocess.run([HUB, "clip", "open", str(sealed), "-o", str(out), *keys], check=True)
    played = shown(out.read_bytes())
    with serving(tmp_path / "web", out.read_bytes()) as address:
        browser.open(address)
        length_s = played.duration_us / 1e6
        assert browser.ask(BY_FILE) == [pytest.approx(length_s, abs=1e-3), *played.size]
        for at_s in (0.7 * length_s, 0.1, length_s / 2):
            browser.ask(f"{SEEK}({at_s})")
            browser.wait(f"document.querySelector('video').readyState >= 2 && {SHOWN} >= 0")
        assert browser.problems == []
