"""What there is to watch: labelled clips, whole and under every made condition, and their empty stretches alone.

A job is one run of one system; its key is the hash of everything that it depends on (the clip's bytes, the condition,
the model's bytes, the code), so that what was run once is not run again, and what changed is. See design/sight.md, how
it is measured.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import av

from sealcam import models
from sealcam.board.litert import runtime_name
from sealcam.board.replay import ReplayCamera
from sealcam_verdict import weather
from sealcam_verdict.weather import Strength
from tests.eval.labels import load
from tests.eval.lives import ClipLabels, Stretch

TOP = Path(__file__).resolve().parents[2]
FOLDERS = (
    TOP / "build" / "footage",
    Path("/usr/share/doc/opencv-doc/examples/data"),
    TOP.parent / "shared" / "footage",
)
# What a run depends on beside its clip and its model: how frames are made, and what looks at them.
FRAMES = (
    *(f"firmware/sealcam/board/{name}.py" for name in ("fine", "protocols", "replay")),
    *(f"models/verdict/sealcam_verdict/{name}.py" for name in ("weather", "light", "things", "coding", "planes")),
)
SIGHT = (
    *FRAMES,
    "firmware/sealcam/sight/*.py",
    *(f"firmware/sealcam/{name}.py" for name in ("config", "eyesight", "models", "replay", "verdict_file")),
    "firmware/sealcam/board/litert.py",
    "models/*.tflite",
    *(f"tests/eval/{name}.py" for name in ("watching", "records")),
)
CODE = {
    "sealcam": SIGHT,
    "mog2": (*SIGHT, "tests/eval/mog2.py"),
    "motion": (*FRAMES, "tests/eval/motion.py", "tests/eval/records.py"),
}
# Empty stretches shorter than this are no scene; every one is watched forth and back for so long.
LEAST_S, WATCHED_S = 1.0, 20.0
SEED = 4
REAL = "real"


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording that is here, what was drawn for it, its hash, and the timestamps of its first and last frame."""

    path: Path
    labels: ClipLabels
    sha256: str
    first_s: float
    last_s: float

    @property
    def length_s(self) -> float:
        """From the first frame to the last, in seconds."""
        return self.last_s - self.first_s

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


@dataclass(frozen=True, slots=True)
class Weather:
    """A condition at a strength; the real one has none."""

    name: str
    strength: Strength | None

    def __str__(self) -> str:
        return self.name if self.strength is None else f"{self.name} {self.strength}"


@dataclass(frozen=True, slots=True)
class Job:
    """One run: `system` (sealcam, mog2, motion) with `model` on a clip, whole or an empty stretch of it."""

    system: str
    model: str
    clip: Clip
    stretch: Stretch | None
    weather: Weather
    code: str

    @property
    def key(self) -> str:
        """The name of its result: a hash of what it depends on."""
        span = None if self.stretch is None else (self.stretch.from_s, self.stretch.to_s, WATCHED_S)
        parts = (self.system, self.model, self.clip.sha256, span, str(self.weather), SEED, self.code)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]

    @property
    def length_s(self) -> float:
        """About how long is watched, in seconds of footage."""
        return self.clip.length_s if self.stretch is None else max(WATCHED_S, self.stretch.length_s)


def clips(folder: Path, names: Sequence[str] = (), footage: Sequence[Path] = FOLDERS) -> tuple[Clip, ...]:
    """The clips that have labels in `folder` and whose recording is in `footage`; `names` (stems) choose among them."""
    found = []
    for file in sorted(folder.glob("*.toml")):
        labels = load(file)
        if names and Path(labels.clip).stem not in names:
            continue
        path = next((place / labels.clip for place in footage if (place / labels.clip).is_file()), None)
        if path is not None:
            found.append(Clip(path, labels, hashlib.sha256(path.read_bytes()).hexdigest(), *_span_s(path)))
    return tuple(found)


def missing(folder: Path, footage: Sequence[Path] = FOLDERS) -> tuple[str, ...]:
    """Clips that have labels and aren't here."""
    wanted = [load(file).clip for file in sorted(folder.glob("*.toml"))]
    return tuple(clip for clip in wanted if not any((place / clip).is_file() for place in footage))


def conditions(*, quick: bool, strengths: Sequence[Strength] = tuple(Strength)) -> tuple[Weather, ...]:
    """The real one, then every made one at each of these strengths; quick: the mild ones of three."""
    if quick:
        return (Weather(REAL, None), *(Weather(name, Strength.MILD) for name in ("night", "light-step", "rain")))
    return (Weather(REAL, None), *(Weather(name, s) for s in strengths for name in weather.NAMES))


def jobs(chosen: Iterable[Clip], systems: Sequence[tuple[str, str]], weathers: Sequence[Weather]) -> Iterator[Job]:
    """Every run: the systems in their order (each a name and a model), the conditions in theirs, short clips first."""
    ordered = sorted(chosen, key=lambda clip: clip.path.stat().st_size)
    for system, model in systems:
        stamp = code(system, model)
        for one, clip in product(weathers, ordered):
            job = Job(system, model, clip, None, one, stamp)
            if clip.labels.lives:
                yield job
            empty = (stretch for stretch in clip.labels.empty if stretch.length_s >= LEAST_S)
            yield from (replace(job, stretch=stretch) for stretch in empty)


def code(system: str, model: str) -> str:
    """A hash of what watches: the system's code, and the model's file and the runtime, or motion's own name."""
    digest = hashlib.sha256()
    for pattern in CODE[system]:
        for path in sorted(TOP.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    if model:
        digest.update(runtime_name().encode() + models.load(model, runtime_name()).content)
    else:
        digest.update(motion_version().encode())
    return digest.hexdigest()


def motion_version() -> str:
    """What Debian's motion calls itself, empty where it isn't installed."""
    program = shutil.which("motion")
    if program is None:
        return ""
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False).stdout
    return said.partition(",")[0].strip()


def _span_s(path: Path) -> tuple[float, float]:
    """Timestamps of the first and the last frame: labels count from the file's own zero, sight from its first frame."""
    last_ns = 0
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0))
        first_s = float(picture.pts * picture.time_base) if picture.pts is not None else 0.0
    for frame in ReplayCamera(path).frames():
        last_ns = frame.t_ns
    return first_s, first_s + last_ns / 1e9
