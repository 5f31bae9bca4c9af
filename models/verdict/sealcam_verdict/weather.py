"""Made conditions: real frames as they would be at night, in rain, under a lamp that switches, on a camera that shakes.

Pure functions over streams of frames, from a seed, the same bytes in every run. The strengths stand in design/sight.md,
made conditions, and were written there before the first run; `tests/eval` measures sight under them and the verdict's
training learns from them. What is made of light stands in `light`, what comes into the picture in `things`, coding
in `coding`; this file names them all.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, tee

import numpy as np

from sealcam.board.protocols import Frame
from sealcam_verdict import coding, light, things
from sealcam_verdict.planes import WholePicture, unfolded


class Strength(StrEnum):
    """How hard a condition is."""

    MILD = "mild"
    HARD = "hard"


Stream = Iterable[Frame]
Maker = Callable[[Stream, np.random.Generator], Iterator[Frame]]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: its name, what it means for a person, and how it is made at either strength."""

    name: str
    words: str
    mild: Maker
    hard: Maker


def _night(gain: float, sigma: float) -> Maker:
    """The sensor's noise lies on what little light there is."""
    return lambda frames, random: light.noisy(light.dimmed(frames, gain), random, sigma)


CONDITIONS: tuple[Condition, ...] = (
    Condition("noise", "sensor noise", lambda f, r: light.noisy(f, r, 8.0), lambda f, r: light.noisy(f, r, 20.0)),
    Condition("gain", "little light", lambda f, _: light.dimmed(f, 0.5), lambda f, _: light.dimmed(f, 0.25)),
    Condition("night", "little light, sensor noise", _night(0.5, 8.0), _night(0.25, 20.0)),
    Condition(
        "light-step", "a lamp off and on", lambda f, r: light.stepped(f, r, 0.3), lambda f, r: light.stepped(f, r, 0.6)
    ),
    Condition("drift", "cloud, dusk", lambda f, _: light.drifting(f, 0.3), lambda f, _: light.drifting(f, 0.6)),
    Condition(
        "headlights",
        "a passing car's lights",
        lambda f, r: light.swept(f, r, 60.0),
        lambda f, r: light.swept(f, r, 120.0),
    ),
    Condition(
        "infrared",
        "the infrared filter switches",
        lambda f, r: light.infrared(f, r, light.Switch(turn=0.4, black_s=0.0, overshoot=2.0, settle_s=0.3)),
        lambda f, r: light.infrared(f, r, light.Switch(turn=1.4, black_s=0.1, overshoot=3.0, settle_s=0.8)),
    ),
    Condition(
        "shake", "wind on the mast", lambda f, r: things.shaken(f, r, 2.0), lambda f, r: things.shaken(f, r, 6.0)
    ),
    Condition("rain", "rain", lambda f, r: things.rained(f, r, 200), lambda f, r: things.rained(f, r, 800)),
    Condition("snow", "snow", lambda f, r: things.snowed(f, r, 100), lambda f, r: things.snowed(f, r, 400)),
    Condition(
        "insects",
        "insects near the lens",
        lambda f, r: things.swarmed(f, r, 1, 50.0),
        lambda f, r: things.swarmed(f, r, 3, 110.0),
    ),
    Condition("compression", "coarse coding", lambda f, _: coding.coded(f, 32), lambda f, _: coding.coded(f, 40)),
)
NAMES: tuple[str, ...] = tuple(condition.name for condition in CONDITIONS)


def made(frames: Stream, name: str, strength: Strength, seed: int) -> Iterator[Frame]:
    """The frames under the condition `name`: as many, with the same times and sizes, and planes of their own.

    A frame that has its fine picture at hand has it afterwards too, under the same condition: the same sequence of
    chance is drawn for it once more, so that streaks and shifts lie in the same places.

    Raises:
        ValueError: there is no condition of that name.
    """
    maker = next((c.mild if strength is Strength.MILD else c.hard for c in CONDITIONS if c.name == name), None)
    if maker is None:
        raise ValueError(f"there is no made condition {name}; there are {', '.join(NAMES)}")
    # Each condition has its own sequence, so that one more condition changes no other.
    key = [seed, zlib.crc32(name.encode())]
    return _both(iter(frames), lambda stream: maker(stream, np.random.default_rng(key)))


def _both(frames: Iterator[Frame], maker: Callable[[Stream], Iterator[Frame]]) -> Iterator[Frame]:
    """Small and fine pictures through the same maker, side by side; fine ones only where the first frame has one."""
    first = next(frames, None)
    if first is None:
        return
    frames = chain([first], frames)
    if first.fine is None:
        yield from maker(frames)
        return
    small, fine = tee(frames)
    for frame, whole in zip(maker(small), maker(map(unfolded, fine)), strict=True):
        yield replace(frame, fine=WholePicture(whole))
