"""A camera's end of a live view for tests: real pictures, sealed as a camera does it, given to the hub one by one.

Time is the test's: what is shown depends on the messages alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from sealcam.board.encoder import X264Encoder
from sealcam.board.protocols import AccessUnit, Frame
from sealcam.livefilm import LiveFilm, look_of
from sealcam.wire import schema
from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.clip import ClipInfo
from sealcam.wire.live import NO_INCIDENT, Content, LiveWriter
from sealcam.wire.wishes import CommandType, LiveWish
from sealcam_hub.home import Home
from sealcam_hub.live import LiveViews
from sealcam_hub.live_keys import LiveKeys
from sealcam_hub.live_log import LiveLog
from tests.films import frames
from tests.hubs import WALL_NS, Camera

NS = 1_000_000_000
FPS = 10.0


def bars(seconds: float, size: tuple[int, int] = (320, 240)) -> Iterator[Frame]:
    """A light bar that goes a little to the right from one picture to the next, and begins again."""
    for index, one in enumerate(frames(seconds, fps=FPS, size=size)):
        y = np.full(one.y.shape, 40, np.uint8)
        at = 8 * index % (size[0] - 16)
        y[:, at : at + 16] = 235
        yield replace(one, y=y)


@lru_cache
def pictures(seconds: float, size: tuple[int, int] = (320, 240)) -> tuple[AccessUnit, ...]:
    """Such pictures, encoded."""
    encoder = X264Encoder(fps=FPS, bytes_per_s=200_000)
    found = [unit for frame in bars(seconds, size) for unit in encoder.encode(frame)]
    found += encoder.finish()
    encoder.close()
    return tuple(found)


class Session:
    """One session of a camera: `message` seals the next picture. `boot_ns` is when its first one was seen."""

    def __init__(
        self,
        camera: Camera,
        session: bytes,
        boot_ns: int,
        *,
        seconds: float = 3.0,
        part: int = 0,
        quality: ClockQuality = ClockQuality.UNKNOWN,
        wall_ns: int = WALL_NS,
        size: tuple[int, int] = (320, 240),
    ) -> None:
        self.camera, self.boot_ns = camera, boot_ns
        self.units = pictures(seconds, size)
        self._film = LiveFilm(look_of(self.units[0]))
        at = Stamp(boot=camera.boot, boot_ns=boot_ns, wall_ns=wall_ns, quality=quality)
        info = ClipInfo(incident=NO_INCIDENT, at=at, media=self._film.media, part=part, camera="Door")
        self.writer = LiveWriter(
            camera.signer,
            [camera.prekey.public, *camera.others],
            session=session,
            info=info,
            epoch=camera.epoch,
            recipient_set=camera.set_number,
        )

    def seen_ns(self, index: int) -> int:
        """When the picture of that number was seen, by the camera's boot clock."""
        return self.boot_ns + self.units[index].t_ns

    def messages(self, index: int, sealed_after_ns: int = 20_000_000) -> list[bytes]:
        """What leaves the camera for the picture of that number: the beginning too, before a keyframe."""
        unit = self.units[index]
        seen_ns = self.seen_ns(index)
        data = self._film.picture(replace(unit, t_ns=seen_ns))
        sealed_ns = seen_ns + sealed_after_ns
        kind = Content.KEYFRAME if unit.key else Content.PICTURES
        if not unit.key:
            return [self.writer.seal(kind, seen_ns, sealed_ns, data)]
        beginning = self.writer.seal(Content.BEGINNING, seen_ns, sealed_ns, self._film.beginning)
        return [self.writer.start, beginning, self.writer.seal(kind, seen_ns, sealed_ns, data)]

    def all(self) -> Iterator[bytes]:
        """Every message of every picture."""
        for index in range(len(self.units)):
            yield from self.messages(index)

    def end(self) -> bytes:
        """The last message."""
        return self.writer.seal(Content.END, self.boot_ns, self.boot_ns, b"")


class Line:
    """The way to the camera: keeps the live wishes that were sent, opened as the camera opens them."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.up = True
        self.wishes: list[LiveWish] = []
        self.numbers: list[int] = []

    def send(self, alias: str, command: bytes) -> bool:
        """Take a command while up."""
        assert alias == self.camera.alias
        if self.up:
            opened = self.camera.opens(command)
            assert opened.kind == CommandType.LIVE
            assert opened.prev == self.camera.nonce
            self.wishes.append(schema.decode(opened.body, LiveWish))
            self.numbers.append(opened.seq)
        return self.up

    @property
    def session(self) -> bytes:
        """The session that was asked for last."""
        return self.wishes[-1].session


def views(home: Home, line: Line, send: Callable[[str, bytes], bool] | None = None) -> LiveViews:
    """The live views of a hub."""
    keys = LiveKeys(home.store, home.keys)
    log = LiveLog(home.store, home.keys, home.clock)
    return LiveViews(keys, log, home.wishes(), home.clock, send or line.send)
