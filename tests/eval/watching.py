"""Watches one clip, or an empty stretch of it, under one condition, exactly as `sealcam replay` does, and notes all.

The watch is `sealcam.replay.open_watch`'s with the default configuration, armed away. See design/sight.md, how it is
measured.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from sealcam import config
from sealcam.board.litert import LiteRtNetwork
from sealcam.board.protocols import Frame
from sealcam.board.replay import ReplayCamera
from sealcam.board.stopwatch import TimedNetwork
from sealcam.replay import open_watch
from sealcam.sight.gate import Motion
from sealcam.sight.judge import Trained
from sealcam.sight.panel import Trouble
from sealcam.sight.types import ArmMode, Box, Report, Verdict
from sealcam.sight.watch import Watch
from sealcam.wire.errors import ModelError
from sealcam_verdict import weather
from sealcam_verdict.train import model_for
from tests.eval.plan import SEED, WATCHED_S, Job
from tests.eval.records import Moved, Run, Said, Seen, Shot

# Pictures kept of a run: at these shares of it, and of so many incidents that were called a threat.
SHARES, THREATS = (0.3, 0.7), 3
SHOT_WIDTH_PX, JPEG_QUALITY = 400, 70
# What the gate said is kept so many times a second, the most of each.
GATE_HZ = 4.0


def source(job: Job) -> Iterator[Frame]:
    """The job's frames under its condition; a stretch goes forth and back until it was watched for long enough."""
    frames = ReplayCamera(job.clip.path).frames()
    if job.stretch is not None:
        frames = forth_and_back(_within(frames, job))
    if job.weather.strength is None:
        return frames
    return weather.made(frames, job.weather.name, job.weather.strength, SEED)


def watch(job: Job) -> Run:
    """One run of sight.

    Raises:
        ModelError: a model isn't here, or isn't what the manifest says.
        ClipError: the clip can't be read to its end.
    """
    settings = config.Config()
    settings = replace(settings, model=replace(settings.model, name=job.model))
    networks: list[TimedNetwork] = []
    # Judged by the verdict model that has learnt nothing from this clip.
    judge = Trained(LiteRtNetwork(model_for(job.clip.path.name)))
    opened = open_watch(settings, job.clip.path, ArmMode.AWAY, networks, judge)
    sight, notes = opened.watch, Notes(job)
    refuse_without(opened.tend(0))  # before the hours that it would take
    for frame in source(job):
        reports = sight.step(frame)
        notes.take(frame, sight, reports)
        refuse_without(opened.tend(frame.t_ns))
    notes.say(sight.close())
    return notes.run(sight.stats.detector_runs)


def refuse_without(troubles: Sequence[Trouble]) -> None:
    """Measure nothing that isn't what runs.

    Raises:
        ModelError: a model isn't here, or isn't what the manifest says.
    """
    for trouble in troubles:
        if trouble.code.endswith("-missing"):
            raise ModelError(f"nothing is measured without all models: {trouble.words}")


class Clockwork:
    """A run's time as the labels count it; a stretch has a clock of its own, which goes on while it is played back."""

    def __init__(self, job: Job) -> None:
        self.first_s = job.clip.first_s if job.stretch is None else 0.0
        self.frames = 0
        self.t_s = self._begun_s = self.first_s

    @property
    def watched_s(self) -> float:
        """From the first frame to the last, in seconds."""
        return round(self.t_s - self._begun_s, 3)

    def tick(self, frame: Frame) -> float:
        """Take the next frame; its time."""
        self.t_s = self.at(frame.t_ns)
        self._begun_s = self.t_s if self.frames == 0 else self._begun_s
        self.frames += 1
        return self.t_s

    def at(self, t_ns: int) -> float:
        """A time of sight's on the labels' clock."""
        return round(self.first_s + t_ns / 1e9, 4)


