"""The floor is what a cell must differ from the background to count: learnt for each camera, and for each cell of it.

It is the largest of: the least step of the settings; some times the sensor's noise at this brightness; what the place
usually flickers by (leaves, water, rain); a part of the background's contrast there (a camera that shakes). It
decides nothing; what counts is the gate's. See design/sight.md, gate.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.float32]

# Seconds in which noise and flicker are followed; noise faster while the light settles.
TAU_FLICKER_S, TAU_NOISE_S, TAU_SETTLING_S = 20.0, 3.0, 0.2
# A difference counts above so many times the noise (in levels of the frame-to-frame change; more than so much is no
# sensor's) and the place's own flicker, which adds at most so many levels.
NOISE_FACTOR, NOISE_MOST, FLICKER_FACTOR, FLICKER_MOST = 5.0, 8.0, 2.0, 20.0
# At an edge of the background a difference counts above this part of its contrast, at most so many levels: a camera
# that shakes in the wind by half a cell moves every edge and nothing else.
EDGE_FACTOR, EDGE_MOST = 0.4, 40.0
# Noise grows with light (photons come singly), and is cut off in black: it is learnt for so many steps of brightness,
# from every so many-th cell, where at least so many cells have it.
STEPS, SAMPLES_ACROSS, SAMPLES_LEAST = 8, 40, 20
# It is read off the stillest quarter of a step's cells, so that a tree as bright as the wall behind it is not noise;
# the lower quartile of a normal change times this is its median.
QUARTILE, QUARTILE_TO_MEDIAN = 0.25, 2.117


def follow(seconds: float, tau_s: float) -> float:
    """The share by which a running mean moves towards a new value after `seconds`."""
    return 1.0 - math.exp(-seconds / tau_s)


def median(values: NDArray[np.float32]) -> float:
    """The upper median, without a copy's sorting."""
    flat = values.ravel()
    middle = flat.size // 2
    return float(np.partition(flat, middle)[middle])


class Floor:
    """The threshold of each cell, float32 (rows, columns) in levels of luma; `least` is the settings' step."""

    threshold: Cells

    def __init__(self, shape: tuple[int, int], least: float) -> None:
        self.threshold = np.full(shape, least, np.float32)
        self._least = least
        self._flicker = np.zeros(shape, np.float32)
        self._every = max(1, shape[1] // SAMPLES_ACROSS)
        self._noise = np.zeros(STEPS, np.float32)

    @property
    def noise(self) -> float:
        """The most that any brightness is noisy, in levels of frame-to-frame change."""
        return float(self._noise.max())

    def renew(
        self, cells: Cells, previous: Cells, background: Cells, difference: Cells, seconds: float, *, settling: bool
    ) -> None:
        """Measure noise and flicker over `seconds` since the last time, and make the threshold of them."""
        self._measure(cells, previous, follow(seconds, TAU_SETTLING_S if settling else TAU_NOISE_S))
        cv2.accumulateWeighted(difference, self._flicker, follow(seconds, TAU_FLICKER_S))
        levels = np.interp(np.arange(256), (np.arange(STEPS) + 0.5) * 256 / STEPS, self._noise)
        table = np.maximum(self._least, NOISE_FACTOR * levels).astype(np.float32)
        floor = table[np.clip(background, 0, 255).astype(np.uint8)]
        flicker = np.minimum(self._flicker * np.float32(FLICKER_FACTOR), floor + np.float32(FLICKER_MOST))
        contrast = cv2.morphologyEx(background, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        edges = np.minimum(contrast * np.float32(EDGE_FACTOR), np.float32(EDGE_MOST))
        self.threshold = np.maximum(np.maximum(flicker, edges), floor)

    def _measure(self, cells: Cells, previous: Cells, share: float) -> None:
        now = cells[:: self._every, :: self._every].ravel()
        jitter = np.abs(now - previous[:: self._every, :: self._every].ravel())
        if not jitter.any():
            return  # a frame that repeats the one before (a file, a slow sensor) says nothing of noise
        usual = self._quartile(jitter)
        step = np.minimum((now * (STEPS / 256)).astype(np.intp), STEPS - 1)
        for number in range(STEPS):
            mine = jitter[step == number]
            # Where few cells are so bright, what holds for the whole picture is the better guess.
            value = self._quartile(mine) if mine.size >= SAMPLES_LEAST else usual
            self._noise[number] += np.float32(share * (value - float(self._noise[number])))

    @staticmethod
    def _quartile(jitter: NDArray[np.float32]) -> float:
        at = int(jitter.size * QUARTILE)
        return min(float(np.partition(jitter, at)[at]) * QUARTILE_TO_MEDIAN, NOISE_MOST)
