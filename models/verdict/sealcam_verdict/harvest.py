"""`python -m sealcam_verdict.harvest`: the features of incidents in real clips under made conditions, as a table.

Sight runs over stretches of four recordings of which a person said what is in them, as recorded and under every made
condition at both strengths; what the judge is shown at an incident's first report, in its middle and at its end is
written to `real.csv`. Half an hour on one thread; only who changes sight and wants the model to follow needs it, and
the clips for it.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from sealcam import config
from sealcam.board.protocols import Frame
from sealcam.board.replay import ReplayCamera
from sealcam.eyesight import open_detector
from sealcam.sight.judge import Rules
from sealcam.sight.types import ArmMode, Stage
from sealcam.sight.verdict import IncidentFeatures, Judgement
from sealcam.sight.watch import Watch
from sealcam_verdict import real
from sealcam_verdict.weather import NAMES, Strength, made

SEED = 4
AS_RECORDED = "as recorded"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a clip, in seconds of its own timestamps, and what is in it from its first to its last frame."""

    clip: str
    from_s: float
    to_s: float
    truth: str


# Said by a person who looked at the pictures. vtest has walkers in view all the time: ten stretches of it are ten
# incidents. What comes into `tree` at its end is left out.
STRETCHES = (
    *(Stretch("vtest.avi", 8.0 * part, 8.0 * part + 8.0, "threat") for part in range(10)),
    Stretch("test2-cam-person1.mkv", 0.0, 4.1, "threat"),
    Stretch("test2-cam-person1.mkv", 4.5, 6.0, "false_alarm"),
    Stretch("car-detection.mp4", 0.0, 4.2, "false_alarm"),
    Stretch("car-detection.mp4", 3.0, 10.5, "benign"),
    Stretch("car-detection.mp4", 9.4, 14.0, "false_alarm"),
    Stretch("car-detection.mp4", 13.0, 20.0, "benign"),
    Stretch("car-detection.mp4", 19.4, 25.0, "false_alarm"),
    Stretch("car-detection.mp4", 24.0, 29.0, "benign"),
    Stretch("tree.avi", 0.0, 22.5, "false_alarm"),
)


class Listener:
    """A judge that remembers what it was shown; the rules answer."""

    def __init__(self) -> None:
        self.shown: list[IncidentFeatures] = []
        self._rules = Rules()

    def judge(self, features: IncidentFeatures, mode: ArmMode, *, worded: bool = True) -> Judgement:
        """The rules' judgement."""
        self.shown.append(features)
        return self._rules.judge(features, mode, worded=worded)


def moments(frames: Iterator[Frame]) -> Iterator[tuple[IncidentFeatures, ...]]:
    """For each incident that was reported in these frames, its features at the first report, the middle and the end."""
    listener = Listener()
    settings = config.Config()
    watch = Watch(open_detector(settings.model), settings.sight, str, ArmMode.AWAY, judge=listener)
    begun = 0
    for frame in (*frames, None):
        for report in watch.step(frame) if frame is not None else watch.close():
            if report.stage is Stage.NEW:
                begun = len(listener.shown) - 1
            if report.stage is Stage.END:
                told = listener.shown[begun:]
                yield tuple({id(one): one for one in (told[0], told[len(told) // 2], told[-1])}.values())


def rows(stretch: Stretch, path: Path, condition: str, strength: Strength | None) -> Iterator[list[object]]:
    """The table's rows for one stretch under one condition."""
    whole = ReplayCamera(path).frames()
    frames = (frame for frame in whole if stretch.from_s <= frame.t_ns / 1e9 < stretch.to_s)
    seen = frames if strength is None else made(frames, condition, strength, SEED)
    name = condition if strength is None else f"{condition}, {strength}"
    for number, incident in enumerate(moments(iter(seen))):
        for features in incident:
            values = [float(getattr(features, column)) for column in real.COLUMNS]
            number_of = f"{stretch.from_s:g}s-{number}"
            yield [stretch.clip, name, number_of, stretch.truth, str(features.subject), *(f"{v:.6g}" for v in values)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table; 0 when done."""
    parser = argparse.ArgumentParser(prog="sealcam_verdict.harvest", description="features of real incidents")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="where the clips lie")
    parser.add_argument("--to", type=Path, default=real.TABLE, metavar="FILE")
    parser.add_argument("--only", choices=("mild", "hard"), help="one strength alone")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    strengths = [s for s in Strength if options.only in (None, str(s))]
    conditions = [(AS_RECORDED, None), *((name, strength) for strength in strengths for name in NAMES)]
    with options.to.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["clip", "condition", "incident", "truth", "subject", *real.COLUMNS])
        for condition, strength in conditions:
            for stretch in STRETCHES:
                path = next(f / stretch.clip for f in options.folders if (f / stretch.clip).is_file())
                table.writerows(rows(stretch, path, condition, strength))
            file.flush()
            sys.stderr.write(f"{condition} {strength or ''}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
