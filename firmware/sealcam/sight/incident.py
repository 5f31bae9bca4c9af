"""An incident is everything from the first trigger to calm: one id, exactly one `new`, updates, exactly one `end`.

Notify first: `new` goes out at the first believed subject, or once motion without one has gone on for a while. An
escalation and a new subject are reported at once, a better picture only now and then, so that a busy street does not
flood. A subject keeps an incident open, motion alone does not keep a subject's incident open: a tree sways on after the
visitor has left. See design/sight.md, one incident.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sealcam.board.protocols import Frame
from sealcam.sight import picture
from sealcam.sight.settings import SightSettings
from sealcam.sight.tracks import Sighting
from sealcam.sight.types import ArmMode, Box, Picture, Report, Stage, Subject, Trigger
from sealcam.sight.verdict import IncidentFeatures, Judge, Judgement

# Motion shorter than this, in fewer frames than this, with nothing recognised and no PIR, was a flicker: no incident.
FLICKER_S, FLICKER_FRAMES = 0.3, 3
# A subject that appears so long after the motion began is an incident of its own.
LEAD_S = 10.0
# A change of the threat probability that is worth a report of its own, and the gain that makes a picture better.
ESCALATION, BETTER = 0.2, 1.25
# Two boxes that share this much of the smaller one may be one person.
ONE_SHARE = 0.5
_RANK = {Subject.PERSON: 3, Subject.VEHICLE: 2, Subject.ANIMAL: 1, Subject.NONE: 0}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one frame gave. `starting`: watching has only just begun. `pir`: the sensor fired since the last frame."""

    frame: Frame
    moving: bool
    light: bool
    pir: bool
    starting: bool
    sightings: tuple[Sighting, ...]
    looked: bool


class _Open:
    """The incident that is running. Times in ns on the source's clock."""

    def __init__(self, trigger: Trigger, t_ns: int, runs: int) -> None:
        self.trigger, self.runs = trigger, runs
        self.name = ""
        self.started_ns = self.ended_ns = t_ns
        self.motion_first_ns: int | None = None
        self.motion_last_ns = t_ns
        self.motion_frames = 0
        self.subject, self.confidence, self.people = Subject.NONE, 0.0, 0
        self.subject_first_ns = self.subject_last_ns = t_ns
        self.pir = self.light = False
        self.reported: Judgement | None = None
        self.reported_subject = Subject.NONE
        self.picture: Picture | None = None
        self.picture_quality = self.sent_quality = 0.0
        self.picture_due_ns = 0

    def features(self) -> IncidentFeatures:
        """What is known so far."""
        motion_first_ns = self.motion_first_ns if self.motion_first_ns is not None else self.motion_last_ns
        known = self.subject is not Subject.NONE
        return IncidentFeatures(
            subject=self.subject,
            confidence=self.confidence,
            seen_s=(self.subject_last_ns - self.subject_first_ns) / 1e9 if known else 0.0,
            motion_s=(self.motion_last_ns - motion_first_ns) / 1e9,
            people=self.people,
            pir=self.pir,
            light=self.light,
        )


