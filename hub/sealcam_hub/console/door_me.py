"""`/me`, everybody's own page: their passkeys, the browsers they are signed in with, their passphrase."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sealcam_hub.console.desk import Private, Render
from sealcam_hub.console.door import DoorPages
from sealcam_hub.console.door_cookie import led, place_of
from sealcam_hub.console.door_people import Household
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session


class MyPages:
    """The addresses below `/me`."""

    def __init__(self, door: DoorPages, household: Household, render: Render) -> None:
        self._door, self._keyring, self._render = door, household.keyring, render

    def routes(self, private: Private) -> Sequence[Route]:
        """What `app` routes to."""
        return Route("/me", private(self.page)), Route("/me/end", private(self.end), methods=["POST"])

    async def page(self, request: Request, session: Session) -> Response:
        """`/me`."""
        keys = await to_thread.run_sync(self._keyring.of, session.person)
        mine = [one for one in self._door.sessions.all() if one.person.id == session.person.id]
        values: dict[str, object] = {"here": "/me", "csrf": session.csrf, "person": session.person, "sessions": mine}
        return self._render("me.html", values | {"this": session.name, "passkeys": keys, "place": place_of(request)})

    async def end(self, request: Request, session: Session) -> Response:
        """`POST /me/end`: one of one's own sessions by its name, or every other one where none is named."""
        form = await own_form(request, session.csrf)
        named = form.get("session", "")

        def chosen(one: Session) -> bool:
            return one.person.id == session.person.id and (one.name == named if named else one.name != session.name)

        self._door.sessions.end_where(chosen)
        return led("/me")
