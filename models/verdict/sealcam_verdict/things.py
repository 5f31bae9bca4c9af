"""Conditions made by things: wind that shakes the camera, rain, snow, insects near the lens.

See design/sight.md, made conditions, for what each means and how strong it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Plane
from sealcam_verdict.planes import levels, plane, remade, scale, timed, with_luma

# Fractions of a pixel in OpenCV's drawing: coordinates are multiples of 1 / 2 ** SHIFT.
SHIFT = 4
# Rain leans by at most so many radians, and brightens what it covers by so many levels.
LEAN, RAIN_LEAST, RAIN_MOST = 0.3, 30.0, 60.0
SNOW_LEVEL, SNOW_COVER = 235.0, 0.8
# Insects dart about for so many of so many seconds, and change their direction so often a second.
SWARM_S, SWARM_EVERY_S, TURNS_PER_S, INSECT_BRIGHTER = 2.0, 4.0, 4.0, 110.0
COARSE = 4


def shaken(frames: Iterable[Frame], random: np.random.Generator, most_px: float) -> Iterator[Frame]:
    """Every frame is shifted by up to `most_px` both ways, its edges repeated."""
    for frame in frames:
        x, y = random.uniform(-1, 1, 2) * most_px * scale(frame)
        yield remade(frame, _shifted(frame.y, x, y), _shifted(frame.u, x / 2, y / 2), _shifted(frame.v, x / 2, y / 2))


def rained(frames: Iterable[Frame], random: np.random.Generator, streaks: int) -> Iterator[Frame]:
    """So many bright streaks in every frame, in new places, all leaning alike."""
    lean = random.uniform(-LEAN, LEAN)
    for frame in frames:
        unit = scale(frame)
        tops = random.uniform((0, -36 * unit), (frame.width, frame.height), (streaks, 2))
        lengths = random.uniform(12, 36, streaks) * unit
        bright = random.uniform(RAIN_LEAST, RAIN_MOST, streaks)
        ends = tops + np.stack([lengths * math.sin(lean), lengths * math.cos(lean)], axis=1)
        layer = np.zeros(frame.y.shape, np.uint8)
        for a, b, level in zip(_points(tops), _points(ends), bright, strict=True):
            cv2.line(layer, a, b, round(level), 1, cv2.LINE_AA, SHIFT)
        yield with_luma(frame, plane(levels(frame.y) + layer))


def snowed(frames: Iterable[Frame], random: np.random.Generator, flakes: int) -> Iterator[Frame]:
    """So many flakes fall and sway; what leaves below comes again above."""
    place = random.uniform(0, 1, (flakes, 2))
    fall, sway = random.uniform(60, 200, flakes), random.uniform(5, 25, flakes)
    phase, size = random.uniform(0, 2 * math.pi, flakes), random.uniform(2, 7, flakes)
    for seconds, frame in timed(frames):
        unit = scale(frame)
        room = np.array([frame.width, frame.height + 14 * unit])
        way = np.stack([sway * np.sin(phase + 3 * seconds), fall * seconds], axis=1) * unit
        spots = (place * room + way) % room - (0, 7 * unit)
        cover = np.zeros(frame.y.shape, np.uint8)
        for spot, width in zip(_points(spots), size * unit, strict=True):
            cv2.circle(cover, spot, max(1, round(width / 2 * 2**SHIFT)), 255, cv2.FILLED, cv2.LINE_AA, SHIFT)
        share = levels(cover) * np.float32(SNOW_COVER / 255)
        yield with_luma(frame, plane(levels(frame.y) * (1 - share) + np.float32(SNOW_LEVEL) * share))


def swarmed(frames: Iterable[Frame], random: np.random.Generator, count: int, width_px: float) -> Iterator[Frame]:
    """Blurred bright blobs dart about near the lens, for 2 s of every 4 s."""
    insects = [_Insect(random) for _ in range(count)]
    last_s = 0.0
    for seconds, frame in timed(frames):
        for insect in insects:
            insect.fly(seconds - last_s)
        last_s = seconds
        if seconds % SWARM_EVERY_S >= SWARM_S:
            yield with_luma(frame, frame.y.copy())
            continue
        soft = _blobs(frame, [(insect.x, insect.y) for insect in insects], width_px * scale(frame) / 2)
        yield with_luma(frame, plane(levels(frame.y) + levels(soft) * np.float32(INSECT_BRIGHTER / 255)))


def _blobs(frame: Frame, places: list[tuple[float, float]], radius: float) -> Plane:
    """Soft discs at these shares of the picture, drawn at a quarter of its size, since nothing in them is sharp."""
    small = max(1, frame.width // COARSE), max(1, frame.height // COARSE)
    layer = np.zeros((small[1], small[0]), np.uint8)
    for centre in _points(np.array(places) * small):
        cv2.circle(layer, centre, max(1, round(radius * 0.7 / COARSE * 2**SHIFT)), 255, cv2.FILLED, cv2.LINE_AA, SHIFT)
    soft = cv2.GaussianBlur(layer, (0, 0), max(0.8, radius * 0.35 / COARSE))
    return np.asarray(cv2.resize(soft, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


class _Insect:
    """One insect: where it is, as shares of the picture, and where it flies."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self.x, self.y = (float(share) for share in random.uniform(0, 1, 2))
        self._turn()

    def fly(self, seconds: float) -> None:
        """Go on for so long, at the picture's edges back."""
        if self._random.uniform() < TURNS_PER_S * seconds:
            self._turn()
        self.x, self.y = _folded(self.x + self._dx * seconds), _folded(self.y + self._dy * seconds)

    def _turn(self) -> None:
        angle, speed_px = self._random.uniform(0, 2 * math.pi), self._random.uniform(300, 900)
        # Of a picture of 1024 by 576, as shares.
        self._dx, self._dy = speed_px * math.cos(angle) / 1024, speed_px * math.sin(angle) / 576


def _folded(share: float) -> float:
    """Back from the edges, 0 to 1."""
    rest = share % 2
    return 2 - rest if rest > 1 else rest


def _shifted(part: Plane, x: float, y: float) -> Plane:
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = (part.shape[1], part.shape[0])
    moved = cv2.warpAffine(part, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.uint8)


def _points(places: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Places (count, 2) as OpenCV draws them, in fractions of a pixel."""
    return [(x, y) for x, y in np.rint(places * 2**SHIFT).astype(int).tolist()]
