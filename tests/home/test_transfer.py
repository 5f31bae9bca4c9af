"""Clips on their way to the hub's vault by themselves: every part a process of its own, on real footage."""

from __future__ import annotations

import contextlib
from pathlib import Path

import av

from sealcam.wire.clip_format import SCL1
from tests import footage
from tests.films import shown
from tests.home.conftest import RunningHome
from tests.waiting import eventually

CLIPS = '[clips]\nrecord = true\npost_roll_s = 1.0\nlongest_s = 10.0\nsend = "all"\n'
SEGMENT_BYTES = SCL1.segment_bytes
LONG_S = 120.0  # for a machine that is busy with other things


def test_clips_lie_in_the_vault_byte_for_byte_and_open_there(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=False, extra=CLIPS)

    def files(part: str) -> dict[str, Path]:
        return {path.name: path for path in (home.folder / part).rglob("*.scl1")}

    eventually(lambda: len(files("hub")) >= 2, LONG_S, "two clips in the vault")
    camera, vault = files("camera"), files("hub")
    assert vault.keys() <= camera.keys()
    for name, path in vault.items():
        assert path.read_bytes() == camera[name].read_bytes()
    largest = max(vault.values(), key=lambda path: path.stat().st_size)
    assert home.hub("clip", "verify", str(largest)).startswith("complete: ")
    out = home.folder / "out.mp4"
    home.hub("clip", "open", str(largest), "-o", str(out))
    assert shown(out.read_bytes()).size == (768, 576)


def test_an_eye_and_a_post_that_start_again_send_the_rest_and_nothing_twice(home: RunningHome, walkers: Path) -> None:
    home.start(walkers, once=False, extra=CLIPS)

    def whole() -> set[str]:
        return {path.stem for path in (home.folder / "hub").rglob("*.scl1")}

    eventually(lambda: whole(), LONG_S, "a clip in the vault")
    first = whole()
    for name in ("post", "eye"):
        home.kill(name)
        home.restart(name)
    eventually(lambda: len(whole() - first) >= 2, LONG_S, "further clips")
    left = {path.stem for path in (home.folder / "camera").rglob("*.scl1")}
    eventually(lambda: left <= whole(), LONG_S, "all that had ended")


def test_a_threats_first_segments_are_at_the_hub_while_it_is_still_recorded(home: RunningHome, walkers: Path) -> None:
    """Who takes the camera along takes the last seconds, not the minutes before."""
    home.start(footage.vtest(), once=False, extra="[clips]\nrecord = true\nbytes_per_s = 375000\n")

    def there() -> list[Path]:
        return [path for path in (home.folder / "hub" / "clips").glob("*.part") if path.stat().st_size > SEGMENT_BYTES]

    eventually(there, LONG_S, "a segment of a clip that is being recorded")
    (coming,) = there()
    (running,) = (home.folder / "camera").rglob(coming.name)
    home.kill("eye")
    held = coming.read_bytes()
    assert running.read_bytes()[: len(held)] == held
    assert home.hub("clip", "verify", str(coming)).startswith("cut: 16 chunks, 16 chunks signed")
    out = home.folder / "out.mp4"
    home.hub("clip", "open", coming.stem, "-o", str(out))
    pictures = 0
    with av.open(str(out)) as video, contextlib.suppress(av.error.InvalidDataError):  # the last one is cut
        for _ in video.decode(video=0):
            pictures += 1
    assert pictures > 10
