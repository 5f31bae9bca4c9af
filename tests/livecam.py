"""A claimed camera that can be looked at live, for tests, and somebody who looks: the hub's end of the wire."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import av

from sealcam.board.encoder import X264Encoder
from sealcam.board.protocols import Encoder, Frame
from sealcam.clip_settings import ClipSettings
from sealcam.clips import ClipFolder
from sealcam.clocks import SimulatedClock
from sealcam.freight import Load
from sealcam.live import Live
from sealcam.livetap import LiveTap
from sealcam.messages import Way
from sealcam.outbox import Outbox
from sealcam.recorder import Parts, Recorder
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.types import ArmMode, Report
from sealcam.stamps import Stamps
from sealcam.wire import schema
from sealcam.wire.bodies import ClockQuality, EventType, HealthBody
from sealcam.wire.clip import ClipInfo, content_key, read_info
from sealcam.wire.envelope import Opened
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.keys import BoxKey
from sealcam.wire.live import Content, LiveReader, Part, read_start
from sealcam.wire.wishes import LiveWish
from tests.chains import follow, queued
from tests.claimed import Household, household
from tests.films import frames, ns
from tests.recording import SETTINGS

SESSION, OTHER = b"s" * 16, b"t" * 16


@dataclass
class Looker:
    """A hub that looks at one session: takes what counts, drops all else, as wire.md section 15 says."""

    session: bytes
    signers: Iterable[bytes]
    keys: list[BoxKey]
    parts: list[Part] = field(default_factory=list)
    infos: list[ClipInfo] = field(default_factory=list)
    epochs: list[tuple[int, int]] = field(default_factory=list)
    dropped: int = 0

    def __post_init__(self) -> None:
        self._reader: LiveReader | None = None
        self._known: set[bytes] = set()
        self._next = 0
        self._waits = True

    def hear(self, message: bytes) -> None:
        """Take one message."""
        try:
            header = read_start(message, self.session, tuple(self.signers))
            if header is None:
                self._part(message)
            elif header.hash not in self._known:
                self._known.add(header.hash)
                key = content_key(header, self.keys)
                self._reader, self._next, self._waits = LiveReader(header, key), 0, True
                self.infos.append(read_info(header, key))
                self.epochs.append((header.epoch, header.recipient_set))
        except EnvelopeError:
            self.dropped += 1

    def _part(self, message: bytes) -> None:
        if self._reader is None:
            raise EnvelopeError
        part = self._reader.open(message)
        self._waits = (self._waits or part.number != self._next) and part.content is not Content.BEGINNING
        self._next = part.number + 1
        if not self._waits or part.content is Content.END:
            self.parts.append(part)

    @property
    def pictures(self) -> list[Part]:
        return [part for part in self.parts if part.content in (Content.KEYFRAME, Content.PICTURES)]

    @property
    def seen_ms(self) -> list[int]:
        """When each picture was taken."""
        return [part.seen_ns // 1_000_000 for part in self.pictures]

    @property
    def ended(self) -> bool:
        return bool(self.parts) and self.parts[-1].content is Content.END

    def played_ms(self) -> list[int]:
        """What a player shows: every picture decoded, with the time at which it stands."""
        return played_ms(self.parts)


def played_ms(parts: Iterable[Part]) -> list[int]:
    """Decode every picture of a stream that has one look."""
    stream: list[bytes] = []
    for part in parts:
        if part.content is not Content.BEGINNING or part.data not in stream:
            stream.append(part.data)
    with av.open(io.BytesIO(b"".join(stream)), format="mp4") as container:
        return [round(one.pts * one.time_base * 1000) for one in container.decode(video=0)]


class LiveCamera:
    """A camera's recorder and live view on a clock of the test's; the link is `drain`."""

    def __init__(
        self,
        folder: Path,
        encoder: Callable[[], Encoder] | None = None,
        settings: ClipSettings = SETTINGS,
    ) -> None:
        self.home: Household = household(folder / "eye")
        self.outbox = Outbox(folder / "eye" / "outbox.db", max_bytes=1 << 30)
        self.clock = SimulatedClock(boot_ns=ns(100), wall_ns=1_790_000_000 * 10**9)
        stamps = Stamps(self.clock, lambda: ClockQuality.SYNCHRONISED)
        self.sealing = Sealing(self.home.camera, self.outbox, stamps.now)
        self.sealer = Sealer(self.sealing, self.clock, lambda: Watching(0, 0, 0, ArmMode.AWAY), stamps)
        self.private = False
        self.woken = 0
        self.live = Live(self.clock, private=lambda: self.private, tell=self.sealer.health, wake=self._wake)
        self.tap = LiveTap(self.live, self.clock, self.sealing.live_seal, stamps.at, "the front door")
        self.signers = [self.home.camera.signer.public]
        clips = ClipFolder(folder / "clips")
        self.recorder = Recorder(
            Parts(
                settings=settings,
                encoder=encoder or partial(X264Encoder, fps=settings.fps, bytes_per_s=settings.bytes_per_s),
                folder=clips,
                seal=self.sealing.clip_seal,
                stamp=stamps.at,
                voice=self.sealer,
                recover=lambda: None,
                tap=self.tap,
            )
        )
        self.taken: list[Load] = []
        self.lookers: list[Looker] = []

    def _wake(self) -> None:
        self.woken += 1

    def looker(self, session: bytes = SESSION) -> Looker:
        """Somebody who hears all that leaves from now on."""
        self.lookers.append(Looker(session, self.signers, [self.home.prekey]))
        return self.lookers[-1]

    def ask(self, seconds: int, session: bytes = SESSION) -> str:
        return self.live.wish(LiveWish(session=session, seconds=seconds))

    def drain(self, most: int = 1 << 20) -> list[Load]:
        """What leaves now."""
        gone: list[Load] = []
        while len(gone) < most and (load := self.live.next(self.clock.boot_ns())) is not None:
            assert load.way is Way.LIVE
            gone.append(load)
            for one in self.lookers:
                if one.session == load.id:
                    one.hear(load.payload)
        self.taken += gone
        return gone

    def film(
        self,
        seconds: float,
        *,
        size: tuple[int, int] = (64, 48),
        fps: float = 10.0,
        reports: tuple[Report, ...] = (),
        link: bool = True,
    ) -> list[Frame]:
        """Frames from now on, each of which leaves at once if there is a link; the reports come with the first."""
        start_s = self.clock.boot_ns() / 1e9
        shown = []
        for report in reports:
            self.sealer.report(report)
        for index, one in enumerate(frames(seconds, fps=fps, start_s=start_s, size=size)):
            self.tap.tend()
            self.recorder.take(one, () if index else reports)
            shown.append(one)
            if link:
                self.drain()
            self.clock.advance(1 / fps)
        return shown

    def chain(self) -> list[Opened]:
        return follow(queued(self.outbox), self.signers[0], self.home.prekey)

    def health(self) -> list[tuple[str, str]]:
        bodies = [schema.decode(one.body, HealthBody) for one in self.chain() if one.kind == EventType.HEALTH]
        return [(one.code, one.detail) for one in bodies]

    @property
    def codes(self) -> list[str]:
        return [code for code, _ in self.health()]

    def close(self) -> None:
        self.outbox.close()


def milliseconds(shown: Iterable[Frame]) -> list[int]:
    """When these frames were taken."""
    return [one.t_ns // 1_000_000 for one in shown]


def short(settings: ClipSettings = SETTINGS, **changes: object) -> ClipSettings:
    """Settings that differ in this."""
    return replace(settings, **changes)  # type: ignore[arg-type]
