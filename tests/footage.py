"""Real recordings for tests; one that isn't here skips the test that wants it, and says so."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

_TOP = Path(__file__).resolve().parents[1]
_DEBIAN = (_TOP / "build" / "footage", Path("/usr/share/doc/opencv-doc/examples/data"))
_SHARED = (_TOP.parent / "shared" / "footage",)


def _find(name: str, folders: tuple[Path, ...], hint: str) -> Path:
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"{name} is not here: {hint}")


def vtest() -> Path:
    """768 x 576, 10 fps, 79.5 s: walkers all the time, a parked van and car."""
    return _find("vtest.avi", _DEBIAN, "provisioning/footage.sh gets it")


def vtest_cut(path: Path, end_s: float) -> Path:
    """The first `end_s` seconds of vtest, its packets copied unchanged into a file of their own at `path`."""
    with av.open(str(vtest())) as source, av.open(str(path), "w") as container:
        video = source.streams.video[0]
        stream = container.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is None or packet.dts * packet.time_base >= end_s:
                break
            packet.stream = stream
            container.mux(packet)
    return path


def tree() -> Path:
    """320 x 240, 68 frames: a waving tree; in the last 15 a hand comes in."""
    return _find("tree.avi", _DEBIAN, "provisioning/footage.sh gets it")


def porch() -> Path:
    """1280 x 720, 60 frames in 5.9 s: a man at the door leaves at frame 41."""
    return _find("test2-cam-person1.mkv", _SHARED, "it lies beside the checkout, in ../shared/footage")


def cars() -> Path:
    """768 x 432, 12.5 fps, 30 s: three times cars pass, seen from above."""
    return _find("car-detection.mp4", _SHARED, "it lies beside the checkout, in ../shared/footage")
