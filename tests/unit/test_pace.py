"""When what leaves: with cover traffic, times and sizes are the same whatever happens in front of the camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealcam.clips import Fate
from sealcam.clocks import SimulatedClock
from sealcam.outbox import Outbox
from sealcam.pace import AHEAD_NS, LATE_NS, SLOT_NS, CoverPace, InstantPace, Parcel
from sealcam.pieces import COVER_PADDED_BYTES
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.sight.types import ArmMode, Box, Picture, Report, Stage, Subject, Trigger, Verdict
from sealcam.stamps import Stamps
from sealcam.wire import schema
from sealcam.wire.bodies import (
    BeatBody,
    ClipKey,
    ClipState,
    ClockQuality,
    EventType,
    HealthBody,
    IncidentBody,
    Outcome,
    PieceBody,
    Traffic,
)
from sealcam.wire.envelope import Opened
from sealcam.wire.sealed import Sealed, envelope_hash
from tests.claimed import household

NS = 1_000_000_000
ENVELOPE_BYTES = 54 + 4 * 80 + COVER_PADDED_BYTES + 16 + 64


def picture(seed: int = 1) -> Picture:
    """Noise, which JPEG can't make small."""
    noise = np.random.default_rng(seed).integers(0, 255, (720, 1280), np.uint8)
    half = np.full((360, 640), 128, np.uint8)
    return Picture(noise, half, half, Box(300, 200, 500, 600), 0)


def report(stage: Stage, reasons: tuple[str, ...] = ("a person was seen",), image: Picture | None = None) -> Report:
    return Report(
        stage=stage,
        incident="00" * 8,
        trigger=Trigger.MOTION,
        t_ns=5 * NS,
        started_ns=4 * NS,
        ended_ns=5 * NS,
        subject=Subject.PERSON,
        confidence=0.9,
        verdict=Verdict.THREAT,
        threat=0.9,
        reasons=reasons,
        mode=ArmMode.AWAY,
        detector_runs=3,
        picture=image,
    )


