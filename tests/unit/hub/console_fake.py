"""A hub of three cameras to show, without a ledger: implements the console's protocols, and takes its stimulus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
        self.pictures = pictures or {}
        self.asked = 0

    def incidents(self, limit: int = 50, before: int | None = None) -> Sequence[IncidentView]:
        """The newest first."""
        found = [one for one in self.shown if before is None or one.arrived_ns < before][:limit]
        self.asked += len(found)
        return found

    def incident(self, incident: str) -> IncidentView | None:
        """By its id."""
        return next((one for one in self.shown if one.id == incident), None)

    def thumbnail(self, incident: str) -> bytes | None:
        """What was given for it."""
        return self.pictures.get(incident)

    def cameras(self) -> Sequence[CameraView]:
        """As given."""
        return self.there

    def notices(self, limit: int = 20) -> Sequence[NoticeView]:
        """As given."""
        return self.told[:limit]
