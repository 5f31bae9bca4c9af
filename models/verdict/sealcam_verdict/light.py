"""Conditions made of light: noise, gain, lamps, clouds, headlights, the infrared filter.

See design/sight.md, made conditions, for what each means and how strong it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Plane
from sealcam_verdict.planes import BLACK, COLOURLESS, Levels, levels, plane, remade, scale, timed, with_luma

CLOUD_S = 16.0
SWEEP_EVERY_S, SWEEP_S, SPOT_SIGMA_PX = 6.0, 2.0, 90.0
# Infrared: tones below this reflect more; the picture's corners get this part of the lamp's light; dim at the edges.
DARK_TONE, CORNER = 110.0, 0.6


@dataclass(frozen=True, slots=True)
class Switch:
    """How an infrared filter switches: `turn` is k in t + k (110 - t); then black, then too much light that settles."""

    turn: float
    black_s: float
    overshoot: float
    settle_s: float


def noisy(frames: Iterable[Frame], random: np.random.Generator, sigma: float) -> Iterator[Frame]:
    """Gaussian noise of `sigma` levels, anew for every pixel and frame; half of it on colour."""
    luma, colour = _grain(sigma), _grain(sigma / 2)

    def grained(part: Plane, grain: NDArray[np.int16]) -> Plane:
        noise = grain[random.integers(0, 1 << 16, part.shape, dtype=np.uint16)]
        return np.asarray(np.clip(part.astype(np.int16) + noise, 0, 255), dtype=np.uint8)

    for frame in frames:
        yield remade(frame, grained(frame.y, luma), grained(frame.u, colour), grained(frame.v, colour))


def dimmed(frames: Iterable[Frame], gain: float) -> Iterator[Frame]:
    """All light times `gain`, colour too."""
    for frame in frames:
        yield _lit(frame, gain)


def stepped(frames: Iterable[Frame], random: np.random.Generator, part: float) -> Iterator[Frame]:
    """A lamp goes off and on, from one frame to the next, every 2 to 6 s; off, there is less light by `part`."""
    off, until_s = False, random.uniform(2, 6)
    for seconds, frame in timed(frames):
        while seconds >= until_s:
            off, until_s = not off, until_s + random.uniform(2, 6)
        yield _lit(frame, 1 - part if off else 1.0)


def drifting(frames: Iterable[Frame], part: float) -> Iterator[Frame]:
    """The light goes down by `part` and comes back, in 16 s, again and again."""
    for seconds, frame in timed(frames):
        yield _lit(frame, 1 - part * (1 - math.cos(2 * math.pi * seconds / CLOUD_S)) / 2)


def swept(frames: Iterable[Frame], random: np.random.Generator, peak: float) -> Iterator[Frame]:
    """Every 6 s a pool of light crosses the picture in 2 s, to either side; bright things return more of it."""
    leaps: dict[int, tuple[bool, float]] = {}
    for seconds, frame in timed(frames):
        number, phase_s = divmod(seconds, SWEEP_EVERY_S)
        rightward, height = leaps.setdefault(int(number), (bool(random.integers(2)), random.uniform(0.4, 0.8)))
        share = phase_s / SWEEP_S
        if share >= 1:
            yield with_luma(frame, frame.y.copy())
            continue
        sigma = SPOT_SIGMA_PX * scale(frame)
        across = frame.width + 6 * sigma
        x = share * across - 3 * sigma if rightward else frame.width + 3 * sigma - share * across
        spot = _spot(frame, x, height * frame.height, sigma)
        luma = levels(frame.y)
        yield with_luma(frame, plane(luma + np.float32(peak) * spot * (np.float32(0.4) + luma / np.float32(425))))


def infrared(frames: Iterable[Frame], random: np.random.Generator, switch: Switch) -> Iterator[Frame]:
    """The filter switches after 1.5 to 3 s, then every 6 to 10 s, between day and infrared; the exposure settles."""
    night, at_s, next_s = False, -math.inf, random.uniform(1.5, 3)
    for seconds, frame in timed(frames):
        while seconds >= next_s:
            night, at_s, next_s = not night, next_s, next_s + random.uniform(6, 10)
        since_s = seconds - at_s
        if since_s < switch.black_s:
            yield _lit(frame, 0.0)
            continue
        gain = 1 + (switch.overshoot - 1) * math.exp(-(since_s - switch.black_s) / switch.settle_s)
        yield _lit(_by_infrared(frame, switch.turn) if night else frame, gain)


@cache
def _grain(sigma: float) -> NDArray[np.int16]:
    """The quantiles of a normal distribution in whole levels: drawing one of them is six times faster than a normal."""
    normal = NormalDist(0.0, sigma)
    values = [round(normal.inv_cdf((place + 0.5) / (1 << 16))) for place in range(1 << 16)]
    return np.array(values, np.int16)


def _by_infrared(frame: Frame, turn: float) -> Frame:
    luma = levels(frame.y)
    luma += np.float32(turn) * np.maximum(np.float32(0), np.float32(DARK_TONE) - luma)
    reach = math.hypot(frame.width, frame.height) / 2
    fall = 1 - np.float32(1 - CORNER) * (_away(frame, frame.width / 2, frame.height / 2) / np.float32(reach**2))
    grey = np.full_like(frame.u, round(COLOURLESS))
    return remade(frame, plane(np.float32(BLACK) + (luma - np.float32(BLACK)) * fall), grey, grey.copy())


def _lit(frame: Frame, gain: float) -> Frame:
    """All light times `gain`: luma above black, colour away from colourless."""

    def times(part: Plane, rest: float) -> Plane:
        ramp = np.arange(256, dtype=np.float32)
        table = plane(np.float32(rest) + (ramp - np.float32(rest)) * np.float32(gain))
        return np.asarray(table[part], dtype=np.uint8)

    return remade(frame, times(frame.y, BLACK), times(frame.u, COLOURLESS), times(frame.v, COLOURLESS))


def _away(frame: Frame, x: float, y: float) -> Levels:
    """Every pixel's squared distance from a point, in pixels."""
    columns = (np.arange(frame.width, dtype=np.float32) - np.float32(x)) ** 2
    rows = (np.arange(frame.height, dtype=np.float32) - np.float32(y)) ** 2
    return np.asarray(rows[:, None] + columns[None, :], dtype=np.float32)


def _spot(frame: Frame, x: float, y: float, sigma: float) -> NDArray[np.float32]:
    """A pool of light: 1 at its middle."""
    return np.asarray(np.exp(_away(frame, x, y) / np.float32(-2 * sigma**2)), dtype=np.float32)
