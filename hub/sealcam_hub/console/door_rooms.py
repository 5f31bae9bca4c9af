"""The rooms around the door, hung up together: passkeys, everybody's own page, the members."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.routing import Route

from sealcam_hub.console.desk import Private, Render
from sealcam_hub.console.door import DoorPages
from sealcam_hub.console.door_me import MyPages
from sealcam_hub.console.door_members import MemberPages
from sealcam_hub.console.door_passkeys import PasskeyPages
from sealcam_hub.console.door_people import Household
from sealcam_hub.console.door_ways import Ways


class DoorRooms:
    """What `app` routes to where there is a household."""

    def __init__(
        self, door: DoorPages, household: Household, boot: Callable[[], int], render: Render, ways: Ways
    ) -> None:
        self._rooms = (
            PasskeyPages(door, household, boot),
            MyPages(door, household, render),
            MemberPages(door, household, render, ways),
        )

    def routes(self, private: Private) -> Sequence[Route]:
        """Their addresses."""
        return [route for room in self._rooms for route in room.routes(private)]
