"""The console's rooms that show the home itself: its timeline, its cameras, the household, and deleting."""

from __future__ import annotations

from sealcam_hub.camera_facts import Cameras
from sealcam_hub.console.cameras import CamerasPart
from sealcam_hub.console.deleting import DeletingPart
from sealcam_hub.console.desk import Link
from sealcam_hub.console.household import HouseholdPart
from sealcam_hub.console.timeline import TimelinePart
from sealcam_hub.deletion_source import Deletions
from sealcam_hub.gists import Wanted
from sealcam_hub.home import Home
from sealcam_hub.household_source import Households
from sealcam_hub.localzone import local_zone
from sealcam_hub.timeline import Timeline
from sealcam_hub.views import IncidentView

HOUSEHOLD = (Link("Members", "/members"), Link("Notifications", "/notifications"), Link("Off-site copy", "/offsite"))
LOOKED_AT = 24  # incidents of a camera, for a still to draw on


def of(home: Home, timeline: Timeline | None = None) -> tuple[TimelinePart, CamerasPart, HouseholdPart, DeletingPart]:
    """The rooms of this hub; `timeline` is one that somebody keeps up."""
    ledger, zone = home.ledger(), local_zone()
    timeline = timeline or home.timeline()

    def still(alias: str) -> IncidentView | None:
        newest = timeline.page(Wanted(camera=alias), LOOKED_AT).incidents
        return next((one for one in newest if one.has_thumbnail and not one.veiled), None)

    return (
        TimelinePart(timeline, ledger.cameras, zone, ledger.notices_between),
        CamerasPart(Cameras(home), ledger.cameras, still, zone),
        HouseholdPart(Households(home), ledger.cameras, zone, HOUSEHOLD),
        DeletingPart(Deletions(home)),
    )
