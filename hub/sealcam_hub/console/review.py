"""The console's room for the owner's own annotation: one incident after the other, one key for each word.

Every word is a form's button, so that it works without scripts; `static/review.js` loads the next ones beforehand and
sends words behind the eye's back. What is shown, ahead too, is entered in the log before. A *sitting* is what one
session has marked since it came, so that it can undo. design/hub.md, "Review".
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from sealcam.wire.errors import ConfigError
from sealcam_hub.console import words
from sealcam_hub.console.desk import Desk, Link
from sealcam_hub.console.form import own_form
from sealcam_hub.console.review_data import DataPages
from sealcam_hub.console.session import Session
from sealcam_hub.console.source import ClipSource, ConsoleSource
from sealcam_hub.person import ACTING, OWNER
from sealcam_hub.review import Review
from sealcam_hub.review_marks import Answer
from sealcam_hub.review_words import MarkView, Word
from sealcam_hub.views import ClipView, IncidentView

CHANGED = "review"  # what open pages are told when something was marked
MOST_SITTINGS, MOST_WITHOUT, MOST_UNDONE = 64, 64, 1000
_INCIDENT = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Key:
    """A word as it stands on its button, with its key; `style` names its colour and icon."""

    word: Word
    key: str
    words: str
    style: str

    @property
    def name(self) -> str:
        """What a form calls it."""
        return self.word.name.lower()


KEYS = (
    Key(Word.THREAT, "t", "Threat", "threat"),
    Key(Word.BENIGN, "b", "Benign", "benign"),
    Key(Word.FALSE_ALARM, "f", "False alarm", "false_alarm"),
    Key(Word.OURS, "o", "Ours", "home"),
    Key(Word.UNSURE, "n", "Not sure", "notice"),
)
SAID = {key.name: key.words.lower() for key in KEYS}


@dataclass(slots=True)
class Sitting:
    """What one session has marked: the numbers of its marks, oldest first, and what there is to tell it once."""

    marks: list[int] = field(default_factory=list)
    told: str = ""


class Sittings:
    """Everybody's, in memory: the one that was used longest ago makes room."""

    def __init__(self) -> None:
        self._all: OrderedDict[str, Sitting] = OrderedDict()

    def of(self, session: Session) -> Sitting:
        """This session's."""
        found = self._all.setdefault(session.csrf, Sitting())
        self._all.move_to_end(session.csrf)
        if len(self._all) > MOST_SITTINGS:
            self._all.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class Shown:
    """An incident as the room shows it: its newest mark, and the clip that can be watched, if one is here."""

    incident: IncidentView
    mark: MarkView | None
    clip: ClipView | None


