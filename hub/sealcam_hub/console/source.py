"""What the console needs of the hub, and no more: what to show, and when it has changed.

`sealcam_hub.ledger.Ledger` and `sealcam_hub.feed.Feed` are the real ones. Every method may block (they open sealed
events), so the console calls them on threads of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sealcam_hub.views import CameraView, IncidentView, NoticeView


class ConsoleSource(Protocol):
    """What there is to show, opened at the moment it is asked for."""

    def incidents(self, limit: int = 50, before: int | None = None) -> Sequence[IncidentView]:
        """The newest incidents by arrival at the hub, at most `limit`; `before` is the last one's `arrived_ns`."""
        ...

    def incident(self, incident: str, /) -> IncidentView | None:
        """One incident, or none."""
        ...

    def thumbnail(self, incident: str, /) -> bytes | None:
        """Its best picture as JPEG, or none."""
        ...

    def cameras(self) -> Sequence[CameraView]:
        """Every enrolled camera, in the owner's order."""
        ...

    def notices(self, limit: int = 20) -> Sequence[NoticeView]:
        """What the owner should know, newest first."""
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