class Incidents:
    """Turns evidence, frame by frame, into reports. `ids` is asked once for each reported one, with its number."""

    def __init__(self, settings: SightSettings, ids: Callable[[int], str], mode: ArmMode, judge: Judge) -> None:
        self._settings = settings
        self._ids = ids
        self._judge = judge
        self._mode = mode
        self._open: _Open | None = None
        self._count = 0
        self._runs_before = 0
        self._t_ns = 0

    @property
    def running(self) -> bool:
        """Whether an incident is open."""
        return self._open is not None

    @property
    def motion_alone_s(self) -> float:
        """Seconds for which the open incident has had motion and no subject."""
        running = self._open
        if running is None or running.subject is not Subject.NONE or running.motion_first_ns is None:
            return 0.0
        return (running.motion_last_ns - running.motion_first_ns) / 1e9

    def set_mode(self, mode: ArmMode) -> None:
        """Judge by another arming mode from the next frame on."""
        self._mode = mode

    def step(self, evidence: Evidence) -> tuple[Report, ...]:
        """Take one frame's evidence; what there is to say now."""
        self._t_ns = evidence.frame.t_ns
        reports = [*self._calm(), *self._split(evidence)]
        if self._open is None and (evidence.moving or evidence.pir or evidence.sightings):
            self._begin(evidence)
        if self._open is not None:
            self._take(self._open, evidence)
            reports += self._say(self._open)
            self._runs_before = 0
        else:
            self._runs_before = self._runs_before + 1 if evidence.looked else 0
        return tuple(reports)

    def close(self) -> tuple[Report, ...]:
        """The source has ended: end what is open."""
        running, self._open = self._open, None
        return self._end(running) if running is not None else ()

    def _begin(self, evidence: Evidence) -> None:
        trigger = Trigger.MOTION
        if evidence.starting:
            trigger = Trigger.START
        elif evidence.pir and not evidence.moving:
            trigger = Trigger.PIR
        since = min((s.first_ns for s in evidence.sightings), default=self._t_ns)
        self._open = _Open(trigger, since, self._runs_before)

    def _split(self, evidence: Evidence) -> tuple[Report, ...]:
        """A subject that comes long after the motion began is an incident of its own."""
        running = self._open
        if running is None or running.subject is not Subject.NONE or not evidence.sightings:
            return ()
        if min(s.first_ns for s in evidence.sightings) - running.started_ns < LEAD_S * 1e9:
            return ()
        return self.close()

    def _calm(self) -> tuple[Report, ...]:
        running = self._open
        if running is None or self._t_ns - running.ended_ns <= self._settings.calm_s * 1e9:
            return ()
        return self.close()

    def _take(self, running: _Open, evidence: Evidence) -> None:
        t_ns = evidence.frame.t_ns
        running.runs += evidence.looked
        running.pir = running.pir or evidence.pir
        running.light = running.light or evidence.light
        if evidence.moving:
            running.motion_first_ns = t_ns if running.motion_first_ns is None else running.motion_first_ns
            running.motion_last_ns = t_ns
            running.motion_frames += 1
        if running.subject is Subject.NONE and (evidence.moving or evidence.pir):
            running.ended_ns = max(running.ended_ns, t_ns)
        if running.picture is None and (evidence.moving or evidence.pir):
            running.picture = _picture(evidence.frame, None)
        if evidence.sightings:
            self._take_sightings(running, evidence)

    def _take_sightings(self, running: _Open, evidence: Evidence) -> None:
        t_ns = evidence.frame.t_ns
        best = max(evidence.sightings, key=lambda s: (_RANK[s.subject], s.confidence))
        if running.subject is Subject.NONE:
            running.started_ns = min(running.started_ns, *(s.first_ns for s in evidence.sightings))
        running.ended_ns = t_ns
        if _RANK[best.subject] > _RANK[running.subject]:
            running.subject, running.confidence = best.subject, 0.0
            running.subject_first_ns = best.first_ns
            running.picture, running.picture_quality, running.sent_quality = None, 0.0, 0.0
        shown = [s for s in evidence.sightings if s.subject is running.subject]
        if not shown:
            return
        running.subject_last_ns = t_ns
        running.confidence = max(running.confidence, *(s.confidence for s in shown))
        if running.subject is Subject.PERSON:
            running.people = max(running.people, _apart(shown))
        frame = evidence.frame
        for sighting in shown:
            value = picture.quality(sighting.score, sighting.box, frame.width, frame.height)
            if value > running.picture_quality:
                running.picture, running.picture_quality = _picture(frame, sighting.box), value

    def _say(self, running: _Open) -> tuple[Report, ...]:
        judgement = self._judge.judge(running.features(), self._mode)
        if running.reported is None:
            lasting = self.motion_alone_s >= self._settings.motion_report_s
            if running.subject is Subject.NONE and not lasting:
                return ()
            return (self._report(running, Stage.NEW, judgement),)
        escalated = judgement.threat >= running.reported.threat + ESCALATION
        changed = judgement.verdict is not running.reported.verdict or running.subject is not running.reported_subject
        if escalated or changed:
            return (self._report(running, Stage.UPDATE, judgement),)
        if self._t_ns >= running.picture_due_ns and running.picture_quality > BETTER * running.sent_quality:
            return (self._report(running, Stage.UPDATE, judgement),)
        return ()

    def _end(self, running: _Open) -> tuple[Report, ...]:
        features = running.features()
        flicker = features.motion_s < FLICKER_S and running.motion_frames < FLICKER_FRAMES
        if running.reported is None and running.subject is Subject.NONE and flicker and not running.pir:
            return ()
        judgement = self._judge.judge(features, self._mode)
        first = (self._report(running, Stage.NEW, judgement),) if running.reported is None else ()
        return (*first, self._report(running, Stage.END, judgement))

    def _report(self, running: _Open, stage: Stage, judgement: Judgement) -> Report:
        if stage is Stage.NEW:
            running.name = self._ids(self._count)
            self._count += 1
        best = None
        if stage is Stage.NEW or running.picture_quality > BETTER * running.sent_quality:
            best, running.sent_quality = running.picture, running.picture_quality
            wait_s = self._settings.picture_first_s if stage is Stage.NEW else self._settings.picture_every_s
            running.picture_due_ns = self._t_ns + round(wait_s * 1e9)
        running.reported, running.reported_subject = judgement, running.subject
        return Report(
            stage=stage,
            incident=running.name,
            trigger=running.trigger,
            t_ns=self._t_ns,
            started_ns=running.started_ns,
            ended_ns=running.ended_ns,
            subject=running.subject,
            confidence=running.confidence,
            verdict=judgement.verdict,
            threat=judgement.threat,
            reasons=judgement.reasons,
            mode=self._mode,
            detector_runs=running.runs,
            picture=best,
        )


def _apart(sightings: Sequence[Sighting]) -> int:
    """How many there surely are: two boxes of which one lies mostly within the other may be one person seen twice."""
    kept: list[Box] = []
    for sighting in sightings:
        box = sighting.box
        if all(box.intersection(other) < ONE_SHARE * min(box.area, other.area) for other in kept):
            kept.append(box)
    return len(kept)


def _picture(frame: Frame, box: Box | None) -> Picture:
    """The frame's planes; a frame owns them and nobody writes them again, so nothing is copied."""
    return Picture(y=frame.y, u=frame.u, v=frame.v, box=box, t_ns=frame.t_ns)
