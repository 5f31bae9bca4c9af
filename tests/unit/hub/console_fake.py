"""A hub of three cameras to show, without a ledger: implements the console's protocols, and takes its stimulus."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from sealcam.wire.audit import Head
from sealcam_hub.audit import AuditView
from sealcam_hub.audit_source import LogPage
from sealcam_hub.passphrase import check, normal
from sealcam_hub.paths import PathView
from sealcam_hub.views import CameraView, IncidentView, NoticeView, ReportView

SECOND_NS = 1_000_000_000
NOW_NS = 1_763_809_200 * SECOND_NS  # 2025-11-22 11:00 UTC
PORCH = "0123456789abcdef"


def report(seq: int, stage: str = "new", **changes: object) -> ReportView:
    """One report of a person at the porch."""
    plain = ReportView(
        seq=seq,
        stage=stage,
        occurred_ns=NOW_NS + seq * SECOND_NS,
        subject="person",
        confidence=0.91,
        verdict="threat",
        threat=0.87,
        reasons=("a person was seen for 12 s", "armed away"),
        trigger="motion",
        mode="away",
        pending=False,
        has_thumbnail=stage == "new",
    )
    return replace(plain, **changes)


def incident(number: int, **changes: object) -> IncidentView:
    """The `number`th incident of a home, each a minute after the one before."""
    at_ns = NOW_NS + number * 60 * SECOND_NS
    plain = IncidentView(
        id=f"{PORCH}-{number:016x}",
        alias=PORCH,
        camera_name="Front door",
        subject="person",
        confidence=0.91,
        verdict="threat",
        threat=0.87,
        reasons=("a person was seen for 12 s", "armed away"),
        trigger="motion",
        mode="away",
        started_ns=at_ns,
        ended_ns=at_ns + 12 * SECOND_NS,
        arrived_ns=at_ns + SECOND_NS,
        open=False,
        reports=(report(2 * number + 1), report(2 * number + 2, "end")),
        has_thumbnail=True,
    )
    return replace(plain, **changes)


def camera(alias: str = PORCH, **changes: object) -> CameraView:
    """A camera at the front door that watches."""
    plain = CameraView(alias, "Front door", "watching", "away", NOW_NS, 180_000_000, 0, "0.1.0", 7)
    return replace(plain, **changes)


def notice(number: int, kind: str = "gap", text: str = "reports 12 to 14 have not come") -> NoticeView:
    """Something the owner should know."""
    return NoticeView(number, kind, "Front door", text, NOW_NS)


class FakeSource:
    """What it is given to show; `asked` counts how many incidents were opened for it."""

    def __init__(
        self,
        incidents: Sequence[IncidentView] = (),
        cameras: Sequence[CameraView] | None = None,
        notices: Sequence[NoticeView] = (),
        pictures: dict[str, bytes] | None = None,
    ) -> None:
        self.shown = sorted(incidents, key=lambda one: -one.arrived_ns)
        self.there = [camera()] if cameras is None else list(cameras)
        self.told = list(notices)
        self.standing: list[NoticeView] = []
        self.pictures = pictures or {}
        self.paths: dict[str, PathView] = {}
        self.asked = 0

    def incidents(self, limit: int = 50, before: int | None = None) -> Sequence[IncidentView]:
        """The newest first."""
        found = [one for one in self.shown if before is None or one.arrived_ns < before][:limit]
        self.asked += len(found)
        return found

    def incident(self, incident: str) -> IncidentView | None:
        """By its id."""
        return next((one for one in self.shown if one.id == incident), None)

    def thumbnail(self, incident: str, *, unveiled: bool = False) -> bytes | None:
        """What was given for it."""
        shown = self.incident(incident)
        return None if shown is not None and shown.veiled and not unveiled else self.pictures.get(incident)

    def path(self, incident: str) -> PathView | None:
        """What was given for it."""
        return self.paths.get(incident)

    def cameras(self) -> Sequence[CameraView]:
        """As given."""
        return self.there

    def notices(self, limit: int = 20) -> Sequence[NoticeView]:
        """As given."""
        return self.told[:limit]

    def standing_notices(self) -> Sequence[NoticeView]:
        """As given."""
        return self.standing


class FakeDoor:
    """Links that work once, and a passphrase that is compared and not hashed; `tried` counts the comparisons."""

    def __init__(self, *tokens: str, passphrase: str | None = None) -> None:
        self.tokens = list(tokens)
        self.passphrase = passphrase
        self.tried = 0

    def redeem(self, token: str) -> bool:
        """Once each."""
        if token not in self.tokens:
            return False
        self.tokens.remove(token)
        return True

    def mark(self) -> bytes | None:
        """Another one for another passphrase."""
        return None if self.passphrase is None else hashlib.sha256(self.passphrase.encode()).digest()

    def matches(self, typed: str) -> bool:
        """As it is."""
        self.tried += 1
        return normal(typed) == self.passphrase

    def choose(self, typed: str) -> None:
        """Under the real rule."""
        check(typed)
        self.passphrase = normal(typed)


class FakeLog:
    """An audit log that holds what it is told to, and what was looked at."""

    def __init__(self, count: int = 0) -> None:
        self.count = count
        self.holds = True
        self.seen: list[str] = []
        self.watched_clips: list[str] = []
        self.saved_clips: list[str] = []
        self.error: Exception | None = None

    def hash_of(self, number: int) -> bytes | None:
        """Any bytes that are another's for another number."""
        return number.to_bytes(32, "big") if 0 < number <= self.count else None

    def looked(self, incident: str) -> None:
        """Take an entry."""
        if self.error is not None:
            raise self.error
        self.seen.append(incident)

    def watched(self, clip: str) -> None:
        """Take an entry."""
        if self.error is not None:
            raise self.error
        self.watched_clips.append(clip)

    def saved(self, clip: str) -> None:
        """Take an entry."""
        if self.error is not None:
            raise self.error
        self.saved_clips.append(clip)

    def newest(self, limit: int, before: int | None = None) -> LogPage:
        """Entries that say their number."""
        top = self.count if before is None else min(self.count, before - 1)
        numbers = range(top, max(0, top - limit), -1)
        entries = tuple(
            AuditView(
                number=number,
                hash=number.to_bytes(32, "big"),
                at_ns=NOW_NS,
                actor="owner",
                action="opened",
                detail=f"<b>picture {number}</b>",
                subject=number.to_bytes(8, "big"),
                recipient=None,
            )
            for number in numbers
        )
        older = numbers[-1] if top > limit else None
        return LogPage(entries, Head(self.count, self.count.to_bytes(32, "big")), self.holds, older, "f" * 64)