class ReviewRoom:
    """The part of the console. What `review` does blocks, so it runs on threads."""

    def __init__(self, review: Review, source: ConsoleSource, clips: ClipSource) -> None:
        self._review, self._source, self._clips = review, source, clips
        self._sittings, self._turns = Sittings(), count(1)
        self._desk: Desk | None = None

    @property
    def link(self) -> Link:
        """Its place in the navigation."""
        return Link("Review", "/review")

    def routes(self, desk: Desk) -> Sequence[Route | Mount]:
        """Its addresses."""
        self._desk = desk
        private = desk.private
        return [
            Route("/review", private(self.page)),
            Route("/review/next", private(self.next)),
            Route("/review/item/{incident}", private(self.item)),
            Route("/review/mark", private(self.mark), methods=["POST"]),
            Route("/review/undo", private(self.undo), methods=["POST"]),
            *DataPages(self._review, desk).routes(),
        ]

    # Pages

    async def page(self, request: Request, session: Session) -> Response:
        """`/review`, the most doubtful incident, or the one that is asked for."""
        sitting = self._sittings.of(session)
        told, sitting.told = sitting.told, ""
        asked = request.query_params.get("show")
        wanted = None if asked is None else _named(asked)
        shown = await to_thread.run_sync(self._shown, session, wanted, frozenset())
        waiting = await to_thread.run_sync(self._review.queue.count)
        values = self._values(session, shown) | {"here": "/review", "told": told, "waiting": waiting}
        return self._room.page("review.html", values | {"done": len(sitting.marks), "keys": KEYS})

    async def next(self, request: Request, session: Session) -> Response:
        """`/review/next?without=A,B`: the first incident that is none of these, as a piece of a page; 204: none."""
        names = [name for name in request.query_params.get("without", "").split(",") if name]
        if len(names) > MOST_WITHOUT:
            raise HTTPException(400)
        without = frozenset(_named(name) for name in names)
        return self._piece(session, await to_thread.run_sync(self._shown, session, None, without))

    async def item(self, request: Request, session: Session) -> Response:
        """`/review/item/{incident}`: that one, as a piece of a page; 204: it isn't there any more."""
        name = _named(request.path_params["incident"])
        return self._piece(session, await to_thread.run_sync(self._shown, session, name, frozenset()))

    # What changes something

    async def mark(self, request: Request, session: Session) -> Response:
        """`POST /review/mark`: a word on an incident, and what the page had seen of others'."""
        form = await own_form(request, session.csrf)
        incident, seen = _named(form.get("incident", "")), form.get("seen", "0")
        word = next((key.word for key in KEYS if key.name == form.get("word")), None)
        if word is None or not re.fullmatch(r"[0-9]{1,18}", seen):
            raise HTTPException(400)
        sitting = self._sittings.of(session)
        try:
            said = partial(self._review.marks.say, incident, word, int(seen), _who())
            answer = await to_thread.run_sync(said)
        except ConfigError as error:  # it was deleted meanwhile: there is nothing to mark
            return await self._answered(request, session, {"gone": True}, error.message)
        sitting.marks = [*sitting.marks, answer.id][-MOST_UNDONE:]
        self._room.streams.tell(CHANGED)
        return await self._answered(request, session, {"id": answer.id}, _before(answer))

    async def undo(self, request: Request, session: Session) -> Response:
        """`POST /review/undo`: this sitting's last word, or the one that is named, is taken back; its incident is shown
        again."""
        form = await own_form(request, session.csrf)
        sitting = self._sittings.of(session)
        if not sitting.marks:
            return await self._answered(request, session, {}, "There is nothing to undo in this sitting.")
        named = form.get("mark", str(sitting.marks[-1]))
        number = next((one for one in sitting.marks if str(one) == named), None)
        if number is None:
            return await self._answered(request, session, {}, "That word isn't one of this sitting any more.")
        sitting.marks.remove(number)
        try:
            incident = await to_thread.run_sync(self._review.marks.undo, number)
        except ConfigError as error:
            return await self._answered(request, session, {}, error.message)
        self._room.streams.tell(CHANGED)
        return await self._answered(request, session, {"incident": incident}, "Taken back.")

    async def _answered(self, request: Request, session: Session, facts: dict[str, object], told: str) -> Response:
        sitting = self._sittings.of(session)
        if "application/json" in request.headers.get("accept", ""):
            waiting = await to_thread.run_sync(self._review.queue.count)
            turn = next(self._turns)  # answers may overtake one another on their way
            return JSONResponse(facts | {"told": told, "done": len(sitting.marks), "waiting": waiting, "turn": turn})
        sitting.told = told
        shown = f"?show={facts['incident']}" if "incident" in facts else ""
        return RedirectResponse(f"/review{shown}", status_code=303)

    # On threads

    def _shown(self, session: Session, name: str | None, without: frozenset[str]) -> Shown | None:
        """What is to be shown, behind its entry in the log."""
        passed = set(without)
        while True:
            found = name
            if found is None:
                first = self._review.queue.first(1, passed)
                if not first:
                    return None
                found = first[0].incident
            view = self._source.incident(found)
            if view is not None:
                break
            if name is not None:
                return None
            passed.add(found)
        self._room.log.looked(session, view.id)
        clip = next((one for one in self._clips.clips(view.id) if one.state == "here"), None)
        return Shown(view, self._review.marks.of(view.id), clip)

    # Pieces

    @property
    def _room(self) -> Desk:
        assert self._desk is not None
        return self._desk

    def _values(self, session: Session, shown: Shown | None) -> dict[str, object]:
        return {"csrf": session.csrf, "item": shown, "keys": KEYS, "said": SAID}

    def _piece(self, session: Session, shown: Shown | None) -> Response:
        if shown is None:
            return Response(status_code=204)
        return self._room.page("review_item.html", self._values(session, shown))


def _named(name: str) -> str:
    if not _INCIDENT.fullmatch(name):
        raise HTTPException(404)
    return name


def _who() -> str:
    person = ACTING.get()
    return OWNER.name if person is None else person.name


def _before(answer: Answer) -> str:
    """What to tell somebody who has marked an incident that another had marked meanwhile."""
    before = answer.before
    if before is None:
        return ""
    when = words.clock(before.at_ns)
    told = f"{before.who} had marked it as {SAID[before.word]} at {when}."
    return f"{told} Both are kept; your word counts unless you undo it."
