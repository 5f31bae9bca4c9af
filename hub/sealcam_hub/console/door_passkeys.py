"""Passkeys at the door: a browser asks for a challenge, and sends what the person's device made of it.

Signing in needs no name: the device says which passkey it is. A wrong answer is told as nothing but wrong, and counted.
Nobody's wrong passphrases slow a passkey down. What holds is decided by `sealcam_hub.passkeys`; the script is
`static/passkeys.js`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sealcam.wire.errors import EnvelopeError
from sealcam_hub import passkeys
from sealcam_hub.console.challenges import Challenges
from sealcam_hub.console.desk import Private
from sealcam_hub.console.door import DoorPages
from sealcam_hub.console.door_cookie import led, own_address, place_of
from sealcam_hub.console.door_people import Household
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Entry, Session
from sealcam_hub.passkeys import Site

JSON = "application/json"
_IN = "in"
_LABEL = 40


class PasskeyPages:
    """The addresses of passkeys; `boot` is time since boot in nanoseconds."""

    def __init__(self, door: DoorPages, household: Household, boot: Callable[[], int]) -> None:
        self._door, self._keyring = door, household.keyring
        self._challenges = Challenges(boot)
        self._lock = threading.Lock()

    def routes(self, private: Private) -> Sequence[Route]:
        """What `app` routes to."""
        return (
            Route("/passkey/ask", self.ask, methods=["POST"]),
            Route("/passkey", self.enter, methods=["POST"]),
            Route("/me/passkey/ask", private(self.ask_new), methods=["POST"]),
            Route("/me/passkey", private(self.add), methods=["POST"]),
            Route("/me/passkey/remove", private(self.remove), methods=["POST"]),
        )

    # Signing in

    async def ask(self, request: Request) -> Response:
        """`POST /passkey/ask`: what the browser gives to the person's device, as JSON."""
        await own_form(request, None)
        return _json(passkeys.ask(_place(request), self._challenges.new(_IN)))

    async def enter(self, request: Request) -> Response:
        """`POST /passkey`: the device's answer; where to go, as text, and the session's cookie."""
        form = await own_form(request, None)
        place = _place(request)

        def attempt() -> Entry | None:
            try:
                return self._entry(form.get("answer", ""), place)
            except EnvelopeError:
                self._door.tries.failed()
                return None

        came = await to_thread.run_sync(attempt)
        if came is None:
            return PlainTextResponse("That passkey isn't known here.\n", status_code=403)
        return self._door.enter(request, came, PlainTextResponse(own_address(form.get("to", "/"))))

    def _entry(self, answer: str, place: Site) -> Entry:
        challenge = passkeys.challenge_of(answer)
        kept = self._keyring.find(passkeys.credential_of(answer))
        if kept is None or not self._challenges.holds(challenge, _IN):
            raise EnvelopeError
        count = passkeys.verify(answer, challenge, place, kept)
        mark = self._door.tries.mark(kept.person.id)
        with self._lock:
            fresh = self._challenges.use(challenge)
        if mark is None or not fresh or not self._keyring.used(kept, count):
            raise EnvelopeError
        return Entry(mark, kept.person, "a passkey", credential=kept.credential)

    # One's own

    async def ask_new(self, request: Request, session: Session) -> Response:
        """`POST /me/passkey/ask`: what the browser gives to the device that shall make one, as JSON."""
        await own_form(request, session.csrf)
        place = _place(request)

        def made() -> str:
            handle, have = self._keyring.handle(session.person), self._keyring.credentials(session.person, place.host)
            return passkeys.ask_new(place, session.person.name, handle, have, self._challenges.new(session.name))

        return _json(await to_thread.run_sync(made))

    async def add(self, request: Request, session: Session) -> Response:
        """`POST /me/passkey`: the device's answer, and what the person calls the new passkey."""
        form = await own_form(request, session.csrf)
        place, answer = _place(request), form.get("answer", "")
        label = " ".join(form.get("label", "").split())[:_LABEL]

        def add() -> bool:
            try:
                challenge = passkeys.challenge_of(answer)
                if not self._challenges.holds(challenge, session.name):
                    raise EnvelopeError
                made = passkeys.verify_new(answer, challenge, place)
                with self._lock:
                    if not self._challenges.use(challenge):
                        raise EnvelopeError
            except EnvelopeError:
                return False
            self._keyring.add(session.person, place.host, label or "Passkey", made)
            return True

        if not await to_thread.run_sync(add):
            return PlainTextResponse("That passkey can't be added. Try again.\n", status_code=400)
        return PlainTextResponse("/me")

    async def remove(self, request: Request, session: Session) -> Response:
        """`POST /me/passkey/remove`: one's own passkey is forgotten; sessions that it began are over, but this one."""
        form = await own_form(request, session.csrf)
        credential = await to_thread.run_sync(self._keyring.drop, session.person, form.get("passkey", ""))
        if credential is None:
            raise HTTPException(404)
        self._door.sessions.end_where(lambda one: one.entry.credential == credential and one.name != session.name)
        return led("/me")


def _place(request: Request) -> Site:
    place = place_of(request)
    if place is None:
        raise HTTPException(404)
    return place


def _json(text: str) -> Response:
    return Response(text, media_type=JSON)
