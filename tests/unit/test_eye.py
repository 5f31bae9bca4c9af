"""The eye whole, with a scripted camera and detector, a real outbox and socket, and a post that the test plays."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sealcam.board.protocols import Camera, Frame
from sealcam.board.scripted import ScriptedCamera, grey_frame
from sealcam.clocks import SystemClock
from sealcam.commands import Commands
from sealcam.eye import Eye, Parts
from sealcam.frames import Decoder, Delivered, LinkState, Publish, Published, Side, encode
from sealcam.outbox import Outbox
from sealcam.service import Service
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Box, Detection, Subject
from sealcam.sight.watch import Watch
from sealcam.wire import schema
from sealcam.wire.bodies import (
    ArmBody,
    BeatBody,
    ClockQuality,
    CommandType,
    EventType,
    HealthBody,
    IncidentBody,
    Mode,
    Stage,
    Verdict,
)
from sealcam.wire.envelope import SCM1, Opened, seal
from sealcam.wire.errors import ClipError, HardwareError
from sealcam.wire.sealed import envelope_hash
from tests.claimed import Household, household


class _Walker:
    """A detector that sees the bright block which the script moves."""

    def detect(self, frame: Frame) -> Sequence[Detection]:
        rows, columns = np.nonzero(frame.y > 200)
        if not rows.size:
            return ()
        box = Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        return (Detection(Subject.PERSON, "person", 0.9, box),)


def walk(frames: int = 60, start_ns: int = 0) -> list[Frame]:
    """A bright block that walks through a dim scene at 10 fps, and is gone for the last third."""
    pictures = []
    for index in range(frames):
        y = np.full((90, 160), 60, np.uint8)
        if 5 <= index < frames * 2 // 3:
            left = 10 + 3 * index
            y[20:70, left : left + 20] = 230
        pictures.append(grey_frame(y, start_ns + index * 100_000_000, index))
    return pictures


@dataclass
class _Post:
    """The post of a test: takes what the eye publishes and hands it to a hub that may answer."""

    path: Path
    answer: Callable[[bytes], Sequence[bytes]]
    envelopes: list[bytes] = field(default_factory=list)

    def run(self) -> None:
        decoder = Decoder(Side.EYE)
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.path))
            link.sendall(encode(LinkState(True)))
            while data := link.recv(65536):
                for frame in decoder.feed(data):
                    assert isinstance(frame, Publish)
                    self.envelopes.append(frame.envelope)
                    messages = self.answer(frame.envelope)
                    link.sendall(encode(Published(frame.token)) + b"".join(encode(Delivered(m)) for m in messages))


@dataclass
class _Home:
    """One claimed camera, and what the hub understood."""

    folder: Path
    keys: Household
    opened: list[Opened] = field(default_factory=list)

    def run(
        self,
        camera: Callable[[], Camera],
        *,
        mode: ArmMode = ArmMode.AWAY,
        answer: Callable[[Opened], Sequence[bytes]] = lambda _: (),
        watch: type[Watch] = Watch,
    ) -> tuple[int, Eye]:
        """Run an eye until its footage ends; a post connects, a hub opens and sends receipts."""
        outbox = Outbox(self.folder / "outbox.db", max_bytes=8 << 20)
        clock = SystemClock()
        path = self.folder / "eye.sock"
        parts = Parts(
            keys=self.keys.camera,
            outbox=outbox,
            socket=path,
            clock=clock,
            watch=watch(_Walker(), SightSettings(), lambda number: f"{number:016x}", mode),
            mode=mode,
            camera=camera,
            motion_sensor=None,
            light=None,
            quality=lambda: ClockQuality.UNKNOWN,
        )

        def hub(envelope: bytes) -> Sequence[bytes]:
            opened = self.keys.open(envelope)
            self.opened.append(opened)
            return (self.keys.receipt(envelope), *answer(opened))

        eye = Eye(parts, Service("eye", clock))
        post = _Post(path, hub)
        ended = threading.Event()
        thread = threading.Thread(target=self._connect, args=(post, ended), daemon=True)
        thread.start()
        code = eye.run()
        self.left = outbox.stats().queued
        outbox.close()
        ended.set()
        thread.join(5)
        return code, eye

    def _connect(self, post: _Post, ended: threading.Event) -> None:
        while not ended.wait(0.01):
            with suppress(FileNotFoundError, ConnectionError):
                post.run()

    def incidents(self) -> list[IncidentBody]:
        return [schema.decode(one.body, IncidentBody) for one in self.events() if one.kind == EventType.INCIDENT]

    def events(self) -> list[Opened]:
        """What stands in the chain, in its order."""
        return sorted((one for one in self.opened if one.kind < 0x80), key=lambda one: one.seq)


@pytest.fixture
def home(tmp_path: Path) -> _Home:
    return _Home(tmp_path, household(tmp_path))


def test_a_walker_becomes_one_sealed_incident_with_a_picture(home: _Home) -> None:
    code, eye = home.run(lambda: ScriptedCamera(walk()))
    assert code == 0
    bodies = home.incidents()
    assert eye.incidents == 1
    assert len({body.incident for body in bodies}) == 1
    assert bodies[0].stage == Stage.NEW
    assert [body.stage for body in bodies].count(Stage.END) == 1
    assert bodies[0].verdict == Verdict.THREAT
    assert bodies[0].thumbnail is None, "the first word of a threat waits for no picture"
    assert any(body.thumbnail is not None and body.thumbnail[:2] == b"\xff\xd8" for body in bodies)
    assert home.left == 0, "every receipt was taken"


def test_the_chain_holds_from_the_first_event_on(home: _Home) -> None:
    home.run(lambda: ScriptedCamera(walk()))
    events = home.events()
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    assert events[0].kind == EventType.HEALTH
    assert schema.decode(events[0].body, HealthBody).code == "started"
    assert events[0].prev == bytes(32)


def test_a_second_start_goes_on_in_the_same_chain(home: _Home) -> None:
    home.run(lambda: ScriptedCamera(walk()))
    first = len(home.events())
    home.run(lambda: ScriptedCamera(walk()))
    seqs = [one.seq for one in home.events()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > first


def test_the_hub_arms_by_a_fresh_beat_and_a_stale_or_repeated_command_changes_nothing(home: _Home) -> None:
    sent: list[bytes] = []

    def command(nonce: bytes, number: int, mode: Mode) -> bytes:
        return seal(
            home.keys.hub,
            [home.keys.camera.command.public],
            kind=CommandType.ARM,
            seq=number,
            prev=nonce,
            body=schema.encode(ArmBody(mode=mode)),
            epoch=1,
            recipient_set=1,
            form=SCM1,
        )

    def answer(opened: Opened) -> Sequence[bytes]:
        if opened.kind != EventType.BEAT or sent:
            return ()
        nonce = schema.decode(opened.body, BeatBody).nonce
        sent.extend(
            (
                command(nonce, 5, Mode.HOME),
                command(nonce, 5, Mode.OFF),  # the same number again
                command(nonce, 4, Mode.OFF),  # an older one
                command(bytes(32), 6, Mode.OFF),  # no beat said this
            )
        )
        return sent

    told = threading.Event()

    class Told(Watch):
        def set_mode(self, mode: ArmMode) -> None:
            super().set_mode(mode)
            told.set()

    def footage() -> Iterator[Frame]:
        """An empty scene until the command has been taken, then the walker."""
        index = 0
        while not told.is_set():
            yield grey_frame(np.full((90, 160), 60, np.uint8), index * 100_000_000, index)
            index += 1
        yield from walk(start_ns=index * 100_000_000)

    home.run(lambda: ScriptedCamera(footage()), answer=answer, watch=Told)
    assert {body.mode for body in home.incidents()} == {Mode.HOME}
    assert all(body.verdict != Verdict.THREAT for body in home.incidents())


def test_a_receipt_by_anyone_else_deletes_nothing(home: _Home) -> None:
    outbox = Outbox(home.folder / "other.db", max_bytes=8 << 20)
    stranger = household(home.folder / "stranger")
    kept = outbox.append(lambda seq, prev: _sealed(home, seq, prev), 1, 1)
    queued = outbox.next(0)
    assert queued is not None
    assert kept == queued.seq
    commands = Commands(home.keys.camera, outbox, None, lambda _: None)  # type: ignore[arg-type]
    commands.deliver(stranger.receipt(queued.envelope))
    commands.deliver(b"")
    commands.deliver(b"SGN1\x04 not a receipt")
    assert commands.refused == 3
    assert outbox.stats().queued == 1
    commands.deliver(home.keys.receipt(queued.envelope))
    assert outbox.stats().queued == 0
    assert envelope_hash(queued.envelope) == queued.hash
    outbox.close()


def _sealed(home: _Home, seq: int, prev: bytes):  # type: ignore[no-untyped-def]
    return seal(
        home.keys.camera.signer,
        home.keys.camera.recipients(),
        kind=EventType.HEALTH,
        seq=seq,
        prev=prev,
        body=b"\xa0",
        epoch=1,
        recipient_set=1,
    )


def test_a_camera_that_fails_at_once_ends_the_eye_with_one_line(
    home: _Home, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    lost = HardwareError("the camera is gone", "check its cable")
    code, _ = home.run(lambda: ScriptedCamera(walk(3), lost))
    assert code == 1
    said = capfd.readouterr().err
    assert "sealcam: error: the camera is gone" in said
    assert "hint: check its cable" in said


def test_a_recording_that_breaks_off_delivers_what_it_held_before_the_error_is_told(
    home: _Home, capfd: pytest.CaptureFixture[str]
) -> None:
    code, eye = home.run(lambda: ScriptedCamera(walk(30), ClipError("the clip is cut short", "copy it again")))
    assert code == 1
    assert eye.incidents == 1
    assert home.left == 0
    assert [body.stage for body in home.incidents()].count(Stage.END) == 1
    assert "sealcam: error: the clip is cut short" in capfd.readouterr().err
