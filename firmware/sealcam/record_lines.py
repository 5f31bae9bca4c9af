"""What `sealcam record` prints: a line for each clip as it ends, for programs or for people, and what went wrong.

The names and the order of the fields are a contract that tools outside the project rely on.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sealcam.clips import Fate
from sealcam.openclip import Recorded
from sealcam.replay_lines import Progress
from sealcam.sight.types import Report
from sealcam.wire.bodies import ClipKey


@dataclass(slots=True)
class Desk:
    """What is told of a run: a line for each clip as it ends, and what went wrong. The owner's ear for the recorder."""

    name: str
    folder: Path
    json: bool
    failed: bool = False
    _clips: int = 0
    _frames: int = 0
    _footage_ns: int = 0
    _progress: Progress = field(init=False)

    def __post_init__(self) -> None:
        self._progress = Progress(sys.stderr, self.name, time.monotonic)

    def report(self, report: Report, clip: ClipKey | None = None) -> None:
        """Nobody is told by an event here: a recipient finds the key in the clip's header."""

    def clip(self, fate: Fate) -> None:
        """What became of a clip stands in its own checkpoints."""

    def health(self, code: str, detail: str) -> None:
        """Say what went wrong."""
        if code == "picture-resized":
            self._aside(f"sealcam: note: {detail}; it goes on in another clip")
        else:
            self.complain(f"sealcam: warning: {detail}")

    def warn(self, words: str) -> None:
        """Say what is not as it might be, and go on."""
        self._aside(f"sealcam: warning: {words}")

    def complain(self, words: str) -> None:
        """Say it, and end with a failure."""
        self._aside(words)
        self.failed = True

    def saw(self, t_ns: int, clips: Iterable[Recorded]) -> None:
        """A frame was taken, and these clips have ended."""
        self._frames += 1
        self._footage_ns = t_ns
        self.ended(clips)
        self._progress.show(self._frames, t_ns / 1e9)

    def ended(self, clips: Iterable[Recorded]) -> None:
        """These clips have ended."""
        for one in clips:
            self._progress.clear()
            self._clips += 1
            sys.stdout.write((_json(one, self.folder) if self.json else _plain(one, self.folder)) + "\n")
            sys.stdout.flush()

    def sum_up(self) -> None:
        """For people: how much there was."""
        self._progress.clear()
        if not self.json:
            clips = "1 clip" if self._clips == 1 else f"{self._clips} clips"
            sys.stdout.write(f"{clips} from {self._footage_ns / 1e9:.1f} s of footage in {self.folder}\n")

    def _aside(self, words: str) -> None:
        self._progress.clear()
        sys.stderr.write(words + "\n")


def _path(one: Recorded, folder: Path) -> Path:
    return folder / f"{one.clip.hex()}.scl1"


def _trigger_s(one: Recorded) -> float | None:
    return None if one.trigger_ns is None else round((one.trigger_ns - one.start_ns) / 1e9, 6)


def _json(one: Recorded, folder: Path) -> str:
    """For programs; times in seconds, `trigger_s` from the clip's first picture, `started_s` from the footage's."""
    path = _path(one, folder)
    return json.dumps(
        {
            "file": str(path),
            "clip": one.clip.hex(),
            "incident": one.incident,
            "part": one.part,
            "started_s": round(one.start_ns / 1e9, 6),
            "trigger_s": _trigger_s(one),
            "seconds": round((one.end_ns - one.start_ns) / 1e9, 6),
            "bytes": path.stat().st_size,
            "video_bytes": one.size_bytes,
            "verdict": str(one.verdict),
        }
    )


def _plain(one: Recorded, folder: Path) -> str:
    trigger_s = _trigger_s(one)
    trigger = f"part {one.part}" if trigger_s is None else f"trigger at {trigger_s:.1f} s"
    span = f"{one.start_ns / 1e9:.1f} to {one.end_ns / 1e9:.1f} s"
    verdict = str(one.verdict).replace("_", " ")
    return f"{_path(one, folder)}: {span}  {verdict}, {trigger}, {one.size_bytes / 1e6:.1f} MB"
