"""Members at the door: the owner invites them by a link, each chooses a passphrase behind it, the owner removes them.

Opening the link uses nothing up, since programs preview links; sending its form does. `/members` is the owner's
(`roles`), and also ends anybody's session.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sealcam.wire.errors import ConfigError
from sealcam_hub.console.desk import Private, Render
from sealcam_hub.console.door import DoorPages
from sealcam_hub.console.door_cookie import led
from sealcam_hub.console.door_people import Household
from sealcam_hub.console.door_ways import Ways
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session
from sealcam_hub.passphrase import FEWEST

DAYS = (1, 3, 7)


class MemberPages:
    """The addresses of members and invitations; `ways` is how the console is reached from another device."""

    def __init__(self, door: DoorPages, household: Household, render: Render, ways: Ways) -> None:
        self._door, self._household, self._people = door, household, household.people
        self._render, self._ways = render, ways

    def routes(self, private: Private) -> Sequence[Route]:
        """What `app` routes to."""
        return (
            Route("/members", private(self.page)),
            Route("/members/invite", private(self.invite), methods=["POST"]),
            Route("/members/withdraw", private(self.withdraw), methods=["POST"]),
            Route("/members/remove", private(self.remove), methods=["POST"]),
            Route("/members/end", private(self.end), methods=["POST"]),
            Route("/members/code.svg", private(self.code)),
            Route("/join", self.join, methods=["GET", "POST"]),
        )

    async def page(self, _request: Request, session: Session) -> Response:
        """`/members`."""
        return await to_thread.run_sync(self._page, session)

    def _page(self, session: Session, link: str | None = None, problem: str | None = None) -> Response:
        tries = self._door.tries
        values: dict[str, object] = {
            "here": "/members",
            "csrf": session.csrf,
            "members": self._people.members(),
            "invitations": self._people.invitations(),
            "sessions": self._door.sessions.all(),
            "this": session.name,
            "days": DAYS,
            "link": link,
            "problem": problem,
            "wrong": tries.wrong,
            "wrong_ns": tries.wrong_ns,
            "lan": self._ways.lan,
        }
        return self._render("members.html", values, 400 if problem else 200)

    async def invite(self, request: Request, session: Session) -> Response:
        """`POST /members/invite`: the page again, with the link, which is shown this once."""
        form = await own_form(request, session.csrf)
        days = form.get("days", "")
        if days not in map(str, DAYS):
            raise HTTPException(400)

        def invite() -> Response:
            try:
                token = self._people.invite(form.get("name", ""), int(days))
            except ConfigError as error:
                return self._page(session, problem=f"{error}. {error.hint}." if error.hint else f"{error}.")
            base = self._ways.address or f"{request.url.scheme}://{request.headers['host']}"
            return self._page(session, link=f"{base}/join?{urlencode({'token': token})}")

        return await to_thread.run_sync(invite)

    async def withdraw(self, request: Request, session: Session) -> Response:
        """`POST /members/withdraw`."""
        form = await own_form(request, session.csrf)
        await to_thread.run_sync(self._people.withdraw, _number(form.get("invitation", "")))
        return led("/members")

    async def remove(self, request: Request, session: Session) -> Response:
        """`POST /members/remove`: a member is out at once, in every browser."""
        form = await own_form(request, session.csrf)
        gone = await to_thread.run_sync(self._people.remove, _number(form.get("member", "")))
        if gone is None:
            raise HTTPException(404)
        self._door.sessions.end_where(lambda one: one.person.id == gone.id)
        return led("/members")

    async def end(self, request: Request, session: Session) -> Response:
        """`POST /members/end`: one session by its name, or every other one where none is named."""
        form = await own_form(request, session.csrf)
        named = form.get("session", "")
        self._door.sessions.end_where(lambda one: one.name == named if named else one.name != session.name)
        return led("/members")

    async def code(self, _request: Request, _session: Session) -> Response:
        """`/members/code.svg`: the page that prepares a phone, as a QR code."""
        if self._ways.lan is None:
            raise HTTPException(404)
        return Response(self._ways.lan.code, media_type="image/svg+xml")

    # Without a session

    async def join(self, request: Request) -> Response:
        """`/join?token=...`: an invited person chooses a passphrase, and is in."""
        if request.method != "POST":
            return await to_thread.run_sync(self._asked, request.query_params.get("token", ""))
        form = await own_form(request, None)
        token = form.get("token", "")
        try:
            came = await self._door.tries.join(token, form.get("new", ""), form.get("again", ""))
        except ConfigError:
            return await to_thread.run_sync(self._asked, token)
        if isinstance(came, str):
            return await to_thread.run_sync(self._asked, token, came)
        return self._door.enter(request, came, led("/me"))

    def _asked(self, token: str, problem: str | None = None) -> Response:
        found = self._people.invited(token)
        values = {"invited": found, "token": token if found else "", "problem": problem, "fewest": FEWEST}
        return self._render("join.html", values, 403 if found is None else 400 if problem else 200)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise HTTPException(400)
    return int(text)
