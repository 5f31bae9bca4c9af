"""`sealcam replay`: the whole of sight on recorded files, as fast as it goes, without network or keys.

Every frame is taken, time is the file's timestamps, ids derive from the clip's hash and one thread does everything:
incident lines are the same byte for byte in every run on one machine and runtime. One incident is one line, written
when it has ended; a clip that can't be read (to its end) hides nothing of what the others hold. What is printed is
`replay_lines`'s.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from sealcam import config
from sealcam.board.replay import ReplayCamera
from sealcam.board.stopwatch import TimedNetwork
from sealcam.eyesight import open_detector
from sealcam.replay_lines import IncidentLine, JsonLines, PlainLines, Progress, Tally
from sealcam.replay_orders import RecordedOrders
from sealcam.sight.panel import Trouble
from sealcam.sight.surroundings import Surroundings
from sealcam.sight.types import ArmMode, Report, Stage
from sealcam.sight.verdict import Judge
from sealcam.sight.watch import Watch
from sealcam.verdicts import open_judge
from sealcam.wire.errors import ClipError, describe

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

    from sealcam.board.protocols import Camera, Network


def add_parser(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command's parser."""
    parser = commands.add_parser("replay", help="the whole of sight on recorded files, as fast as it goes")
    parser.add_argument("clips", nargs="+", type=Path, metavar="CLIP", help="a recorded file")
    parser.add_argument("--json", action="store_true", help="one JSON line an incident, then a summary")
    parser.add_argument(
        "--arm", choices=[str(mode) for mode in ArmMode], help="default: the configuration's, or its schedule's"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help=f"default {config.DEFAULT_PATH}")
    parser.add_argument(
        "--at",
        type=moment,
        metavar="TIME",
        help="when the recording began: 2026-11-22T01:00:00+01:00; by it the schedule is applied",
    )
    parser.add_argument("--paced", action="store_true", help="in real time, dropping and counting what comes too late")


def run(options: argparse.Namespace) -> int:
    """Replay the clips; 0 when every one was read to its end, else 1."""
    settings = config.load(options.config)
    cv2.setNumThreads(1)
    networks: list[TimedNetwork] = []
    show = JsonLines(sys.stdout) if options.json else PlainLines(sys.stdout, options.at)
    tally = Tally(model=settings.model.name)
    mode = settings.arm if options.arm is None else ArmMode(options.arm)
    failed = False
    begun = time.perf_counter()
    for path in options.clips:
        progress = Progress(sys.stderr, path.name, time.monotonic)
        try:
            camera = ReplayCamera(path, paced=options.paced)
            sight = open_watch(settings, path, mode, networks)
            orders = RecordedOrders(
                sight.watch, settings.scene.timetable, mode, options.at, fixed=options.arm is not None
            )
            if orders.in_vain and path == options.clips[0]:
                sys.stderr.write("sealcam: note: the schedule isn't applied: --at says when the recording began\n")
            tend = partial(_tend, sight, path.name, tally, progress)
            for line in play(path.name, camera, sight.watch, tally, progress, orders.take, tend):
                show.incident(line)
        except ClipError as error:
            progress.clear()
            sys.stderr.write(describe("sealcam", error) + "\n")
            failed = True
    tally.elapsed_s = time.perf_counter() - begun
    tally.invoke_ns = [spent_ns for network in networks for spent_ns in network.invoke_ns]
    show.summary(tally)
    return 1 if failed else 0


@dataclass(frozen=True, slots=True)
class Sight:
    """Sight for one source; `tend` sees to its detector after each frame, and says what is wrong with its models."""

    watch: Watch
    tend: Callable[[int], Sequence[Trouble]]