@dataclass
class Camera:
    """A claimed camera with cover traffic, from sealer to pace, in simulated time."""

    folder: Path
    left: list[tuple[int, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home = household(self.folder)
        self.clock = SimulatedClock(boot_ns=100 * NS)
        self.outbox = Outbox(self.folder / "outbox.db", max_bytes=1 << 24)
        stamps = Stamps(self.clock, lambda: ClockQuality.UNKNOWN)
        self.sealing = Sealing(self.home.camera, self.outbox, stamps.now, padded=COVER_PADDED_BYTES)
        watching = Watching(0, 0, 0, ArmMode.AWAY)
        self.sealer = Sealer(self.sealing, self.clock, lambda: watching, stamps, Traffic.COVER)
        self.pace = CoverPace(InstantPace(self.outbox, self.sealer.beat), self.sealer.cover)
        self.pace.resumed(self.clock.boot_ns())

    def live(self, seconds: float, happens: Callable[[float], None] = lambda _: None, step_s: float = 0.05) -> None:
        """Let time pass; the link asks whenever it wakes, and the hub receipts each envelope at once."""
        for turn in range(round(seconds / step_s)):
            happens(turn * step_s)
            self.clock.advance(step_s)
            now_ns = self.clock.boot_ns()
            parcel = self.pace.take(now_ns)
            if parcel is not None:
                self.left.append((now_ns, parcel.envelope))
                if parcel.seq is not None:
                    self.outbox.published(parcel.seq, now_ns)
                assert self.outbox.acknowledge(self.receipted(parcel)) == (parcel.seq is not None)

    def receipted(self, parcel: Parcel) -> bytes:
        return envelope_hash(parcel.envelope)

    def shape(self) -> list[tuple[int, int]]:
        return [(at, len(envelope)) for at, envelope in self.left]

    def opened(self) -> list[Opened]:
        return [self.home.open(envelope) for _, envelope in self.left]


@pytest.fixture
def camera(tmp_path: Path) -> Camera:
    return Camera(tmp_path)


def test_what_leaves_has_the_same_times_and_sizes_with_and_without_incidents(tmp_path: Path) -> None:
    quiet, busy = Camera(tmp_path / "quiet"), Camera(tmp_path / "busy")

    def happens(at_s: float) -> None:
        if round(at_s, 2) == 30.4:
            long = tuple(f"reason {number}: " + "really " * 60 for number in range(20))
            busy.sealer.report(report(Stage.NEW, long, picture()))
            busy.sealer.health("camera-lost", "x" * 10_000)
            busy.sealer.answer(1, 2, Outcome.FAILED, "y" * 10_000)
            busy.sealer.clip(Fate(bytes(16), ClipState.COMPLETE, 1, 65_536, bytes(32)))
        if round(at_s, 2) == 61.15:
            busy.sealer.report(report(Stage.UPDATE, image=picture(2)))
        if round(at_s, 2) == 90.0:
            busy.sealer.report(report(Stage.END))
            busy.pace.beat_soon()

    quiet.live(180)
    busy.live(180, happens)
    assert quiet.shape() == busy.shape()
    assert {size for _, size in busy.shape()} == {ENVELOPE_BYTES}
    times = [at for at, _ in busy.shape()]
    assert {later - earlier for earlier, later in pairwise(times)} == {SLOT_NS}
    kinds = {one.kind for one in busy.opened()}
    assert kinds >= {EventType.INCIDENT, EventType.PIECE, EventType.BEAT, EventType.COVER, EventType.CLIP}
    assert {one.kind for one in quiet.opened()} == {EventType.BEAT, EventType.COVER}
    assert busy.outbox.stats().queued == 0


def test_a_picture_goes_in_pieces_that_join_again_and_the_alarm_goes_first(camera: Camera) -> None:
    key = ClipKey(clip=b"c" * 16, content_key=b"k" * 32, started_ns=1, part=0)
    camera.sealer.report(report(Stage.NEW, image=picture()), key)
    camera.live(60)
    chained = [one for one in camera.opened() if one.kind < 0x80]
    assert chained[0].kind == EventType.INCIDENT
    first = schema.decode(chained[0].body, IncidentBody)
    assert (first.thumbnail, first.clip) == (None, key)
    pieces = [schema.decode(one.body, PieceBody) for one in chained[1:]]
    assert [one.index for one in pieces] == list(range(pieces[0].count))
    assert len({(one.incident, one.picture, one.count) for one in pieces}) == 1
    jpeg = b"".join(one.data for one in pieces)
    assert jpeg[:2] == b"\xff\xd8"
    assert jpeg[-2:] == b"\xff\xd9"


def test_texts_that_are_too_long_are_cut_and_say_so(camera: Camera) -> None:
    reasons = ("the first", "\N{SNOWMAN}" * 700, "the last")
    camera.sealer.report(report(Stage.NEW, reasons))
    camera.sealer.health("code", "d" * 5000)
    camera.live(10)
    bodies = [one for one in camera.opened() if one.kind < 0x80]
    said = schema.decode(bodies[0].body, IncidentBody).reasons
    assert said[0] == "the first"
    assert said[1].endswith("\N{HORIZONTAL ELLIPSIS}")
    assert set(said[1][:-1]) == {"\N{SNOWMAN}"}
    assert len(said) == 2
    detail = schema.decode(bodies[1].body, HealthBody).detail
    assert detail == "d" * 1497 + "\N{HORIZONTAL ELLIPSIS}"


def test_losses_go_in_as_many_events_as_they_need(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    small = Outbox(tmp_path / "small.db", max_bytes=300 * ENVELOPE_BYTES)
    stamps = Stamps(camera.clock, lambda: ClockQuality.UNKNOWN)
    other = household(tmp_path / "other")
    sealing = Sealing(other.camera, small, stamps.now, padded=COVER_PADDED_BYTES)
    sealer = Sealer(sealing, camera.clock, lambda: Watching(0, 0, 0, ArmMode.AWAY), stamps, Traffic.COVER)
    for number in range(420):  # neighbours merge, so every other one is kept by its urgency
        sealing.event(EventType.HEALTH, b"\xa0", 3 if number % 2 else 0)
    for _ in range(5):
        sealer.losses()
    mails = []
    while (mail := small.next(0)) is not None:
        mails.append(mail)
        small.acknowledge(mail.hash)
    assert {len(mail.envelope) for mail in mails} == {ENVELOPE_BYTES}
    losses = [one for one in (other.open(mail.envelope) for mail in mails) if one.kind == EventType.LOSS]
    assert len(losses) > 1
    small.close()


def test_beats_come_every_twenty_seconds_though_much_waits(camera: Camera) -> None:
    for number in range(100):
        camera.sealer.health("x", str(number))
    camera.live(100)
    at = [index for index, one in enumerate(camera.opened()) if one.kind == EventType.BEAT]
    assert at[0] == 0
    assert {later - earlier for earlier, later in pairwise(at)} <= {10, 11}


def test_a_beat_says_what_traffic_there_is(camera: Camera) -> None:
    assert schema.decode(camera.home.open(camera.sealer.beat()).body, BeatBody).traffic is Traffic.COVER


def test_what_is_outside_the_chain_touches_neither_chain_nor_disk(camera: Camera) -> None:
    head = camera.outbox.head()
    camera.live(100)
    assert camera.outbox.head() == head
    assert camera.outbox.stats().queued == 0
    seqs = [one.seq for one in camera.opened()]
    assert seqs == list(range(1, len(seqs) + 1)), "one counter for beats and cover"


class Counting:
    """An inner pace that has something always, or never."""

    def __init__(self, *, full: bool) -> None:
        self.full = full

    def resumed(self, now_ns: int) -> None:
        pass

    def take(self, now_ns: int) -> Parcel | None:
        return Parcel(Sealed(b"mail"), 1) if self.full else None

    def due_in_ns(self, now_ns: int) -> int | None:
        return 0 if self.full else None

    def may_carry(self, now_ns: int) -> bool:
        return True

    def beat_soon(self) -> None:
        pass


@pytest.mark.parametrize("full", [True, False])
def test_who_wakes_late_misses_slots_and_never_bursts(full: bool) -> None:
    pace = CoverPace(Counting(full=full), lambda: Sealed(b"cover"))
    pace.resumed(0)
    first = AHEAD_NS
    wakes = [0, first, first + LATE_NS, first + SLOT_NS + 1, first + 5 * SLOT_NS + LATE_NS + 1, first + 6 * SLOT_NS]
    wakes += [first + 6 * SLOT_NS + 1, first + 7 * SLOT_NS - 1, first + 7 * SLOT_NS]
    sent = [now_ns for now_ns in wakes if pace.take(now_ns) is not None]
    assert sent == [first, first + SLOT_NS + 1, first + 6 * SLOT_NS, first + 7 * SLOT_NS]


@pytest.mark.parametrize("full", [True, False])
def test_how_long_the_link_sleeps_does_not_depend_on_what_there_is(full: bool) -> None:
    pace = CoverPace(Counting(full=full), lambda: Sealed(b"cover"))
    pace.resumed(7)
    assert pace.due_in_ns(7) == 0
    assert pace.take(7) is None
    assert pace.due_in_ns(7) == AHEAD_NS
    assert pace.take(7 + AHEAD_NS) is not None
    assert pace.due_in_ns(7 + AHEAD_NS) == SLOT_NS - AHEAD_NS


@given(
    st.lists(st.one_of(st.integers(0, 3 * SLOT_NS), st.integers(0, 60), st.just(AHEAD_NS)), max_size=60),
    st.integers(0, 1 << 60),
)
def test_whenever_it_is_asked_it_sends_in_its_slots_and_the_same_for_mail_and_silence(
    waits: list[int], began_ns: int
) -> None:
    full, empty = (CoverPace(Counting(full=one), lambda: Sealed(b"cover")) for one in (True, False))
    for pace in (full, empty):
        pace.resumed(began_ns)
    now_ns, sent = began_ns, []
    for wait in waits:
        now_ns += wait
        parcels = [pace.take(now_ns) for pace in (full, empty)]
        assert (parcels[0] is None) == (parcels[1] is None)
        assert full.due_in_ns(now_ns) == empty.due_in_ns(now_ns)
        if parcels[0] is not None:
            sent.append(now_ns)
    late = [(at - began_ns - AHEAD_NS) % SLOT_NS for at in sent]
    assert all(one <= LATE_NS for one in late)
    assert all(later - earlier >= SLOT_NS - LATE_NS for earlier, later in pairwise(sent))
