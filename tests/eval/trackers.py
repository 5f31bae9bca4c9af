"""Which tracker keeps people apart: ours, norfair and an IoU tracker with a Kalman filter, on the same boxes.

`python -m tests.eval.trackers CLIP LABELS [--norfair SITE-PACKAGES]` prints a line a tracker: identity switches,
fragments, what was missed, tracks of nobody, the delay from first sight to evidence, and CPU time a look. The gate
and the detector run once; every tracker gets what they saw. People are the hand-drawn ones, from 60 px of 576 on.
See design/sight.md, tracks.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median

import cv2

from sealcam import models
from sealcam.board.litert import LiteRtNetwork, runtime_name
from sealcam.board.replay import ReplayCamera
from sealcam.sight.candidates import Candidates
from sealcam.sight.focus import Focus, Look
from sealcam.sight.gate import Gate, Motion
from sealcam.sight.settings import SightSettings
from sealcam.sight.tracks import Tracks
from sealcam.sight.types import Box, Detection, Subject
from tests.eval.labels import ClipLabels, Life, load
from tests.eval.peers import KalmanIou, Norfair, Peer

LEAST_SHARE = 60 / 576  # of the picture's height: who is smaller need not be found
MATCH_IOU = 0.3  # a drawn box is a straight line between two seconds
Place = tuple[int, Box]


@dataclass(slots=True)
class Walker:
    """What one tracker made of one walker: `ids` has, for each look at which he should be followed, by which track."""

    life: Life
    ids: list[int | None] = field(default_factory=list)
    delay_s: float | None = None

    @property
    def switches(self) -> int:
        """How often another track took him over."""
        return sum(a != b for a, b in pairwise(one for one in self.ids if one is not None))

    @property
    def fragments(self) -> int:
        """How often following him broke off and began again."""
        return sum(a is None and b is not None for a, b in pairwise(self.ids)) - (self.ids[:1] == [None])


@dataclass(slots=True)
class Score:
    """One tracker against one set of labels."""

    name: str
    walkers: list[Walker]
    nobody: dict[int, int] = field(default_factory=dict)  # looks at which a track lay on no drawn person
    somebody: set[int] = field(default_factory=set)
    spent_ns: list[int] = field(default_factory=list)

    def take(self, t_s: float, least_px: float, tracks: Sequence[Place]) -> None:
        """Match what the tracker says at one look with who is there; who was followed by a track keeps it."""
        free = dict(tracks)
        here = [one for one in self.walkers if one.life.in_view.holds(t_s)]
        pairs = sorted(self._pairs(t_s, here, free), key=lambda pair: -pair[0])
        taken: dict[int, int] = {}
        for _, who, track in pairs:
            if who not in taken and track in free:
                taken[who] = track
                del free[track]
        for index, walker in enumerate(here):
            self._note(walker, t_s, least_px, taken.get(index))
        self.somebody.update(taken.values())
        for track in free:
            self.nobody[track] = self.nobody.get(track, 0) + 1

    def _pairs(self, t_s: float, here: list[Walker], tracks: dict[int, Box]) -> Iterator[tuple[float, int, int]]:
        for index, walker in enumerate(here):
            drawn = walker.life.box_at(t_s)
            last = next((one for one in reversed(walker.ids) if one is not None), None)
            for track, box in tracks.items():
                overlap = 0.0 if drawn is None else box.iou(drawn)
                if overlap >= MATCH_IOU:
                    yield overlap + (1.0 if track == last else 0.0), index, track

    def _note(self, walker: Walker, t_s: float, least_px: float, track: int | None) -> None:
        due = walker.life.visible_at(t_s) and walker.life.height_at(t_s) >= least_px
        if due or track is not None:
            walker.ids.append(track)
        first = walker.life.first_at_height(least_px)
        if track is not None and walker.delay_s is None and first is not None:
            walker.delay_s = max(0.0, t_s - first)

    def line(self, least_px: float) -> str:
        """The figures, as a row of a table."""
        due = [walker for walker in self.walkers if walker.life.first_at_height(least_px) is not None]
        looks = sum(len(walker.ids) for walker in self.walkers)
        missed = sum(one is None for walker in self.walkers for one in walker.ids)
        late = sorted(walker.delay_s for walker in due if walker.delay_s is not None)
        strays = sum(1 for track in self.nobody if track not in self.somebody)
        return (
            f"| {self.name} | {sum(w.switches for w in self.walkers)} | {sum(w.fragments for w in self.walkers)} "
            f"| {100 * missed / max(1, looks):.1f} % | {len(due) - len(late)} of {len(due)} | {strays} "
            f"| {median(late) if late else 0:.2f} / {late[-1] if late else 0:.2f} s "
            f"| {median(self.spent_ns) / 1e6:.2f} / {sorted(self.spent_ns)[-len(self.spent_ns) // 20] / 1e6:.2f} ms |"
        )


HEAD = (
    "| Tracker | Switches | Fragments | Missed looks | Never found | Tracks of nobody | Delay p50 / max "
    "| CPU a look p50 / p95 |\n|---|---|---|---|---|---|---|---|"
)


class Ours:
    """What the camera has; says of the believed what is evidence."""

    def __init__(self) -> None:
        self._tracks = Tracks(SightSettings())

    def step(
        self, t_ns: int, detections: Sequence[Detection], motion: Motion, look: Callable[[Box], Look | None]
    ) -> list[Place]:
        """As the watch does it."""
        seen = self._tracks.step(t_ns, detections, motion, look)
        return [(one.track, one.box) for one in seen if one.subject is Subject.PERSON]


def measure(clip: Path, peers: dict[str, Peer], labels: ClipLabels) -> list[Score]:
    """Every tracker on one clip; what it says is compared in pixels of the drawn picture."""
    loaded = models.load(None, runtime_name())
    detector = Candidates(LiteRtNetwork(loaded.content, threads=1), loaded.spec)
    gate = Gate(SightSettings())
    scores = {name: Score(name, [Walker(life) for life in labels.persons]) for name in peers}
    for frame in ReplayCamera(clip).frames():
        t_s = frame.t_ns / 1e9
        motion = gate.step(frame)
        detections = detector.detect(frame, Focus(motion, ()))
        scale = labels.width_px / frame.width, labels.height_px / frame.height
        for name, peer in peers.items():
            begun = time.thread_time_ns()
            found = peer.step(frame.t_ns, detections, motion, detector.look)
            scores[name].spent_ns.append(time.thread_time_ns() - begun)
            scores[name].take(t_s, LEAST_SHARE * labels.height_px, [(k, _scaled(box, *scale)) for k, box in found])
    return list(scores.values())


def _scaled(box: Box, across: float, down: float) -> Box:
    return Box(box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Trackers against hand-drawn people.")
    parser.add_argument("clip", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--norfair", type=Path, metavar="SITE-PACKAGES", help="a folder that norfair is installed in")
    parser.add_argument(
        "--cut", type=float, nargs="*", default=[], metavar="SECONDS", help="where the next labels begin"
    )
    parser.add_argument("--each", action="store_true", help="a line for each walker too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    peers: dict[str, Peer] = {"ours": Ours(), "IoU and Kalman": KalmanIou()}
    if options.norfair is not None:
        sys.path.append(str(options.norfair))
        peers |= {"norfair": Norfair(), "norfair, re-identifying by looks": Norfair(looks=True)}
    labels = load(options.labels)
    scores = measure(options.clip, peers, labels)
    least_px = LEAST_SHARE * labels.height_px
    print(HEAD, *(score.line(least_px) for score in scores), sep="\n")
    for score in scores if options.each else ():
        print(score.name)
        for walker in score.walkers:
            ids = list(dict.fromkeys(one for one in walker.ids if one is not None))
            missed = sum(one is None for one in walker.ids)
            print(f"  {walker.life.name}: {walker.switches} {walker.fragments} {missed} {walker.delay_s} {ids}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
