"""Trackers to compare ours with: an IoU tracker with a Kalman filter (as ByteTrack matches), and norfair.

They see persons alone and say of each look which tracks were hit in it. Neither asks what moved: that is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from sealcam.sight.focus import Look
from sealcam.sight.gate import Motion
from sealcam.sight.types import Box, Detection, Subject

LookAt = Callable[[Box], Look | None]
# As ByteTrack has them (Zhang et al. 2022, section 4.1), on our detector's scores: sure boxes first, then faint ones;
# the least overlap for each; a new track from a sure box; two hits to be believed; three seconds until it is lost.
SURE, SURE_IOU, FAINT_IOU, LOST_S = 0.5, 0.2, 0.5, 3.0


class Peer(Protocol):
    """A tracker under comparison."""

    def step(
        self, t_ns: int, detections: Sequence[Detection], motion: Motion, look: LookAt
    ) -> Sequence[tuple[int, Box]]:
        """The tracks hit by this look's boxes."""
        ...


class _Filter:
    """A Kalman filter of constant velocity over x, y (middle), width and height, noise in shares of the height."""

    def __init__(self, box: Box) -> None:
        self.state = np.concatenate([_measured(box), np.zeros(4)])
        high = box.height
        self.spread = np.diag(np.square([0.1 * high] * 4 + [0.6 * high] * 4))

    def predict(self, seconds: float) -> None:
        forward = np.eye(8) + seconds * np.eye(8, k=4)
        high = max(1.0, float(self.state[3]))
        self.state = forward @ self.state
        drift = np.square([0.05 * high] * 4 + [0.3 * high] * 4) * seconds * 10
        self.spread = forward @ self.spread @ forward.T + np.diag(drift)

    def update(self, box: Box) -> None:
        noise = np.diag(np.square([0.05 * box.height] * 4))
        gain = self.spread[:, :4] @ np.linalg.inv(self.spread[:4, :4] + noise)
        self.state = self.state + gain @ (_measured(box) - self.state[:4])
        self.spread = self.spread - gain @ self.spread[:4]

    @property
    def box(self) -> Box:
        x, y, width, height = self.state[:4].tolist()
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _measured(box: Box) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, box.width, box.height])


class _Kept:
    def __init__(self, number: int, box: Box, t_ns: int) -> None:
        self.number, self.filter, self.seen_ns, self.hits = number, _Filter(box), t_ns, 1


class KalmanIou:
    """Overlap with where a Kalman filter expects it: sure boxes first, faint ones for the tracks that are left."""

    def __init__(self) -> None:
        self._tracks: list[_Kept] = []
        self._born = 0
        self._t_ns = 0

    def step(
        self, t_ns: int, detections: Sequence[Detection], motion: Motion, look: LookAt
    ) -> Sequence[tuple[int, Box]]:
        """The tracks hit at least twice."""
        people = [one for one in detections if one.subject is Subject.PERSON]
        for track in self._tracks:
            track.filter.predict((t_ns - self._t_ns) / 1e9)
        self._t_ns = t_ns
        sure, faint = [d.box for d in people if d.score >= SURE], [d.box for d in people if d.score < SURE]
        hit = self._match(self._tracks, sure, SURE_IOU)
        fresh = [box for index, box in enumerate(sure) if index not in {column for _, column in hit}]
        left = [t for t in self._tracks if t not in [track for track, _ in hit]]
        pairs = [(track, sure[i]) for track, i in hit]
        pairs += [(track, faint[i]) for track, i in self._match(left, faint, FAINT_IOU)]
        for track, box in pairs:
            track.filter.update(box)
            track.seen_ns, track.hits = t_ns, track.hits + 1
        for box in fresh:
            self._born += 1
            self._tracks.append(_Kept(self._born, box, t_ns))
        self._tracks = [
            t for t in self._tracks if t_ns - t.seen_ns <= LOST_S * 1e9 and (t.hits > 1 or t.seen_ns == t_ns)
        ]
        return [(track.number, box) for track, box in pairs if track.hits > 1]

    def _match(self, tracks: list[_Kept], boxes: list[Box], least: float) -> list[tuple[_Kept, int]]:
        """Best overlap first; with a handful of boxes an assignment solver gives the same but for ties."""
        pairs = sorted(
            ((-track.filter.box.iou(box), row, column) for row, track in enumerate(tracks)
             for column, box in enumerate(boxes))
        )  # fmt: skip
        rows, columns, found = set[int](), set[int](), []
        for overlap, row, column in pairs:
            if -overlap >= least and row not in rows and column not in columns:
                rows.add(row)
                columns.add(column)
                found.append((tracks[row], column))
        return found


class Norfair:
    """norfair 2 (BSD-3-Clause) with its own Kalman filter and IoU distance, at ten looks a second; with `looks` it
    takes a lost track up again by the likeness of looks, as its documentation shows."""

    def __init__(self, *, looks: bool = False) -> None:
        import norfair

        self._norfair: Any = norfair
        again: dict[str, Any] = {}
        if looks:
            again = {
                "reid_distance_function": _unlike,
                "reid_distance_threshold": 0.25,
                "reid_hit_counter_max": 50,
                "past_detections_length": 3,
            }
        self._tracker = norfair.Tracker(
            distance_function="iou", distance_threshold=0.8, hit_counter_max=10, initialization_delay=2, **again
        )
        self._looks = looks

    def step(
        self, t_ns: int, detections: Sequence[Detection], motion: Motion, look: LookAt
    ) -> Sequence[tuple[int, Box]]:
        """The tracks that norfair believes and that were hit."""
        given = [
            self._norfair.Detection(
                points=np.array([[one.box.x0, one.box.y0], [one.box.x1, one.box.y1]]),
                embedding=look(one.box) if self._looks else None,
                data=one.box,
            )
            for one in detections
            if one.subject is Subject.PERSON and one.score >= 0.3
        ]
        tracked = self._tracker.update(detections=given)
        known = {id(one) for one in given}
        return [(one.id, one.last_detection.data) for one in tracked if id(one.last_detection) in known]


def _unlike(new: Any, old: Any) -> float:
    """One less the best likeness of what is new to what was seen of the lost one."""
    look = new.last_detection.embedding
    seen = [one.embedding for one in old.past_detections if one.embedding is not None]
    return 1.0 - max((float(look @ one) for one in seen), default=-1.0) if look is not None else 1.0
