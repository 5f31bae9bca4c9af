"""A hub's intake and one camera that sends it clips, without broker or thread."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sealcam.wire import piece, statement
from sealcam.wire.clip import SCL1, ClipInfo, ClipWriter
from sealcam.wire.keys import SigningKey
from sealcam.wire.piece import MAX_DATA_BYTES, Piece
from sealcam.wire.statement_kinds import ClipHeld
from sealcam_hub.feed import Feed
from sealcam_hub.intake import Intake
from tests.hubs import Camera
from tests.receiving import Desk, desk
from tests.scl1 import content

CHUNK = SCL1.chunk_bytes
PLAIN = content(17 * CHUNK + 1000)


def name_of(number: int) -> bytes:
    """What `Camera.clip_key` calls that clip."""
    return number.to_bytes(16, "big")


def clip_of(
    camera: Camera, number: int = 1, plain: bytes = PLAIN, *, finish: bool = True, signer: SigningKey | None = None
) -> bytes:
    """The sealed file of that clip; not finished, it is as a power cut leaves it."""
    file, key = io.BytesIO(), camera.clip_key(number)
    info = ClipInfo(incident=number.to_bytes(8, "big"), at=camera.stamp(), media="video/mp4", part=0)
    writer = ClipWriter(
        file,
        signer or camera.signer,
        [camera.prekey.public, *camera.others],
        clip=key.clip,
        info=info,
        epoch=camera.epoch,
        recipient_set=camera.set_number,
        content_key=key.content_key,
    )
    writer.write(plain)
    if finish:
        writer.finish()
    return file.getvalue()


def pieces(data: bytes, held: int = 0, size: int = MAX_DATA_BYTES) -> list[bytes]:
    """The messages that a camera sends from there on."""
    return [piece.encode(Piece(at, len(data), data[at : at + size])) for at in range(held, len(data), size)]


@dataclass
class Dock:
    """Where clips come in: a hub, its intake, a camera that belongs to it, and what it was told."""

    desk: Desk
    intake: Intake
    said: list[ClipHeld] = field(default_factory=list)

    @property
    def camera(self) -> Camera:
        """The camera."""
        return self.desk.camera

    def send(self, alias: str, message: bytes) -> bool:
        """Hear a statement."""
        assert alias == self.camera.alias
        self.said.append(statement.read(message, self.desk.home.keys.operating.public, ClipHeld))
        return True

    def bring(self, messages: Sequence[bytes], clip: bytes = name_of(1), alias: str = "") -> list[ClipHeld]:
        """Bring these pieces of a clip, one by one; what is said to them."""
        before = len(self.said)
        for one in messages:
            self.intake.deliver(alias or self.camera.alias, clip, one)
            self.intake.run_once(self.send, 0)
        return self.said[before:]

    def again(self) -> None:
        """The hub is started again."""
        self.intake = self.desk.home.intake(Feed())

    def place(self, clip: bytes = name_of(1)) -> str:
        """Where that clip is, as the owner sees it."""
        view = self.desk.home.vault().clip(clip.hex())
        return "unknown" if view is None else view.state

    def file(self, clip: bytes = name_of(1)) -> bytes:
        """What is on the disk of it."""
        folder = self.desk.home.folder.clips
        found = [one for one in (folder / f"{clip.hex()}.scl1", folder / f"{clip.hex()}.part") if one.exists()]
        return found[0].read_bytes() if found else b""


@contextmanager
def dock(path: Path) -> Iterator[Dock]:
    """A new hub in `path` that has heard of clip 1."""
    with desk(path) as made:
        made.take(made.camera.incident(1, clip=made.camera.clip_key(1)))
        yield Dock(made, made.home.intake(Feed()))
