"""The console's door: link, passphrase, sign-out; nothing of the home is shown before it.

The one-time link makes a guest, who chooses the passphrase where there is none. A passphrase makes a session, with
or without a link; wrong ones are slowed down (`door_tries`), for each guest and session alone, so that somebody who
guesses slows down neither the owner who is in nor whoever may write the hub's folder. Passkeys are
`door_passkeys`', invitations and members `door_members`'; `session` keeps who is in, `sealcam_hub.passphrase` what is
known of the passphrase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from sealcam_hub.console.door_cookie import (
    browser_of,
    led,
    own_address,
    place_of,
    secret_of,
    wanted,
    with_cookie,
    without_cookie,
)
from sealcam_hub.console.door_people import Household
from sealcam_hub.console.door_tries import Tries
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import GUEST_NS, LIFE_NS, Entry, Guest, Session, Sessions
from sealcam_hub.console.source import Door
from sealcam_hub.console.throttle import Throttle
from sealcam_hub.passphrase import FEWEST, MOST
from sealcam_hub.person import OWNER, Person

Render = Callable[[str, Mapping[str, object], int], HTMLResponse]


class DoorPages:
    """What `app` routes to; `clock` is wall time, `boot` nanoseconds since boot; `render(template, values, code)`."""

    def __init__(
        self,
        door: Door,
        clock: Callable[[], int],
        boot: Callable[[], int],
        render: Render,
        household: Household | None = None,
    ) -> None:
        self._door = door
        self._boot = boot
        self._render = render
        self.household = household
        self.tries = Tries(door, household, clock, boot)
        self.sessions = Sessions(self.tries.mark, clock)

    def session(self, request: Request) -> Session | None:
        """Who asks, if they are signed in. May block."""
        return self.sessions.find(secret_of(request))

    def unlock(self, request: Request, token: str) -> Response:
        """`/?token=...`, the one-time link. May block."""
        # A browser may load an address while it is still being typed, and programs preview links: that is not a use.
        if request.method != "GET" or "prefetch" in request.headers.get("sec-purpose", ""):
            return PlainTextResponse("503: open the link itself\n", status_code=503)
        if self.session(request) is None and self._guest(request) is None:
            if not self._door.redeem(token):
                return self.closed(request, used=True)
            return with_cookie(request, led("/"), self.sessions.invite(Throttle(self._boot)), GUEST_NS)
        return led("/")

    def closed(self, request: Request, used: bool = False) -> Response:
        """What somebody without a session gets, whatever they asked for. May block."""
        # A strict cookie stays behind when a link on another site led here: ask once more, as our own page.
        if request.headers.get("sec-fetch-site") == "cross-site" and request.url.path == "/" and not used:
            return self._render("again.html", {}, 200)
        if self._door.mark() is not None:
            return self._ask(request, wanted(request))
        guest = self._guest(request)
        if guest is not None:
            return self._choose(guest, None, 200 if request.url.path == "/" else 403)
        return self._render("closed.html", {"used": used}, 403)

    # In

    async def login(self, request: Request) -> Response:
        """`POST /login`."""
        guest = self._guest(request)
        form = await own_form(request, None if guest is None else guest.csrf)
        to = own_address(form.get("to", "/"))
        if await to_thread.run_sync(self.session, request) is not None:
            return led(to)
        if self._door.mark() is None:
            return self.closed(request)
        name = form.get("name", "")
        came = await self.tries.stranger(name, form.get("passphrase", ""), None if guest is None else guest.throttle)
        if isinstance(came, str):
            return await to_thread.run_sync(self._ask, request, to, came, name)
        return self.enter(request, came, led(to))

    def enter(self, request: Request, came: Entry, answer: Response) -> Response:
        """`answer`, with which this browser is in; a session that it had is over."""
        self.sessions.end(secret_of(request))
        entry = replace(came, browser=browser_of(request))
        return with_cookie(request, answer, self.sessions.begin(entry, Throttle(self._boot)), LIFE_NS)

    # The passphrase is chosen or changed

    async def passphrase(self, request: Request) -> Response:
        """`/passphrase`: who is signed in changes their own; a guest chooses the first one."""
        session, guest = await to_thread.run_sync(self.session, request), self._guest(request)
        if session is None and (guest is None or self._door.mark() is not None):
            return await to_thread.run_sync(self.closed, request)
        if request.method != "POST":
            if session is None:
                return self._choose(guest, None, 200)
            return self._change(session, None, "changed" in request.query_params)
        asker = session or guest
        assert asker is not None
        form = await own_form(request, asker.csrf)
        person: Person = OWNER if session is None else session.person
        held: bytes | None = None
        if session is not None:
            found = await self.tries.known(person, form.get("current", ""), session.throttle)
            if isinstance(found, str):
                return self._change(session, found)
            held = found
        problem = await self.tries.choose(person, form.get("new", ""), form.get("again", ""), held)
        if problem:
            return self._choose(guest, problem, 400) if session is None else self._change(session, problem)
        mark = self.tries.mark(person.id)
        assert mark is not None
        came = Entry(mark, person) if session is None else replace(session.entry, mark=mark)
        return self.enter(request, came, led("/" if session is None else "/passphrase?changed"))

    # Out

    async def out(self, request: Request) -> Response:
        """`POST /logout`."""
        session = await to_thread.run_sync(self.session, request)
        if session is not None:
            await own_form(request, session.csrf)
            self.sessions.end(secret_of(request))
        return without_cookie(request, led("/"))

    # Pages

    def _guest(self, request: Request) -> Guest | None:
        return self.sessions.guest(secret_of(request))

    def _ask(self, request: Request, to: str, problem: str | None = None, name: str = "") -> Response:
        guest = self._guest(request)
        throttle_s = self.tries.wait_s(name) if guest is None else guest.throttle.wait_s()
        wait_s = throttle_s if problem else 0
        people = self.household is not None and bool(self.household.people.members())
        values = {
            "guest_csrf": "" if guest is None else guest.csrf,
            "to": to,
            "problem": problem,
            "people": people,
            "name": name,
            "passkeys": self.household is not None and place_of(request) is not None,
        }
        answer = self._render("login.html", values, 429 if wait_s else 403)
        if wait_s:
            answer.headers["Retry-After"] = str(wait_s)
        return answer

    def _choose(self, guest: Guest | None, problem: str | None, code: int) -> Response:
        if guest is None:
            raise HTTPException(403)
        values = {"guest_csrf": guest.csrf, "problem": problem, "fewest": FEWEST, "most": MOST}
        return self._render("choose.html", values, code)

    def _change(self, session: Session, problem: str | None, changed: bool = False) -> Response:
        values = {"csrf": session.csrf, "problem": problem, "changed": changed, "fewest": FEWEST, "most": MOST}
        return self._render("passphrase.html", values, 400 if problem else 200)
