"""Which rooms the console has beside its first page, in the navigation's order; each is made with what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sealcam_hub.console.desk import Part
    from sealcam_hub.feed import Feed
    from sealcam_hub.home import Home
    from sealcam_hub.timeline import Timeline


def of(home: Home, feed: Feed, timeline: Timeline | None = None) -> tuple[Part, ...]:
    """The rooms of this hub's console; `timeline` is one that somebody keeps up."""
    # A hub without pages needs none of the libraries behind them.
    from sealcam_hub import console_rooms, review, share_room
    from sealcam_hub.clip_source import Clips
    from sealcam_hub.console.notifications import NotificationsRoom
    from sealcam_hub.console.offsite import OffsiteRoom
    from sealcam_hub.console.review import ReviewRoom
    from sealcam_hub.notifying.manage import Notifications
    from sealcam_hub.offsite_status import standing

    searching, cameras, household, deleting = console_rooms.of(home, timeline)
    notifications = NotificationsRoom(Notifications(home))
    reviewing = ReviewRoom(review.of(home), home.ledger(), Clips(home.vault(), home.fetching().ask))
    offsite = OffsiteRoom(lambda: standing(home))
    return (searching, reviewing, share_room.of(home), cameras, household, notifications, offsite, deleting)