class Notes:
    """What happens in a run, in the labels' seconds and pixels."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._clock = Clockwork(job)
        self._seen: list[Seen] = []
        self._said: list[Said] = []
        self._moved: list[Moved] = []
        self._shots: list[Shot] = []
        self._heat: NDArray[np.float32] | None = None
        self._due = [self._clock.first_s + share * job.length_s for share in SHARES]

    def take(self, frame: Frame, sight: Watch, reports: Sequence[Report]) -> None:
        """Note one frame, after sight has had it."""
        t_s = self._clock.tick(frame)
        evidence = sight.evidence
        if evidence is not None:
            scale = self._job.clip.labels.width_px / frame.width
            for one in evidence.sightings:
                box = Box(*(round(edge * scale, 1) for edge in (one.box.x0, one.box.y0, one.box.x1, one.box.y1)))
                self._seen.append(Seen(t_s, one.track, str(one.subject), round(one.score, 3), box))
            self._gate(t_s, evidence.motion)
        self.say(reports)
        threats = sum(shot.why == "threat" for shot in self._shots)
        if any(r.verdict is Verdict.THREAT and r.picture is not None for r in reports) and threats < THREATS:
            self._shots.append(Shot(t_s, "threat", picture(frame)))
        elif self._due and t_s >= self._due[0]:
            del self._due[0]
            self._shots.append(Shot(t_s, "time", picture(frame)))

    def say(self, reports: Sequence[Report]) -> None:
        """Note what was reported."""
        for report in reports:
            self._said.append(
                Said(
                    t_s=self._clock.at(report.t_ns),
                    stage=str(report.stage),
                    incident=report.incident,
                    subject=str(report.subject),
                    verdict=str(report.verdict),
                    threat=round(report.threat, 4),
                    started_s=self._clock.at(report.started_ns),
                    ended_s=self._clock.at(report.ended_ns),
                    tracks=report.tracks,
                    reasons=report.reasons,
                )
            )

    def run(self, looks: int) -> Run:
        """All of it."""
        return Run(
            watched_s=self._clock.watched_s,
            frames=self._clock.frames,
            looks=looks,
            seen=tuple(self._seen),
            said=tuple(self._said),
            moved=tuple(self._moved),
            shots=tuple(self._shots),
            heat=_heat(self._heat / max(1, self._clock.frames)) if self._heat is not None else "",
        )

    def _gate(self, t_s: float, motion: Motion) -> None:
        if self._heat is None or self._heat.shape != motion.mask.shape:
            self._heat = np.zeros(motion.mask.shape, np.float32)
        self._heat += motion.mask > 0
        share = round(motion.share, 4)
        last = self._moved[-1] if self._moved else None
        if last is None or t_s - last.t_s >= 1 / GATE_HZ:
            self._moved.append(Moved(t_s, share, motion.moving, motion.whole))
            return
        together = last.moving or motion.moving, last.whole or motion.whole
        self._moved[-1] = Moved(last.t_s, max(last.share, share), *together)


def picture(frame: Frame) -> str:
    """A frame as a small JPEG in base64."""
    height, width = frame.height // 2 * 2, frame.width // 2 * 2
    planes = (frame.y[:height, :width], frame.u[: height // 2, : width // 2], frame.v[: height // 2, : width // 2])
    packed = np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)
    colours = cv2.cvtColor(packed, cv2.COLOR_YUV2BGR_I420)
    size = (SHOT_WIDTH_PX, round(SHOT_WIDTH_PX * height / width))
    small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
    return base64.b64encode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]).decode()


def _heat(share: NDArray[np.float32]) -> str:
    """How often each cell moved, as a PNG in base64: transparent where never, opaque from half of the time on."""
    level = np.asarray(np.clip(share * 2, 0, 1) ** 0.5 * 255, dtype=np.uint8)
    colours = cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)
    return base64.b64encode(cv2.imencode(".png", np.dstack([colours, level]))[1]).decode()


def _within(frames: Iterator[Frame], job: Job) -> list[Frame]:
    stretch = job.stretch
    assert stretch is not None
    return [frame for frame in frames if stretch.holds(round(job.clip.first_s + frame.t_ns / 1e9, 4))]


def forth_and_back(frames: Sequence[Frame]) -> Iterator[Frame]:
    """The frames once, then back and forth until there was enough; time goes on, and so does weather made of them."""
    gaps_ns = [b.t_ns - a.t_ns for a, b in pairwise(frames)]
    last, t_ns, index = len(frames) - 1, 0, 0
    while index <= last or (last > 0 and t_ns < WATCHED_S * 1e9):
        lap = index % (2 * last) if last > 0 else 0
        place = min(lap, 2 * last - lap)
        yield replace(frames[place], t_ns=t_ns, index=index)
        t_ns += gaps_ns[min(place, last - 1) if lap < last else place - 1] if last > 0 else 0
        index += 1
