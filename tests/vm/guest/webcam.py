"""In the machine: what its webcam offers, and for some wishes what is taken and comes. One JSON object."""

from __future__ import annotations

import json
from itertools import islice, pairwise

from sealcam.board.v4l2 import V4l2Camera
from sealcam.board.v4l2_offers import choose, offers

DEVICE = "/dev/video0"
WISHES = ((1280, 720, 10), (640, 480, 25), (1900, 1000, 2))


def come(width: int, height: int, fps: int) -> dict[str, object]:
    """The first three pictures for that wish."""
    chosen = choose(offers(DEVICE, width, height, fps), width, height, fps)
    assert chosen is not None
    with V4l2Camera(DEVICE, width, height, fps, stall_s=60.0) as camera:
        frames = list(islice(camera.frames(), 3))
    fine = [(one.width, one.height) for one in (frame.fine or frame for frame in frames)]
    rising = all(later.t_ns > before.t_ns for before, later in pairwise(frames))
    shades = [int(frame.y.max()) - int(frame.y.min()) for frame in frames]
    return {"taken": chosen.options, "sizes": sorted(set(fine)), "rising": rising, "shades": min(shades)}


found = offers(DEVICE, 1280, 720, 10)
listed = sorted({(one.format, one.width, one.height, str(one.rate)) for one in found})
print(json.dumps({"offers": listed, "came": [come(*wish) for wish in WISHES]}))
