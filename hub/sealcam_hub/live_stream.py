"""From a session's messages to pictures that can be shown, and what a further viewer needs to start at once.

Everything that isn't the next message of the right camera and session is dropped and counted: behind a hole the next
beginning is waited for. In memory are the pictures since the last keyframe, nothing is on the disk. One thread at a
time. Implements the reader's side of design/wire.md section 15.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sealcam.wire.clip import ClipInfo, Header
from sealcam.wire.errors import EnvelopeError
from sealcam.wire.live import Content, LiveReader, Part
from sealcam_hub.live_age import Ages
from sealcam_hub.live_picture import Picture

HELD_BYTES = 4 << 20  # of pictures since the last keyframe: at most 2 s of them, by section 15
STARTS_NS = 250_000_000  # a start that isn't the one in force costs a look into the ledger: at most four a second


@dataclass(frozen=True, slots=True, repr=False)
class Start:
    """A verified start: its header, the key that its slots hold for this hub, what it says of the stream."""

    header: Header
    content_key: bytes
    info: ClipInfo


Opens = Callable[[bytes], Start | None]
"""The start in a message, none where it is a part; an `EnvelopeError` where it is neither or nobody's."""


class Stream:
    """One session of one camera. `number` tells the streams of one show apart, where their times begin anew."""

    def __init__(self, opens: Opens, next_number: Callable[[], int]) -> None:
        self._opens, self._next_number = opens, next_number
        self.dropped: Counter[str] = Counter()
        self.held: list[Picture] = []  # beginning, keyframe, and what followed it
        self.newest: Picture | None = None
        self._held_bytes = 0
        self._last: Content | None = None  # what was shown last without a hole since the beginning
        self._message: bytes | None = None  # the start in force, as it came
        self._tried_ns: int | None = None
        self._reader: LiveReader | None = None
        self._number, self._next = 0, 0
        self._info: ClipInfo | None = None
        self._ages: Ages | None = None

    def take(self, message: bytes, arrived_ns: int, wall_ns: int) -> Picture | None:
        """What the message has to show; none where that is nothing."""
        try:
            if message == self._message or self._began(message, arrived_ns):
                return None
            if self._reader is None:
                self.dropped["before a start"] += 1
                return None
            return self._shown(self._reader.open(message), arrived_ns, wall_ns)
        except EnvelopeError:
            self.dropped["refused"] += 1
            return None

    def _began(self, message: bytes, arrived_ns: int) -> bool:
        """Whether the message is a start; one with another header, newer than the one in force, takes its place."""
        if message[4:5] != b"\0":
            return False
        if self._tried_ns is not None and arrived_ns - self._tried_ns < STARTS_NS:
            raise EnvelopeError
        self._tried_ns = arrived_ns
        start = self._opens(message)
        if start is None:
            return False
        if self._info is not None and not _later(start.info, self._info):
            raise EnvelopeError  # what was in force before must not come back with all that it showed
        self._ages = self._ages or Ages(start.info.at)
        self._reader = LiveReader(start.header, start.content_key)
        self._message, self._info = message, start.info
        self._number, self._next = self._next_number(), 0
        self._forget()
        return True

    def _shown(self, part: Part, arrived_ns: int, wall_ns: int) -> Picture | None:
        hole, self._next = part.number != self._next, part.number + 1
        if hole:
            self._forget()
        lacks = (part.content is Content.KEYFRAME and self._last is None) or (
            part.content is Content.PICTURES and self._last in (None, Content.BEGINNING)
        )
        if lacks:
            self.dropped["behind a hole"] += 1
            return None
        self._last = part.content
        picture = self._picture(part, arrived_ns, wall_ns)
        self._hold(picture)
        return picture

    def _picture(self, part: Part, arrived_ns: int, wall_ns: int) -> Picture:
        assert self._ages is not None  # who has a reader has both
        assert self._info is not None
        pictures = part.content in (Content.KEYFRAME, Content.PICTURES)
        age = self._ages.age(part.seen_ns, part.sealed_ns, arrived_ns, wall_ns) if pictures else None
        return Picture(
            stream=self._number,
            content=part.content,
            data=part.data,
            seen_ns=part.seen_ns,
            arrived_ns=arrived_ns,
            age=age,
            media=self._info.media if part.content is Content.BEGINNING else "",
        )

    def _hold(self, picture: Picture) -> None:
        """Keep what a further viewer needs: more than is sane isn't kept, and he waits for the next keyframe."""
        if picture.age is not None:
            self.newest = picture
        match picture.content:
            case Content.BEGINNING:
                self.held, self._held_bytes = [picture], len(picture.data)
            case Content.KEYFRAME if self.held:
                del self.held[1:]
                self._held_bytes = sum(len(one.data) for one in self.held)
                self._add(picture)
            case Content.PICTURES if len(self.held) > 1:
                self._add(picture)
            case Content.END:
                self._forget()

    def _add(self, picture: Picture) -> None:
        self._held_bytes += len(picture.data)
        if self._held_bytes > HELD_BYTES:
            self.held, self._held_bytes = [], 0
        else:
            self.held.append(picture)

    def _forget(self) -> None:
        self.held, self._held_bytes, self._last = [], 0, None


def _later(new: ClipInfo, old: ClipInfo) -> bool:
    """Whether a start comes after another of the same session: under later keys, or later under the same.

    A boot never goes on with another one's session.
    """
    return new.at.boot == old.at.boot and (new.part, new.at.boot_ns) > (old.part, old.at.boot_ns)
