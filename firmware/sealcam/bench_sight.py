"""The figures of sight: the gate against OpenCV's background model, the work around the bare invoke, replay's speed.

Parts of a frame are measured in CPU time of their one thread, which is what they cost whatever else the machine does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from sealcam.bench import Figure
from sealcam.board.litert import runtime_name
from sealcam.board.protocols import Frame, Network, Plane
from sealcam.board.replay import FIT_HEIGHT_PX, FIT_WIDTH_PX, ReplayCamera
from sealcam.board.scripted import grey_frame
from sealcam.board.stopwatch import TimedNetwork
from sealcam.config import ModelSettings
from sealcam.eyesight import open_detector
from sealcam.sight.gate import Gate
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode
from sealcam.sight.watch import Watch
from sealcam.verdicts import open_judge

QUIET_FRAMES, GATED_FRAMES, REPLAY_FRAMES, WARM_UP, TURN_FRAMES = 300, 150, 300, 10, 50


def figures(clip: Path | None) -> Iterator[Figure]:
    """Every figure of sight, on `clip` (none: on made frames).

    Raises:
        ClipError: the clip can't be read.
        ModelError: the default model is missing.
    """
    cv2.setNumThreads(1)
    yield from gate_figures(quiet_frames())
    moving = made_walkers() if clip is None else _enlarged(clip)
    yield from step_figures(moving, "made frames" if clip is None else f"{clip.name} at 640 x 360")
    if clip is not None:
        yield replay_figure(clip)


def gate_figures(frames: list[Frame]) -> Iterator[Figure]:
    """Gate and MOG2 on the same quiet frames, in turns of some seconds' worth: neither runs on the other's cache."""
    gate, peer = Gate(SightSettings()), cv2.createBackgroundSubtractorMOG2()
    ours_ns: list[int] = []
    theirs_ns: list[int] = []
    for start in range(0, len(frames), TURN_FRAMES):
        turn = frames[start : start + TURN_FRAMES]
        ours_ns += [_spent_ns(partial(gate.step, frame)) for frame in turn]
        theirs_ns += [_spent_ns(partial(peer.apply, frame.y)) for frame in turn]
    ours_ms, theirs_ms = (median(values[WARM_UP:]) / 1e6 for values in (ours_ns, theirs_ns))
    how = f"median of {len(frames) - WARM_UP} quiet made frames of 640 x 360, in turns, CPU time of the one thread"
    yield Figure("gate, quiet frame", round(ours_ms, 4), "ms", how)
    yield Figure("MOG2, the same frames", round(theirs_ms, 4), "ms", f"OpenCV MOG2, {how}")
    yield Figure("gate over MOG2", round(ours_ms / theirs_ms, 4), "ratio", "the two above; budget 0.10")


def _spent_ns(work: Callable[[], object]) -> int:
    begun = time.thread_time_ns()
    work()
    return time.thread_time_ns() - begun


@dataclass(frozen=True, slots=True)
class Looked:
    """One gated frame: what the whole step took, what its bare invokes took of that, and how many looks there were."""

    step_ns: int
    invoke_ns: int
    looks: int


def looked_at(frames: Iterable[Frame], chosen: ModelSettings, timer: Callable[[], int]) -> Iterator[Looked]:
    """Sight as it is, with these models, on frames that it looks at one by one; those without a look are left out.

    Raises:
        ModelError: a model is missing.
    """
    networks: list[TimedNetwork] = []

    def timed(network: Network) -> Network:
        networks.append(TimedNetwork(network, timer))
        return networks[-1]

    settings = SightSettings(detector_hz=120.0, idle_detector_hz=120.0)
    detector = open_detector(chosen, wrap=timed, wrap_further=timed)
    watch = Watch(detector, settings, str, ArmMode.AWAY, judge=open_judge(_warn))
    for frame in frames:
        before, begun = [len(network.invoke_ns) for network in networks], timer()
        watch.step(frame)
        spent_ns = timer() - begun
        before += [0] * (len(networks) - len(before))  # one that was loaded meanwhile
        invoked = [one for network, count in zip(networks, before, strict=True) for one in network.invoke_ns[count:]]
        if invoked:
            yield Looked(spent_ns, sum(invoked), len(invoked))


def step_figures(frames: list[Frame], on: str) -> Iterator[Figure]:
    """Everything that a gated frame costs beside the bare invoke within it."""
    chosen = ModelSettings()
    # Frames with one look: a second one has its own invoke, and loads its model the first time.
    looked = [one for one in looked_at(frames, chosen, time.thread_time_ns) if one.looks == 1]
    pairs = [(one.step_ns, one.invoke_ns) for one in looked]
    pairs = pairs[WARM_UP:]
    invoke_ms = median(invoke for _, invoke in pairs) / 1e6
    around_ms = median(step - invoke for step, invoke in pairs) / 1e6
    how = f"median of {len(pairs)} gated frames with one look, {on}, {chosen.name} on {runtime_name()}, CPU time"
    yield Figure("bare invoke", round(invoke_ms, 3), "ms", how)
    yield Figure(
        "work around the invoke", round(around_ms, 3), "ms", f"the whole step less its invoke, {how}; budget 3"
    )
    ratio = (invoke_ms + around_ms) / invoke_ms
    yield Figure("gated frame over bare invoke", round(ratio, 3), "ratio", "the whole step over its invoke; aim 1.10")


def _warn(trouble: str) -> None:
    sys.stderr.write(f"sealcam: warning: {trouble}\n")


def replay_figure(clip: Path, most: int = REPLAY_FRAMES) -> Figure:
    """Frames a second from file to verdict, decoding included."""
    watch = Watch(open_detector(ModelSettings()), SightSettings(), str, ArmMode.AWAY, judge=open_judge(_warn))
    begun, count = time.perf_counter(), 0
    for frame in islice(ReplayCamera(clip).frames(), most):
        watch.step(frame)
        count += 1
    seconds = time.perf_counter() - begun
    how = f"the first {count} frames of {clip.name}, decoding included, {watch.stats.detector_runs} looks, one thread"
    return Figure("replay", round(count / seconds, 1), "1/s", how)


def quiet_frames(count: int = QUIET_FRAMES) -> list[Frame]:
    """A still scene with the noise of a sensor, 10 frames a second."""
    random, scene = np.random.default_rng(1), _scene()
    noise = random.normal(0, 2, (8, *scene.shape))
    return [_frame(scene + noise[index % 8], index) for index in range(count)]


def made_walkers(count: int = GATED_FRAMES) -> list[Frame]:
    """The same scene with three blocks that cross it."""
    frames = []
    for index in range(count):
        picture = _scene()
        for lane in range(3):
            x0 = (index * 6 + lane * 200) % (FIT_WIDTH_PX - 60)
            picture[60 + 90 * lane : 160 + 90 * lane, x0 : x0 + 50] = 30 + 90 * lane
        frames.append(_frame(picture, index))
    return frames


def _scene() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    rows, columns = np.mgrid[:FIT_HEIGHT_PX, :FIT_WIDTH_PX]
    scene: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = 110 + 40 * np.sin(rows / 23) * np.cos(columns / 31)
    return scene


def _frame(picture: np.ndarray[tuple[int, ...], np.dtype[np.float64]], index: int) -> Frame:
    return grey_frame(np.clip(picture, 0, 255).astype(np.uint8), index * 100_000_000, index)


def _enlarged(clip: Path) -> list[Frame]:
    """The clip's first frames at exactly 640 by 360, whatever its shape: what is measured is work, not sight."""
    return [
        replace(
            frame,
            y=_sized(frame.y, FIT_WIDTH_PX, FIT_HEIGHT_PX),
            u=_sized(frame.u, FIT_WIDTH_PX // 2, FIT_HEIGHT_PX // 2),
            v=_sized(frame.v, FIT_WIDTH_PX // 2, FIT_HEIGHT_PX // 2),
        )
        for frame in islice(ReplayCamera(clip).frames(), GATED_FRAMES)
    ]


def _sized(plane: Plane, width: int, height: int) -> Plane:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
