"""The baseline that people run: Debian's `motion`, with its own defaults, on the same files.

It reads a file in real time (`netcam_url file://`) and says when an event begins and ends; it knows no subjects, so
every event is an alarm. Frames under a made condition are written to a file for it first. See design/sight.md, how it
is measured.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np

from sealcam.board.protocols import Frame
from sealcam.sight.types import Subject, Verdict
from tests.eval.plan import Job, motion_version
from tests.eval.records import Run, Said
from tests.eval.watching import Clockwork, source

# Its defaults stand, but for what concerns files, ports and this one: an event ends after so many seconds of calm, as
# an incident of ours does.
GAP_S, ENOUGH_S = 5, 60
_CONFIG = """daemon off
setup_mode off
log_level 6
netcam_url file://{clip}
netcam_params capture_rate={fps}
framerate {fps}
width {width}
height {height}
event_gap {gap}
picture_output off
movie_output off
webcontrol_port 0
stream_port 0
target_dir {folder}
"""


def here() -> bool:
    """Whether the program is installed."""
    return bool(motion_version())


def watch(job: Job) -> Run:
    """One run of `motion` over the job's frames, in real time.

    Raises:
        OSError: it can't be started.
    """
    with tempfile.TemporaryDirectory(prefix="sealcam-motion-") as folder:
        clip, clock = Path(folder) / "clip.mkv", Clockwork(job)
        size, fps = _record(job, clip, clock)
        config = Path(folder) / "motion.conf"
        words = _CONFIG.format(clip=clip, fps=fps, width=size[0], height=size[1], gap=GAP_S, folder=folder)
        config.write_text(words, encoding="utf-8")
        marks = _follow(config, clock.watched_s)
    return Run(clock.watched_s, clock.frames, 0, (), tuple(said_of(marks, clock)))


def _record(job: Job, path: Path, clock: Clockwork) -> tuple[tuple[int, int], int]:
    """Write the frames as they are given, nearly without loss; their size, and how many there are a second."""
    frames = source(job)
    first = next(frames)
    height, width = first.height // 2 * 2, first.width // 2 * 2
    times = []
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", Fraction(30))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        stream.options, stream.thread_count = {"crf": "8", "preset": "ultrafast", "tune": "zerolatency"}, 1
        for frame in (first, *frames):
            times.append(clock.tick(frame))
            picture = _picture(frame, height, width)
            picture.pts, picture.time_base = round((times[-1] - times[0]) * 1000), Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    gap_s = median(b - a for a, b in pairwise(times)) if len(times) > 1 else 0.1
    return (width, height), max(2, min(30, round(1 / max(gap_s, 1e-3))))


def _picture(frame: Frame, height: int, width: int) -> Any:
    planes = (frame.y[:height, :width], frame.u[: height // 2, : width // 2], frame.v[: height // 2, : width // 2])
    packed = np.concatenate([plane.ravel() for plane in planes]).reshape(height * 3 // 2, width)
    return av.VideoFrame.from_ndarray(packed, format="yuv420p")


def _follow(config: Path, seconds: float) -> list[tuple[str, float]]:
    """What it said and when: `start` and `end` of events, in seconds since it was connected with its file."""
    marks: list[tuple[str, float]] = []
    connected: float | None = None
    # Should this process be killed, motion would begin the file again and again: it gets a time of its own.
    command = ["timeout", str(round(seconds + ENOUGH_S)), "motion", "-n", "-c", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                now = time.monotonic()
                if connected is None:
                    connected = now if "norm: Camera" in line and "connected" in line else None
                    continue
                if "starting event" in line:
                    marks.append(("start", now - connected))
                elif "End of event" in line:
                    marks.append(("end", now - connected))
                elif "Reconnecting" in line or now - connected > seconds + GAP_S:
                    break  # it begins the file again when it ends
        finally:
            process.terminate()
    return [mark for mark in marks if mark[1] <= seconds + GAP_S]


def said_of(marks: list[tuple[str, float]], clock: Clockwork) -> list[Said]:
    """Its events as reports: a threat each, since it can't say what it is; what still runs ends with the clip."""
    said: list[Said] = []
    for kind, at_s in [*marks, ("end", clock.watched_s)]:
        t_s = round(clock.first_s + min(at_s, clock.watched_s), 3)
        number = sum(one.stage == "new" for one in said)
        if kind == "start":
            name = f"event-{number + 1}"
            subject, verdict = str(Subject.NONE), str(Verdict.THREAT)
            said.append(Said(t_s, "new", name, subject, verdict, 1.0, t_s, t_s, (), ()))
        elif said and said[-1].stage == "new":
            last = said[-1]
            said.append(Said(t_s, "end", last.incident, last.subject, last.verdict, 1.0, last.started_s, t_s, (), ()))
    return said
