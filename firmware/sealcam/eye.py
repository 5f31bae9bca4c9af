"""The eye: sees pixels, decides, seals; has no network and hands out sealed bytes alone (design/pipeline.md).

Three workers: `sight` takes the newest frame, decides and queues; `record` encodes what sight has looked at, writes
clips and seals live views; `link` hands the most urgent envelope to the post and takes the hub's messages. Crash-only:
whatever fails ends the process, and its supervisor starts it again; a lost camera alone is opened once more first, and
climbs on from there (`recovery`). While privacy is on the source is closed, and nothing is seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from sealcam import guarding, remembering
from sealcam.ailing import Ailing
from sealcam.attached import Attached
from sealcam.board.pin_protocols import Button, Infrared, Shutter
from sealcam.board.protocols import Camera, Frame, MotionSensor, Shine, StatusLight
from sealcam.clip_settings import ClipSettings
from sealcam.clips import ClipFolder, settle
from sealcam.clocks import Clock, KnownTime
from sealcam.commands import Commands
from sealcam.duties import Duties
from sealcam.following import Following
from sealcam.freight import Freights
from sealcam.keystore import Keystore
from sealcam.ladder import Rung
from sealcam.link import Link
from sealcam.live import Live
from sealcam.livetap import LiveTap
from sealcam.memoryfile import MemoryFile
from sealcam.outbox import Outbox
from sealcam.ownmodel import OwnModel
from sealcam.pace import CoverPace, InstantPace
from sealcam.pieces import COVER_PADDED_BYTES
from sealcam.pin_settings import Unusable
from sealcam.privacy import Privacy
from sealcam.recovery import Recovering, Recovery
from sealcam.scene import Scene
from sealcam.sealer import Sealer, Watching
from sealcam.sealing import Sealing
from sealcam.service import Beat, Service
from sealcam.showing import Showing
from sealcam.sight.panel import Trouble
from sealcam.sight.types import Report
from sealcam.sight.watch import Watch
from sealcam.stamps import Stamps
from sealcam.taping import Kit, NotTaping, Taping
from sealcam.transfer import Around, Transfer
from sealcam.wire.bodies import ClockQuality, Traffic
from sealcam.wire.errors import ClipError, HardwareError, StorageError
from sealcam.wired import Wired

_log = logging.getLogger(__name__)

FAREWELL_S = 5.0  # how long the word that the board is restarted has to leave it
REBOOTS_WITHIN_S = 60.0  # a board that was asked to and is still there goes on with a new process
LOSSES_EVERY_S = 5.0
LOOK_AWAY_S = 0.1  # how often it is asked whether privacy is over
RECORD_DEADLINE_S = 30.0  # a memory card may take that long for what it was given
DELIVERED_WITHIN_S = 60.0  # how long an eye whose footage has ended waits for the hub's receipts


@dataclass(frozen=True, slots=True)
class Parts:
    """What an eye is made of; `camera` opens the source anew at each call."""

    keys: Keystore
    outbox: Outbox
    socket: Path
    clock: Clock
    watch: Watch
    scene: Scene
    privacy: Privacy
    clips: ClipFolder
    traffic: Traffic
    camera: Callable[[], Camera]
    motion_sensor: MotionSensor | None
    light: StatusLight | None
    quality: Callable[[], ClockQuality]
    tend: Callable[[int], Sequence[Trouble]] = lambda _t_ns: ()
    """Sees to the detector after each frame; what the owner should know of its models."""
    memory: MemoryFile | None = None
    """What is remembered of incidents and the scene; without one every start begins anew."""
    keeping: ClipSettings = field(default_factory=ClipSettings)
    """How much is kept of clips, and which go to the hub by themselves."""
    recording: Kit | None = None
    """What clips are recorded with; without it there are none."""
    showing: Kit | None = None
    """What live views are encoded with where nothing is recorded; with neither there are none."""
    model: OwnModel | None = None
    """What `watch` judges by, if the owner may exchange it."""
    button: Button | None = None
    infrared: Infrared | None = None
    shutter: Shutter | None = None
    unusable: Sequence[Unusable] = ()
    """What is wired to the pins beside `motion_sensor` and `light`, and what can't be used of all that."""
    recovering: Recovering = field(default_factory=Recovering)
    """What is done about a lost camera, and where it is counted."""


