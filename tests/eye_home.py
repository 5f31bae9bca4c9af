"""A whole eye for tests: scripted camera and detector, real outbox and socket, a post and a hub that the test plays."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sealcam.board.protocols import Camera, Frame, MotionSensor, StatusLight
from sealcam.board.scripted import grey_frame
from sealcam.clips import ClipFolder
from sealcam.clocks import SystemClock
from sealcam.eye import Eye, Parts
from sealcam.messages import Carry, Decoder, Delivered, LinkState, Publish, Published, Side, Way, Will, encode
from sealcam.outbox import Outbox
from sealcam.privacy import Privacy
from sealcam.recovery import Recovering
from sealcam.scene import Scene
from sealcam.scene_settings import SceneSettings
from sealcam.service import Service
from sealcam.sight.focus import UNKNOWN, Focus, Look
from sealcam.sight.panel import Panel
from sealcam.sight.place import Place
from sealcam.sight.settings import SightSettings
from sealcam.sight.types import ArmMode, Box, Detection, Subject
from sealcam.sight.watch import Watch
from sealcam.taping import Kit
from sealcam.wire import schema, statement
from sealcam.wire.bodies import (
    BeatBody,
    ClockQuality,
    EventType,
    IncidentBody,
    Traffic,
)
from sealcam.wire.envelope import SCM1, Opened, seal
from sealcam.wire.wishes import CommandType, Mask, MasksWish
from sealcam.wired import Wired
from tests.claimed import Household
from tests.vaulting import Vault


class Walker:
    """A detector that sees the bright block which the script moves."""

    def detect(self, frame: Frame, focus: Focus = UNKNOWN) -> Sequence[Detection]:
        rows, columns = np.nonzero(frame.y > 200)
        if not rows.size:
            return ()
        box = Box(float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1))
        return (Detection(Subject.PERSON, "person", 0.9, box),)

    def look(self, box: Box) -> Look | None:
        return None


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
class Post:
    """The post of a test: takes what the eye publishes and hands it to a hub that may answer."""

    path: Path
    answer: Callable[[bytes], Sequence[bytes]]
    hold: Callable[[Carry], Sequence[bytes]]
    envelopes: list[bytes] = field(default_factory=list)
    wills: list[bytes] = field(default_factory=list)
    carry: Callable[[Carry], Sequence[bytes]] = lambda _: ()

    def run(self) -> None:
        decoder = Decoder(Side.EYE)
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.path))
            link.sendall(encode(LinkState(True)))
            while data := link.recv(65536):
                for frame in decoder.feed(data):
                    if isinstance(frame, Will):
                        self.wills.append(frame.envelope)
                        continue
                    if isinstance(frame, Carry):
                        held = self.hold(frame) if frame.way is Way.CLIP else self.carry(frame)
                        link.sendall(encode(Published(frame.token)) + b"".join(encode(Delivered(m)) for m in held))
                        continue
                    assert isinstance(frame, Publish)
                    self.envelopes.append(frame.envelope)
                    messages = self.answer(frame.envelope)
                    link.sendall(encode(Published(frame.token)) + b"".join(encode(Delivered(m)) for m in messages))


@dataclass
class Home:
    """One claimed camera, and what the hub understood."""

    folder: Path
    keys: Household
    opened: list[Opened] = field(default_factory=list)
    now_ns: int | None = None

    def __post_init__(self) -> None:
        self.vault = Vault(self.keys.camera.camera)

    def run(
        self,
        camera: Callable[[], Camera],
        *,
        mode: ArmMode = ArmMode.AWAY,
        traffic: Traffic = Traffic.INSTANT,
        answer: Callable[[Opened], Sequence[bytes]] = lambda _: (),
        watch: type[Watch] = Watch,
        light: StatusLight | None = None,
        sensor: MotionSensor | None = None,
        panel: Panel | None = None,
        recording: Kit | None = None,
        showing: Kit | None = None,
        carry: Callable[[Carry], Sequence[bytes]] = lambda _: (),
        recovering: Recovering | None = None,
        wired: Wired | None = None,
    ) -> tuple[int, Eye]:
        """Run an eye until its footage ends; a post connects, a hub opens and sends receipts."""
        wired = wired or Wired()
        outbox = Outbox(self.folder / "outbox.db", max_bytes=8 << 20)
        clock = SystemClock()
        path = self.folder / "eye.sock"
        parts = Parts(
            keys=self.keys.camera,
            outbox=outbox,
            socket=path,
            clock=clock,
            watch=watch(Walker() if panel is None else panel, SightSettings(), lambda number: f"{number:016x}", mode),
            scene=Scene(self.folder / "scene", self.keys.camera.wrapping, SceneSettings(), mode, lambda: self.now_ns),
            privacy=Privacy(self.folder / "privacy"),
            clips=ClipFolder(self.folder / "clips"),
            traffic=traffic,
            camera=camera,
            motion_sensor=sensor or wired.motion_sensor,
            light=light or wired.light,
            button=wired.button,
            infrared=wired.infrared,
            shutter=wired.shutter,
            unusable=wired.unusable,
            quality=lambda: ClockQuality.UNKNOWN,
            tend=(lambda _t_ns: ()) if panel is None else panel.tend,
            recording=recording,
            showing=showing,
            recovering=Recovering() if recovering is None else recovering,
        )

        def hub(envelope: bytes) -> Sequence[bytes]:
            opened = self.keys.open(envelope)
            self.opened.append(opened)
            return (self.keys.receipt(envelope), *answer(opened))

        def hold(carried: Carry) -> Sequence[bytes]:
            said = self.vault.take(carried.id, carried.payload)
            return () if said is None else (statement.sign(self.keys.hub, said),)

        eye = Eye(parts, Service("eye", clock))
        post = Post(path, hub, hold, carry=carry)
        ended = threading.Event()
        thread = threading.Thread(target=self._connect, args=(post, ended), daemon=True)
        thread.start()
        code = eye.run()
        self.left = outbox.stats().queued
        outbox.close()
        ended.set()
        thread.join(5)
        return code, eye

    def _connect(self, post: Post, ended: threading.Event) -> None:
        while not ended.wait(0.01):
            with suppress(FileNotFoundError, ConnectionError):
                post.run()

    def command(self, kind: CommandType, wish: object, nonce: bytes, number: int) -> bytes:
        """What the home hub seals."""
        return seal(
            self.keys.hub,
            [self.keys.camera.command.public],
            kind=kind,
            seq=number,
            prev=nonce,
            body=schema.encode(wish),
            epoch=1,
            recipient_set=1,
            form=SCM1,
        )

    def incidents(self) -> list[IncidentBody]:
        return [schema.decode(one.body, IncidentBody) for one in self.events() if one.kind == EventType.INCIDENT]

    def events(self) -> list[Opened]:
        """What stands in the chain, in its order."""
        return sorted((one for one in self.opened if one.kind < 0x80), key=lambda one: one.seq)


class Masking:
    """The owner masks the upper left of the picture by command, once; `watch` is a watch that says when it knows."""

    WISH = MasksWish(masks=(Mask(corners=(0, 0, 500, 0, 500, 600, 0, 600)),))

    def __init__(self, home: Home) -> None:
        self._home, self._sent = home, False
        self.taken = taken = threading.Event()

        class Taken(Watch):
            def set_place(self, place: Place) -> None:
                super().set_place(place)
                if place.masks:
                    taken.set()

        self.watch = Taken

    def answer(self, opened: Opened) -> Sequence[bytes]:
        """What the hub answers: the command, to the first beat."""
        if opened.kind != EventType.BEAT or self._sent:
            return ()
        self._sent = True
        return (self._home.command(CommandType.MASKS, self.WISH, schema.decode(opened.body, BeatBody).nonce, 1),)
