"""What the console needs of the hub, and no more: what to show, and when it has changed.

`sealcam_hub.ledger.Ledger`, `sealcam_hub.feed.Feed`, `sealcam_hub.audit_source.AuditSource`,
`sealcam_hub.clip_source.Clips` and `sealcam_hub.doors.Door` are the real ones. Every method may block (they open sealed
events and clips), so the console calls them on threads of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sealcam.wire.clip import ClipInfo
from sealcam_hub.audit_source import LogPage
from sealcam_hub.paths import PathView
from sealcam_hub.views import CameraView, ClipView, IncidentView, NoticeView


class ConsoleSource(Protocol):
    """What there is to show, opened at the moment it is asked for."""

    def incidents(self, limit: int = 50, before: int | None = None) -> Sequence[IncidentView]:
        """The newest incidents by arrival at the hub, at most `limit`; `before` is the last one's `arrived_ns`."""
        ...

    def incident(self, incident: str, /) -> IncidentView | None:
        """One incident, or none."""
        ...

    def thumbnail(self, incident: str, /, *, unveiled: bool = False) -> bytes | None:
        """Its best picture as JPEG, or none; of one that is veiled only for who is `unveiled` to it."""
        ...

    def path(self, incident: str, /) -> PathView | None:
        """Where its main track stood, or none."""
        ...

    def cameras(self) -> Sequence[CameraView]:
        """Every enrolled camera, in the owner's order."""
        ...

    def notices(self, limit: int = 20) -> Sequence[NoticeView]:
        """What the owner should know, newest first."""
        ...

    def standing_notices(self) -> Sequence[NoticeView]:
        """What of it isn't over, however old it is."""
        ...


class ConsoleLog(Protocol):
    """The audit log: what to show of it, and the entry that looking at an incident makes."""

    def newest(self, limit: int, before: int | None = None, /) -> LogPage:
        """The newest entries, at most `limit`; `before` is the lowest number of the page before."""
        ...

    def hash_of(self, number: int, /) -> bytes | None:
        """The hash of the entry at a place, or none."""
        ...

    def looked(self, incident: str, /) -> None:
        """Enter that somebody is about to be shown an incident."""
        ...

    def watched(self, clip: str, /) -> None:
        """Enter that somebody is about to watch a clip."""
        ...

    def saved(self, clip: str, /) -> None:
        """Enter that somebody is about to get a clip as a file that isn't sealed."""
        ...


class OpenClip(Protocol):
    """A clip that is open while it is watched; for one thread at a time."""

    camera: str
    info: ClipInfo
    size: int

    def read(self, offset: int, length: int, /) -> bytes:
        """Bytes of its content."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class ClipSource(Protocol):
    """The clips that the hub has heard of, and those that it holds."""

    def clips(self, incident: str, /) -> Sequence[ClipView]:
        """An incident's, by part."""
        ...

    def clip(self, clip: str, /) -> ClipView | None:
        """One, by its id, or none."""
        ...

    def open(self, clip: str, /) -> OpenClip:
        """One that is here; a `SealcamError` where it isn't."""
        ...

    def fetch(self, clip: str, /) -> None:
        """Ask its camera for one; a `SealcamError` where that can't be."""
        ...


class Door(Protocol):
    """What opens the console: the one-time link and the passphrase."""

    def redeem(self, token: str, /) -> bool:
        """Whether a link's token is right; it works once."""
        ...

    def mark(self) -> bytes | None:
        """Which passphrase holds, as bytes that tell nothing of it; none where none was ever chosen."""
        ...

    def matches(self, typed: str, /) -> bool:
        """Whether this is the passphrase; takes its time."""
        ...

    def choose(self, typed: str, /) -> None:
        """Let this be the passphrase; a `TooShort` where it isn't one."""
        ...


class ChangeSubscription(Protocol):
    """One reader's place in the feed of changes."""

    def get(self, timeout: float | None = None) -> str | None:
        """The oldest topic not yet read; none when nothing came within `timeout` seconds."""
        ...

    def close(self) -> None:
        """Take no more topics."""
        ...


class Changes(Protocol):
    """Where the console hears that something has changed: topics such as `incident/<id>`, never content."""

    def subscribe(self) -> ChangeSubscription:
        """A new place in the feed."""
        ...