class Eye:
    """One run of the eye, from start to stop."""

    def __init__(self, parts: Parts, service: Service) -> None:
        self._parts = parts
        self._service = service
        self._losses_ns = 0
        self._watching = Watching(0, 0, parts.clock.boot_ns(), parts.scene.order().mode, parts.privacy.on)
        stamps = Stamps(parts.clock, parts.quality)
        cover = parts.traffic is Traffic.COVER
        sealing = Sealing(parts.keys, parts.outbox, stamps.now, padded=COVER_PADDED_BYTES if cover else None)
        self._lost = sealing.lost
        self._sealer = Sealer(
            sealing, parts.clock, lambda: self._watching, stamps, parts.traffic, lambda: self._transfer.store.told()
        )
        self._ailing = Ailing(self._sealer)
        self._recovery = Recovery(parts.recovering, self._sealer, parts.clock)
        self._at_camera = False
        self._following = Following(parts.scene, parts.watch, self._sealer, parts.clock)
        self._live = Live(
            parts.clock,
            private=lambda: parts.privacy.on,
            tell=self._sealer.health,
            wake=lambda: self._link.wake(),
        )
        shown = self._live if parts.recording or parts.showing else None
        self._transfer = Transfer(
            parts.clips, parts.keys.wrapping, parts.keeping, self._sealer, self._around(), cover=cover
        )
        sending = self._transfer.sending
        commands = Commands(
            parts.keys,
            parts.outbox,
            sealing,
            self._sealer,
            parts.clock,
            Duties(parts.outbox, parts.privacy, parts.scene, parts.memory, shown, sending, parts.model).handlers,
            renewed=lambda: self._link.renew_will(),
            held=sending.held,
        )
        instant = InstantPace(parts.outbox, self._sealer.beat)
        self._link = Link(
            parts.socket,
            parts.outbox,
            parts.clock,
            pace=CoverPace(instant, self._sealer.cover) if cover else instant,
            make_will=self._sealer.will,
            deliver=commands.deliver,
            freight=Freights([self._live, sending]),
        )
        self._attached = Attached(
            Wired(parts.motion_sensor, parts.light, parts.button, parts.infrared, parts.shutter, tuple(parts.unusable)),
            parts.clock,
            parts.watch,
            parts.privacy,
            parts.scene,
            self._sealer,
            wake=self._link.wake,
        )
        self._attached.work(service)
        self._taping = self._tapes(sealing, stamps)
        self._masks = self._following.masks
        service.add("sight", self._see, late=self._hangs)
        service.add("link", lambda beat: self._link.run(beat, service.stop))

    def _tapes(self, sealing: Sealing, stamps: Stamps) -> Taping | Showing | NotTaping:
        """What sight hands its frames to, with a worker of its own where anything is encoded."""
        parts, sealer, service = self._parts, self._sealer, self._service
        kit = parts.recording or parts.showing
        if kit is None:
            return NotTaping()
        tap = LiveTap(self._live, parts.clock, sealing.live_seal, stamps.at, kit.name)
        tapes: Taping | Showing = Showing(kit, self._live, tap, sealer.health)
        if parts.recording is not None:
            tapes = Taping(kit, parts.clips, self._transfer.store, parts.keys, sealing, sealer, stamps, tap)
        service.add("record", lambda beat: tapes.run(beat, service.stop), deadline_s=RECORD_DEADLINE_S)
        return tapes

    @property
    def incidents(self) -> int:
        """How many incidents were sealed since the start."""
        return self._sealer.incidents

    @property
    def reset(self) -> bool:
        """Whether the button asked for a factory reset, to be done once this has ended."""
        return self._attached.reset.is_set()

    def run(self) -> int:
        """Run until told to stop, or until recorded footage has ended and is delivered; the exit code.

        Raises:
            StorageError: the disk is full or broken already.
        """
        try:
            self._take_up()
            return self._service.run()
        finally:
            self._transfer.close()

    def _around(self) -> Around:
        parts = self._parts
        synchronised = KnownTime(parts.clock, lambda: parts.quality() is ClockQuality.SYNCHRONISED)

        def zone() -> ZoneInfo | None:
            timetable = parts.scene.timetable
            return None if timetable is None else timetable.zone

        return Around(synchronised, zone, lambda: self._link.wake())

    def _take_up(self) -> None:
        """Say what the last start left unsaid, before anything else happens: no key may change meanwhile."""
        if self._lost is not None:
            self._sealer.losses()  # first: it bridges the hole, so that the hub can append what follows
            self._sealer.health("outbox-lost", f"what was queued up to number {self._lost} is lost with its file")
        settle(self._parts.clips, self._parts.keys, self._parts.outbox, self._sealer.clip)
        self._transfer.take_up()

    def _see(self, beat: Beat) -> None:
        private = self._parts.privacy.on
        self._sealer.health("started", "privacy is on: nothing is seen" if private else "watching began")
        self._attached.begin()
        beat()
        problem: ClipError | None = None
        try:
            self._watch(beat)
        except ClipError as error:  # the rest of a recording is lost; what it held is not
            problem = error
        finally:
            self._attached.end()
            self._queue(last := self._parts.watch.close())
            self._taping.end(last)
            if self._parts.memory is not None:
                remembering.save(self._parts.watch, self._parts.memory)
        if not self._service.stop.is_set():
            self._deliver(beat)
            if problem is not None:
                raise problem
            self._service.finish(0)

    def _watch(self, beat: Beat) -> None:
        """Look until the source ends or the eye is stopped; not while privacy is on."""
        while not self._service.stop.is_set():
            if self._parts.privacy.on:
                self._look_away(beat)
            elif self._look(beat):
                return

    def _look(self, beat: Beat) -> bool:
        """Take frames, and climb where the camera is lost. True when the source has ended.

        Raises:
            HardwareError: this process can do no more about it.
        """
        self._at_camera = True
        self._attached.look()
        camera: Camera | None = None
        try:
            camera = self._parts.camera()
            return self._take_frames(camera, beat)
        except HardwareError as error:
            lost = error
            self._attached.end()
            move = self._recovery.lost(error.message, self._watching.mode)
            self._link.wake()  # it goes out before the camera is closed, which may take its time
        finally:
            if camera is not None:
                camera.close()
            self._at_camera = False
        if move.rung is Rung.REOPEN or not self._waits(beat, move.after_s):
            return False
        if move.rung is Rung.REBOOT and self._waits(beat, FAREWELL_S):
            self._recovery.reboot()
            self._waits(beat, REBOOTS_WITHIN_S)
        raise lost

    def _waits(self, beat: Beat, seconds: float) -> bool:
        """Wait with the camera closed; false where the eye was stopped or may not look meanwhile."""
        until_ns = self._parts.clock.boot_ns() + round(seconds * 1e9)
        while self._parts.clock.boot_ns() < until_ns and not self._parts.privacy.on:
            beat()
            self._follow()
            self._tell_losses()
            if self._parts.clock.wait(self._service.stop, LOOK_AWAY_S):
                return False
        return not self._parts.privacy.on

    def _hangs(self) -> None:
        """Sight gives no sign of life, and the process ends: where a camera is why, that counts and is told."""
        if self._at_camera:
            try:
                self._recovery.hangs(self._watching.mode)
            except StorageError as error:
                _log.warning("%s", error.message)

    def _take_frames(self, camera: Camera, beat: Beat) -> bool:
        """Take frames until the source ends (true), or until the eye is stopped or may not look (false)."""
        last_index = -1
        for frame in camera.frames():
            self._at_camera = False
            if self._parts.privacy.on:
                return False
            self._attached.shine(Shine.BLINKING if self._live.running else Shine.STEADY)
            self._attached.before(frame)
            self._follow()
            self._queue(reports := self._parts.watch.step(frame, self._attached.felt()))
            self._tape(reports)
            self._saw(frame, dropped=max(0, frame.index - last_index - 1))  # a counter that starts again lost none
            last_index = frame.index
            if self._ailing.tell(self._parts.tend(frame.t_ns), self._watching.mode) or self._recovery.sees():
                self._link.wake()
            self._attached.tell()
            self._tell_losses()
            beat()
            if self._service.stop.is_set():
                return False
            self._at_camera = True
        return True

    def _look_away(self, beat: Beat) -> None:
        """Privacy: the source is closed. Say so, and wait until it is over."""
        self._attached.look_away()
        self._recovery.rests()
        self._queue(last := self._parts.watch.close())
        self._taping.rest(last)
        if not self._watching.privacy:
            self._tell_privacy(on=True)
        while self._parts.privacy.on:
            beat()
            self._follow()
            self._tell_losses()
            if self._parts.clock.wait(self._service.stop, LOOK_AWAY_S):
                return
        self._tell_privacy(on=False)

    def _tell_privacy(self, *, on: bool) -> None:
        """What the camera's own entry says is so from now on, and the next beat says it too."""
        _log.info("privacy is %s", "on: the camera is closed" if on else "off")
        now_ns = self._parts.clock.boot_ns()  # from which on a picture is missing
        self._watching = replace(self._watching, privacy=on, newest_ns=now_ns)
        self._sealer.privacy(on=on, cause=self._parts.privacy.cause)
        self._link.beat_soon()

    def _tell_losses(self) -> None:
        now_ns = self._parts.clock.boot_ns()
        if now_ns >= self._losses_ns:
            self._losses_ns = now_ns + round(LOSSES_EVERY_S * 1e9)
            self._sealer.losses()

    def _saw(self, frame: Frame, dropped: int) -> None:
        seen = self._watching
        self._watching = replace(seen, frames=seen.frames + 1, dropped=seen.dropped + dropped, newest_ns=frame.t_ns)

    def _tape(self, reports: tuple[Report, ...]) -> None:
        """Hand over what sight has looked at, black where it is masked, once the owner was told what it said."""
        seen = self._parts.watch.evidence
        if seen is not None:
            self._taping.put(seen.frame, reports)

    def _follow(self) -> None:
        """Let sight know what the owner wants now."""
        if self._following.take():
            order = self._following.order
            self._watching = replace(self._watching, mode=order.mode, scheduled=order.ruled)
            self._link.beat_soon()  # the owner looks at a page that waits for this camera to confirm
        if self._following.masks != self._masks:
            self._masks = self._following.masks
            self._live.hide()
            self._taping.forget()

    def _queue(self, reports: tuple[Report, ...]) -> None:
        """Tell what the watch says: of what it sees, and of itself."""
        for report in reports:
            self._sealer.report(report)
        if guarding.tell(self._parts.watch, self._sealer, self._watching.mode) or reports:
            self._link.wake()
        if self._parts.memory is not None:
            remembering.remember(self._parts.watch, self._parts.memory, self._parts.clock.boot_ns())

    def _owes(self) -> bool:
        """Whether a clip isn't finished, or anything isn't delivered that goes now."""
        done = self._taping.done.is_set() and not self._transfer.sending.busy
        return not done or self._parts.outbox.stats().queued > 0

    def _deliver(self, beat: Beat) -> None:
        """The footage has ended: wait until the hub has everything, at most a minute."""
        until_ns = self._parts.clock.boot_ns() + round(DELIVERED_WITHIN_S * 1e9)
        while self._owes() and self._parts.clock.boot_ns() < until_ns:
            beat()
            if self._parts.clock.wait(self._service.stop, 0.05):
                return