def open_watch(
    settings: config.Config, path: Path, mode: ArmMode, networks: list[TimedNetwork], judge: Judge | None = None
) -> Sight:
    """Sight for one clip as the configuration wants it; its networks are appended to `networks`, each with its times.

    `make eval` watches with it too, so that what is measured is what runs. `judge`: another one than the installed.

    Raises:
        ModelError: the model isn't here, isn't what the manifest says, or no runtime is installed.
    """

    def timed(network: Network) -> Network:
        networks.append(TimedNetwork(network, time.perf_counter_ns))
        return networks[-1]

    detector = open_detector(settings.model, wrap=timed)
    judge = judge if judge is not None else open_judge(lambda why: detector.note(Trouble("verdict-model", why)))
    watch = Watch(
        detector,
        settings.sight,
        incident_ids(path),
        mode,
        judge=judge,
        timer=time.perf_counter_ns,
        surroundings=Surroundings(place=settings.scene.place),
    )
    return Sight(watch, detector.tend)


def _tend(sight: Sight, clip: str, tally: Tally, progress: Progress, t_ns: int) -> None:
    """What is wrong with the models goes into the summary, and at once, once, to whoever looks."""
    for trouble in sight.tend(t_ns):
        if tally.troubled(clip, trouble):
            progress.clear()
            sys.stderr.write(f"sealcam: warning: {trouble.words}\n")


def play(
    clip: str,
    camera: ReplayCamera | Camera,
    watch: Watch,
    tally: Tally,
    progress: Progress | None = None,
    orders: Callable[[int], None] = lambda _: None,
    tend: Callable[[int], None] = lambda _: None,
) -> Iterator[IncidentLine]:
    """The incidents of one source, each when it has ended; what is open when the source ends, ends with it.

    `orders` is called before each frame with its time in ns since the first one, `tend` after each with the source's.

    Raises:
        ClipError: the source is damaged; everything that it held before has been given.
    """
    first_ns = last_ns = 0
    failure: ClipError | None = None
    try:
        for count, frame in enumerate(camera.frames()):
            first_ns = frame.t_ns if count == 0 else first_ns
            last_ns = frame.t_ns
            orders(max(0, frame.t_ns - first_ns))
            yield from _ended(clip, watch.step(frame), first_ns, tally)
            tally.tampered(clip, watch.tamperings(), first_ns)
            tend(frame.t_ns)
            if progress is not None:
                progress.show(count + 1, (last_ns - first_ns) / 1e9)
    except ClipError as error:
        failure = error
    finally:
        camera.close()
    if progress is not None:
        progress.clear()
    yield from _ended(clip, watch.close(), first_ns, tally)
    tally.tampered(clip, watch.tamperings(), first_ns)
    tally.add(watch.stats, (last_ns - first_ns) / 1e9, getattr(camera, "dropped", 0))
    if failure is not None:
        raise failure


def _ended(clip: str, reports: Sequence[Report], first_ns: int, tally: Tally) -> Iterator[IncidentLine]:
    for report in reports:
        if report.stage is not Stage.END:
            continue
        tally.incidents += 1
        yield IncidentLine(
            clip=clip,
            incident=report.incident,
            trigger=str(report.trigger),
            started_s=round((report.started_ns - first_ns) / 1e9, 3),
            ended_s=round((report.ended_ns - first_ns) / 1e9, 3),
            subject=str(report.subject),
            confidence=round(report.confidence, 3),
            verdict=str(report.verdict),
            threat=round(report.threat, 3),
            reasons=report.reasons,
            detector_runs=report.detector_runs,
        )


def incident_ids(path: Path) -> Callable[[int], str]:
    """Ids from the clip's content and the incident's number: the same in every run, whatever the file is called."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        pass  # it can't be opened as a clip either, and that error says why
    return lambda number: hashlib.sha256(digest.digest() + number.to_bytes(4, "big")).hexdigest()[:16]


def moment(text: str) -> datetime:
    """A time as a person writes it on the command line, for argparse."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo is not None else moment.astimezone()
    except ValueError as error:
        words = f"{text!r} is not a time; write it as 2026-11-22T01:00:00+01:00"
        raise argparse.ArgumentTypeError(words) from error
