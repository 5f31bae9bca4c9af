"""What each of the governor's steps costs while people walk: the CPU time that sight takes of one core."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from sealcam.bench import Figure
from sealcam.bench_sight import made_walkers
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.governor import STEPS
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode
from sealcam.sight.watch import Watch


def figures(_footage: Path | None) -> Iterator[Figure]:
    """One figure for each step.

    Raises:
        ModelError: the default model is missing.
    """
    cv2.setNumThreads(1)
    frames = made_walkers()
    seconds = (frames[-1].t_ns - frames[0].t_ns) / 1e9
    for number, step in enumerate(STEPS):
        detector = open_detector(ModelSettings(second="off"))
        watch = Watch(detector, SightSettings(), str, ArmMode.AWAY)
        watch.set_pace(step.share)
        detector.ease(step.further)
        begun = time.thread_time()
        for frame in frames:
            watch.step(frame)
        spent = time.thread_time() - begun
        looks = watch.stats.detector_runs + detector.stats.further
        how = f"CPU time of sight over {seconds:.0f} s of made walkers, 10 a second, {looks} looks, one thread"
        yield Figure(f"sight at step {number}", round(spent / seconds, 4), "cores", how)
