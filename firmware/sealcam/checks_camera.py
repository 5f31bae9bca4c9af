"""The self-test's look through the camera: how fast it delivers, how sharp, how bright."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Camera, Frame
from sealcam.checks import Finding, Grade
from sealcam.clocks import Clock
from sealcam.wire.errors import HardwareError

FRAMES, SKIPPED = 30, 5  # exposure settles in the first ones
# Variance of the Laplacian over variance of the picture (Pech-Pacheco and others, 2000, calls the first LAPV), of the
# mean of the frames at 640 x 360, so that noise isn't taken for sharpness. Measured: walkers, tree, porch and cars as
# recorded 0.11 to 0.75; the same blurred by a Gaussian of 1 px 0.019 to 0.031, of 2 px 0.002 to 0.014.
SOFT, FOCUS_PX = 0.015, (640, 360)
FLAT = 60.0  # variance of the picture below which nothing can be said of focus: a wall, a covered lens, the night
DARK, BRIGHT = 20.0, 235.0
SLOW_SHARE = 0.8  # of the rate that was asked for
LATE_S = 2.0  # the first picture's budget, from opening; after a restart nobody watches for so long


def look(open_camera: Callable[[], Camera], fps: float, clock: Clock) -> list[Finding]:
    """Camera, focus and light, from a few seconds of pictures.

    Raises:
        HardwareError: the camera is missing, busy or delivers nothing.
        ClipError: a recording that isn't one.
    """
    begun_ns = clock.boot_ns()
    camera = open_camera()
    try:
        frames: list[Frame] = []
        for frame in itertools.islice(camera.frames(), FRAMES):
            if not frames:
                first_s = (clock.boot_ns() - begun_ns) / 1e9
            frames.append(frame)
    finally:
        camera.close()
    if len(frames) <= SKIPPED + 2:
        raise HardwareError(f"the camera gave {len(frames)} pictures and no more", "try again; is it a recording?")
    return [_rate(camera.name, frames, fps, first_s), *_seen(frames[SKIPPED:])]


def _rate(name: str, frames: list[Frame], fps: float, first_s: float) -> Finding:
    gaps_s = [(after.t_ns - before.t_ns) / 1e9 for before, after in itertools.pairwise(frames)]
    middle_s, longest_s = statistics.median(gaps_s), max(gaps_s)
    found = 1 / middle_s if middle_s > 0 else 0.0
    size = f"{frames[0].width} x {frames[0].height}"
    figures = {
        "fps": round(found, 1),
        "longest_gap_ms": round(1e3 * longest_s, 1),
        "first_picture_ms": round(1e3 * first_s),
        "width_px": frames[0].width,
        "height_px": frames[0].height,
    }
    words = f"{name}: {size}, {found:.1f} pictures a second, the first after {1e3 * first_s:.0f} ms"
    if found < SLOW_SHARE * fps:
        hint = "in the dark a sensor exposes for longer; else another program, or the USB port, may slow it down"
        return Finding("camera", Grade.WARNING, f"{words}; {fps:g} were asked for", hint, figures)
    if first_s > LATE_S:
        hint = "it is unwatched for so long after each start; end what else runs on it, and try again"
        return Finding("camera", Grade.WARNING, f"{words}, more than {LATE_S:g} s", hint, figures)
    return Finding("camera", Grade.GOOD, words, None, figures)


def _seen(frames: list[Frame]) -> list[Finding]:
    mean = _mean(frames)
    level, spread = float(mean.mean()), float(mean.var())
    figures = {"level": round(level, 1), "contrast": round(spread**0.5, 1)}
    if level < DARK:
        words, hint = f"it is dark ({level:.0f} of 255)", "switch a light on, or give it an infrared lamp"
        light = Finding("light", Grade.WARNING, words, hint, figures)
    elif level > BRIGHT:
        words, hint = f"it is blinded ({level:.0f} of 255)", "turn it away from the sun or the lamp"
        light = Finding("light", Grade.WARNING, words, hint, figures)
    else:
        light = Finding("light", Grade.GOOD, f"{level:.0f} of 255", None, figures)
    return [_focus(mean, spread), light]


def _focus(mean: NDArray[np.float32], spread: float) -> Finding:
    if spread < FLAT:
        hint = "point it at something with edges, in the light"
        return Finding("focus", Grade.WARNING, "nothing can be said: the picture has no contrast", hint)
    sharpness = float(cv2.Laplacian(mean, cv2.CV_32F).var()) / spread
    figures = {"sharpness": round(sharpness, 4)}
    if sharpness < SOFT:
        hint = "take the film off the lens, clean it, turn its focus ring"
        return Finding("focus", Grade.WARNING, f"the picture is soft (sharpness {sharpness:.3f})", hint, figures)
    return Finding("focus", Grade.GOOD, f"sharp (sharpness {sharpness:.2f})", None, figures)


def _mean(frames: list[Frame]) -> NDArray[np.float32]:
    """The mean of the frames' luma, float32 of 360 x 640."""
    total = np.zeros((FOCUS_PX[1], FOCUS_PX[0]), np.float32)
    for frame in frames:
        total += cv2.resize(np.asarray(frame.y), FOCUS_PX, interpolation=cv2.INTER_AREA)
    return total / np.float32(len(frames))
