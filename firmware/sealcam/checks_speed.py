"""The self-test's look at speed: whole looks of sight at made walkers on this board, as the configuration has them.

The same frames and the same steps as `sealcam bench` (`bench_sight.looked_at`), for a few seconds, by the clock and not
by CPU time: a neural processor's work isn't this processor's. All other figures are `sealcam bench`'s.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2

from sealcam.bench_sight import Looked, looked_at, made_walkers
from sealcam.checks import Finding, Grade
from sealcam.config import ModelSettings
from sealcam.wire.errors import HardwareError

PART = "speed"
FRAMES, WARM_UP, LEAST, MOST_S = 80, 5, 5, 6.0
# Of one core: the rest is the gate's, the sealer's and, with one core, the encoder's.
BUSY_SHARE = 0.7
# Who walks past a door is in the picture for two or three seconds.
LEAST_HZ = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long one look takes, in ms: the bare model in it, and all of it."""

    bare_ms: float
    whole_ms: float


def look(model: ModelSettings, wanted_hz: float, timer: Callable[[], int] = time.perf_counter_ns) -> list[Finding]:
    """Measure, and hold it against the looks a second that are asked for. `timer` gives nanoseconds.

    Raises:
        ModelError: the model isn't here, or no runtime.
        HardwareError: there was nothing to measure.
    """
    cv2.setNumThreads(1)  # as the eye has it
    return [verdict(model, pace_of(looked_at(made_walkers(FRAMES), model, timer)), wanted_hz)]


def pace_of(looked: Iterable[Looked]) -> Pace:
    """The medians, from as many looks as fit into `MOST_S`, the first ones left out.

    Raises:
        HardwareError: fewer looks than anything could be said of.
    """
    kept: list[Looked] = []
    spent_ns = 0
    for one in looked:
        kept.append(one)
        spent_ns += one.step_ns
        if len(kept) >= WARM_UP + LEAST and spent_ns >= MOST_S * 1e9:
            break
    counted = kept[WARM_UP:]
    if len(counted) < LEAST:
        raise HardwareError(f"only {len(kept)} looks were made", "sealcam bench measures each part by itself")
    bare_ns = statistics.median(one.invoke_ns for one in counted)
    return Pace(bare_ns / 1e6, statistics.median(one.step_ns for one in counted) / 1e6)


def verdict(model: ModelSettings, pace: Pace, wanted_hz: float) -> Finding:
    """What that leaves for a second, against what is asked for."""
    most_hz = 1000 / pace.whole_ms
    share = wanted_hz / most_hz
    figures = {
        "bare_ms": round(pace.bare_ms, 1),
        "look_ms": round(pace.whole_ms, 1),
        "over_bare_ratio": round(pace.whole_ms / pace.bare_ms, 3),
        "looks_per_s": round(most_hz, 1),
        "wanted_per_s": round(wanted_hz, 1),
        "core_share": round(share, 3),
    }
    words = (
        f"{pace.whole_ms:.0f} ms for a look, {pace.bare_ms:.0f} of them the bare model: at most {most_hz:.1f} looks a"
        f" second, {wanted_hz:g} are asked for"
    )
    if share <= BUSY_SHARE:
        return Finding(PART, Grade.GOOD, words, None, figures)
    fits = max(1, math.floor(BUSY_SHARE * most_hz))
    ways = [f'ask for less: detector_hz = {fits} under [sight], or budget = "poe" under [board]']
    if model.first == "off":
        ways.insert(
            0, 'let a faster model look first: make model NAME=person-192, and `first = "person-192"` under [model]'
        )
    ways.append("a neural processor helps, too")
    if most_hz < LEAST_HZ:
        words += "; who walks by quickly isn't seen"
    return Finding(PART, Grade.BAD if most_hz < LEAST_HZ else Grade.WARNING, words, "; ".join(ways), figures)
