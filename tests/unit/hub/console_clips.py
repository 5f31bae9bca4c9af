"""Clips for the console without a vault: implements its protocol, and counts what is read of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sealcam.wire.bodies import ClockQuality, Stamp
from sealcam.wire.clip import ClipInfo
from sealcam.wire.errors import SealcamError
from sealcam_hub.views import ClipView
from tests.unit.hub.console_fake import NOW_NS, PORCH

BOOT = b"b" * 16
START_NS = 100 * 10**9  # of the first picture, on the camera's clock since boot


def name(number: int) -> str:
    """A clip's id."""
    return f"{number:032x}"


def clip(number: int, **changes: object) -> ClipView:
    """A clip of the first incident that is here."""
    plain = ClipView(
        id=name(number),
        incident=f"{PORCH}-{1:016x}",
        alias=PORCH,
        camera_name="Front door",
        part=number - 1,
        state="here",
        held=1_500_000,
        size=1_500_000,
        content_bytes=1_400_000,
        interrupted=False,
    )
    return replace(plain, **changes)


def info(**changes: object) -> ClipInfo:
    """What such a clip says of itself."""
    at = Stamp(boot=BOOT, boot_ns=START_NS, wall_ns=NOW_NS, quality=ClockQuality.SYNCHRONISED)
    plain = ClipInfo(incident=(1).to_bytes(8, "big"), at=at, media="video/mp4", part=0, trigger_ns=START_NS + 3 * 10**9)
    return replace(plain, **changes)


@dataclass
class FakeOpenClip:
    """Content in memory; `reads` are the ranges that were asked for."""

    content: bytes
    info: ClipInfo
    camera: str = "Front door"
    reads: list[tuple[int, int]] = field(default_factory=list)
    open: bool = True
    fails_at: int | None = None

    @property
    def size(self) -> int:
        """As much as there is."""
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        """A range."""
        assert self.open
        self.reads.append((offset, length))
        if self.fails_at is not None and offset + length > self.fails_at:
            raise SealcamError("a clip can't be read")
        return self.content[offset : offset + length]

    def close(self) -> None:
        """Let go."""
        self.open = False


class FakeClips:
    """What it is given to show, in the order of its parts; `opened` are all that were opened, `asked` the wishes."""

    def __init__(self, *held: tuple[ClipView, bytes, ClipInfo]) -> None:
        self.held = list(held)
        self.opened: list[FakeOpenClip] = []
        self.asked: list[str] = []

    def clips(self, incident: str) -> Sequence[ClipView]:
        """An incident's."""
        return [view for view, _, _ in self.held if view.incident == incident]

    def clip(self, clip: str) -> ClipView | None:
        """By its id."""
        return next((view for view, _, _ in self.held if view.id == clip), None)

    def open(self, clip: str) -> FakeOpenClip:
        """One that is here."""
        view, content, about = next(one for one in self.held if one[0].id == clip)
        if not view.held:
            raise SealcamError(f"clip {clip} isn't here: its camera has it", "sealcam-hub clip fetch ID asks for it")
        self.opened.append(FakeOpenClip(content, about))
        return self.opened[-1]

    def fetch(self, clip: str) -> None:
        """Take a wish."""
        self.asked.append(clip)
        self.held = [
            (replace(view, state="asked") if view.id == clip else view, content, about)
            for view, content, about in self.held
        ]
