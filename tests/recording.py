"""A recorder in a folder, for tests: with the real encoder, keys of `scl1`, and an ear for what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from sealcam.board.encoder import X264Encoder
from sealcam.board.protocols import Encoder
from sealcam.clip_settings import ClipSettings
from sealcam.clips import ClipFolder
from sealcam.openclip import Recorded
from sealcam.recorder import Parts, Recorder
from sealcam.sealing import Seal
from sealcam.sight.types import Report, Stage
from sealcam.term import Term
from sealcam.wire.bodies import ClockQuality, Stamp
from tests.films import Ear, ns, report, shown, video
from tests.scl1 import RECIPIENTS, SIGNER

SETTINGS = ClipSettings(pre_roll_s=3, post_roll_s=2, longest_s=60, bytes_per_s=100_000)


class Rig:
    """A recorder with a folder, and what it said."""

    def __init__(
        self,
        path: Path,
        settings: ClipSettings = SETTINGS,
        ear: Ear | None = None,
        encoder: Callable[[], Encoder] | None = None,
        room: Callable[[], None] = lambda: None,
    ) -> None:
        self.path = path
        self.ear = ear or Ear()
        self.terms: list[Term] = []
        self.wall_ns = 1_790_000_000 * 10**9
        self.folder = ClipFolder(path)
        self.recorder = Recorder(
            Parts(
                settings=settings,
                encoder=encoder or partial(X264Encoder, fps=settings.fps, bytes_per_s=settings.bytes_per_s),
                folder=self.folder,
                seal=self._seal,
                stamp=self._stamp,
                voice=self.ear,
                recover=partial(self.folder.recover, [SIGNER.public], SIGNER, 3, self.ear.clip),
                name="the front door",
                room=room,
            )
        )

    def _seal(self) -> Seal:
        self.terms.append(Term())
        return Seal(SIGNER, 3, [RECIPIENTS[0].public], 7, self.terms[-1])

    def _stamp(self, t_ns: int) -> Stamp:
        return Stamp(boot=b"b" * 16, boot_ns=t_ns, wall_ns=self.wall_ns + t_ns, quality=ClockQuality.UNKNOWN)

    def file(self, one: Recorded) -> Path:
        """Where a clip is once its end was told."""
        return self.path / f"{one.clip.hex()}.scl1"

    def pictures(self, one: Recorded) -> list[int]:
        """The times of a clip's pictures in milliseconds on the source's clock."""
        played = shown(video(self.file(one)))
        assert played.duration_us == (one.end_ns - one.start_ns) // 1000
        return [(one.start_ns // 1000 + time_us + 500) // 1000 for time_us in played.times_us]


def incident(
    new_s: float, end_s: float, started_s: float | None = None, **changes: object
) -> dict[float, list[Report]]:
    """What is said of an incident, by when."""
    began = new_s if started_s is None else started_s
    new = report(Stage.NEW, new_s, began, **changes)
    return {new_s: [new], end_s: [replace(new, stage=Stage.END, t_ns=ns(end_s))]}


def milliseconds(first_s: float, last_s: float) -> list[int]:
    """Every picture of ten a second."""
    return list(range(round(first_s * 1000), round(last_s * 1000) + 1, 100))
