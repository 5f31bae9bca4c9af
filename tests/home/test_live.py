"""Live view through a whole home while it records: what comes out of the console can be played, picture by picture."""

from __future__ import annotations

import io
import struct
from itertools import islice, pairwise
from pathlib import Path

import av

from sealcam_provision import bench_live
from tests.home.conftest import RunningHome
from tests.waiting import eventually

BEGINNING, KEYFRAME, PICTURES = 1, 2, 3


def test_what_the_console_shows_is_the_cameras_picture_at_its_time_while_a_clip_is_recorded(
    home: RunningHome, walkers: Path
) -> None:
    home.start(walkers, once=False, extra="[clips]\nrecord = true\n")
    home.until_events(1)
    door = bench_live.sign_in(home.console)
    at = door.connect()
    try:
        shown = (block for block in bench_live._blocks(door.look(at)) if block[0] in (BEGINNING, KEYFRAME, PICTURES))
        blocks = list(islice(shown, 60))
    finally:
        at.close()
    assert [kind for kind, _, _ in blocks[:2]] == [BEGINNING, KEYFRAME]
    _, media, start = blocks[0][2][:4], *blocks[0][2][4:].split(b"\0", 1)
    assert media.startswith(b'video/mp4; codecs="avc1.')
    (number,) = struct.unpack(">I", blocks[0][2][:4])
    assert all(struct.unpack(">I", data[:4]) == (number,) for kind, _, data in blocks if kind == BEGINNING)
    pictures = [(seen_ms, data) for kind, seen_ms, data in blocks if kind != BEGINNING]
    with av.open(io.BytesIO(start + b"".join(data for _, data in pictures)), format="mp4") as container:
        played = list(container.decode(video=0))
    assert (played[0].width, played[0].height) == (768, 576)
    times_ms = [float(one.pts * one.time_base * 1000) for one in played]
    assert len(times_ms) == len(pictures)
    assert all(abs(time - seen) <= 0.001 for time, (seen, _) in zip(times_ms, pictures, strict=True))
    assert all(later > earlier for earlier, later in pairwise(times_ms))
    assert len({bytes(one.planes[0])[:100_000] for one in played}) > 20, "and it moves"
    eventually(lambda: "live-ended" in home.hub("events", "--json"), 60.0, "the end")
