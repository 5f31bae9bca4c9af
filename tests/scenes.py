"""Made scenes for sight: grey frames with blocks that move, and a detector that is told what to see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sealcam.board.protocols import Frame, Plane
from sealcam.board.scripted import grey_frame
from sealcam.sight.focus import UNKNOWN, Focus, Look
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Box, Detection, Report, Subject
from sealcam.sight.watch import Watch

WIDTH, HEIGHT = 320, 180
SECOND_NS = 1_000_000_000


def ground(level: int = 90, texture: int = 20, size: tuple[int, int] = (HEIGHT, WIDTH)) -> NDArray[np.float64]:
    """A still background with some structure in it."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    return level + texture * np.sin(rows / 9) * np.cos(columns / 13)


def with_block(picture: NDArray[np.float64], box: Box, level: float = 200.0) -> NDArray[np.float64]:
    """The picture with something bright in it."""
    out = picture.copy()
    out[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)] = level
    return out


def luma(picture: NDArray[np.float64]) -> Plane:
    """As a sensor gives it."""
    return np.clip(picture, 0, 255).astype(np.uint8)


def frame(picture: NDArray[np.float64], seconds: float, index: int = 0) -> Frame:
    """A grey frame at a time."""
    return grey_frame(luma(picture), round(seconds * SECOND_NS), index)


def seen(box: Box, score: float = 0.8, subject: Subject = Subject.PERSON) -> Detection:
    """One detection."""
    return Detection(subject, str(subject), score, box)


class ToldDetector:
    """Sees what it is told for each time; counts its looks."""

    def __init__(self, tell: Callable[[float], Iterable[Detection]]) -> None:
        self._tell = tell
        self.looked_at: list[float] = []

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> Sequence[Detection]:
        """What the script says for the frame's time."""
        seconds = frame.t_ns / SECOND_NS
        self.looked_at.append(seconds)
        return tuple(self._tell(seconds))

    def look(self, box: Box) -> Look | None:
        """It sees no looks."""
        return None


def walker(seconds: float, enters: float = 2.0, leaves: float = 6.0) -> Box | None:
    """Where someone is who crosses the picture between two times; none before and after."""
    if not enters <= seconds < leaves:
        return None
    x0 = 10 + (seconds - enters) / (leaves - enters) * (WIDTH - 60)
    return Box(x0, 50, x0 + 40, 150)


def watch_scene(
    picture: Callable[[float], NDArray[np.float64]],
    tell: Callable[[float], Iterable[Detection]],
    *,
    seconds: float,
    fps: float = 10.0,
    mode: ArmMode = ArmMode.AWAY,
    settings: SightSettings | None = None,
    pir: Sequence[float] = (),
) -> tuple[list[Report], ToldDetector, Watch]:
    """Every report of a made scene, with the detector and the watch that gave them."""
    detector = ToldDetector(tell)
    watch = Watch(detector, settings or SightSettings(), lambda number: f"incident-{number}", mode)
    reports: list[Report] = []
    edges = list(pir)
    for index in range(round(seconds * fps)):
        now = index / fps
        edge = edges.pop(0) if edges and edges[0] <= now else None
        reports += watch.step(frame(picture(now), now, index), None if edge is None else round(edge * SECOND_NS))
    reports += watch.close()
    return reports, detector, watch
