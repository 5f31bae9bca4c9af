"""The baseline that everybody builds first: OpenCV's MOG2, and a detection upon what it calls foreground is an alarm.

The same detector on the same frames, with its model's own threshold, without any of our filters: no tracks, no guard
against light, nothing remembered. Alarms with less than 5 s between them are one. See design/sight.md, how it is
measured.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from sealcam import models
from sealcam.board.litert import LiteRtNetwork, runtime_name
from sealcam.board.protocols import Plane
from sealcam.sight.detect import Detector
from sealcam.sight.types import Box, Detection, Subject, Verdict
from tests.eval.plan import Job
from tests.eval.records import Run, Said, Seen
from tests.eval.watching import Clockwork, source

# MOG2 marks foreground with 255, shadows with 127; a box must be foreground by this share.
FOREGROUND, SHARE = 255, 0.05
GAP_S = 5.0


def watch(job: Job) -> Run:
    """One run of the baseline over the job's frames.

    Raises:
        ModelError: the model isn't here.
        ClipError: the clip can't be read to its end.
    """
    loaded = models.load(job.model, runtime_name())
    detector = Detector(LiteRtNetwork(loaded.content), loaded.spec)
    background = cv2.createBackgroundSubtractorMOG2()
    clock, alarms = Clockwork(job), Alarms()
    for frame in source(job):
        t_s, scale = clock.tick(frame), job.clip.labels.width_px / frame.width
        mask = np.asarray(background.apply(frame.y), dtype=np.uint8)
        found = [one for one in detector.detect(frame) if foreground(mask, one.box) >= SHARE]
        alarms.take(t_s, found, scale)
    said = tuple(alarms.close())
    return Run(clock.watched_s, clock.frames, clock.frames, tuple(alarms.seen), said)


def foreground(mask: Plane, box: Box) -> float:
    """The share of a box that is foreground, 0 to 1."""
    part = mask[max(0, int(box.y0)) : int(box.y1) + 1, max(0, int(box.x0)) : int(box.x1) + 1]
    return float(np.count_nonzero(part == FOREGROUND) / part.size) if part.size else 0.0


class Alarms:
    """Detections in a row are one alarm; a person in it makes it a threat."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._said: list[Said] = []
        self._number = 0
        self._running: Said | None = None

    def take(self, t_s: float, found: list[Detection], scale: float) -> None:
        """Take one frame's detections; `scale` brings their boxes to the clip's own pixels."""
        if self._running is not None and t_s - self._running.ended_s > GAP_S:
            self._end()
        if not found:
            return
        person = any(one.subject is Subject.PERSON for one in found)
        if self._running is None:
            self._number += 1
            self._say("new", t_s, t_s, person)
        elif person and self._running.verdict != str(Verdict.THREAT):
            self._say("update", t_s, self._running.started_s, person)
        running = self._running
        assert running is not None
        self._running = replace(running, ended_s=t_s)
        for one in found:
            box = Box(*(round(edge * scale, 1) for edge in (one.box.x0, one.box.y0, one.box.x1, one.box.y1)))
            self.seen.append(Seen(t_s, self._number, str(one.subject), round(one.score, 3), box))

    def close(self) -> list[Said]:
        """The source has ended; everything that was said."""
        self._end()
        return self._said

    def _say(self, stage: str, t_s: float, started_s: float, person: bool) -> None:
        subject, verdict = (Subject.PERSON, Verdict.THREAT) if person else (Subject.VEHICLE, Verdict.BENIGN)
        said = Said(
            t_s=t_s,
            stage=stage,
            incident=f"alarm-{self._number}",
            subject=str(subject),
            verdict=str(verdict),
            threat=float(person),
            started_s=started_s,
            ended_s=t_s,
            tracks=(self._number,),
            reasons=(),
        )
        self._said.append(said)
        self._running = said

    def _end(self) -> None:
        if self._running is not None:
            self._said.append(replace(self._running, stage="end"))
        self._running = None
