"""The review's second page: the data set that the marks make, training at home, and the way to the cameras and back.

All of it is the owner's to start; nothing happens by itself. `review` has the marks. design/hub.md, "Review".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sealcam.wire.errors import ConfigError
from sealcam.wire.wishes import ModelWish
from sealcam_hub.console.desk import Desk
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session
from sealcam_hub.review import Review
from sealcam_hub.review_models import SHIPPED
from sealcam_hub.wish_words import outcome_said

LEAST = 20  # marked incidents that can be learnt from, as `training` wants them
HERE = "/review/data"
ROWS = (
    ("right", "Likeliest word is right", "more is better"),
    ("found", "Threats found", "more is better"),
    ("false", "Others called threat", "less is better"),
    ("brier", "Error of the probabilities (Brier)", "less is better"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a camera was asked to judge by, and what became of it."""

    camera: str
    model: str
    state: str


class DataPages:
    """What `ReviewRoom` hangs up beside its own pages."""

    def __init__(self, review: Review, desk: Desk) -> None:
        self._review, self._desk = review, desk

    def routes(self) -> list[Route]:
        """Their addresses."""
        private = self._desk.private
        return [
            Route(HERE, private(self.page)),
            Route(f"{HERE}/export", private(self.export), methods=["POST"]),
            Route(f"{HERE}/erase", private(self.erase), methods=["POST"]),
            Route(f"{HERE}/train", private(self.train), methods=["POST"]),
            Route(f"{HERE}/send", private(self.send), methods=["POST"]),
            Route(f"{HERE}/back", private(self.back), methods=["POST"]),
        ]

    async def page(self, _request: Request, session: Session) -> Response:
        """`/review/data`."""
        return await to_thread.run_sync(self._page, session, "")

    async def export(self, request: Request, session: Session) -> Response:
        """`POST /review/data/export`: the data set as a file."""
        await own_form(request, session.csrf)
        content = await to_thread.run_sync(self._review.data.export)
        disposition = {"content-disposition": 'attachment; filename="sealcam-marks.jsonl"'}
        return Response(content, media_type="application/jsonl", headers=disposition)

    async def erase(self, request: Request, session: Session) -> Response:
        """`POST /review/data/erase`: all marks and models go, if the box was ticked."""
        form = await own_form(request, session.csrf)
        if form.get("sure") != "yes":
            return await to_thread.run_sync(self._page, session, "Tick the box if all marks shall go.")
        return await self._do(session, self._review.marks.erase)

    async def train(self, request: Request, session: Session) -> Response:
        """`POST /review/data/train`: a training begins."""
        await own_form(request, session.csrf)
        return await self._do(session, self._review.training.begin)

    async def send(self, request: Request, session: Session) -> Response:
        """`POST /review/data/send`: the model that the form names goes to the cameras."""
        form = await own_form(request, session.csrf)
        number = form.get("model", "")
        if not number.isdecimal() or len(number) > 9:
            raise HTTPException(400)
        return await self._do(session, lambda: self._review.models.send(int(number)))

    async def back(self, request: Request, session: Session) -> Response:
        """`POST /review/data/back`: the cameras judge by the model that they came with."""
        await own_form(request, session.csrf)
        return await self._do(session, self._review.models.back)

    async def _do(self, session: Session, what: Callable[[], object]) -> Response:
        try:
            await to_thread.run_sync(what)
        except ConfigError as error:
            hint = f" ({error.hint})" if error.hint else ""
            return await to_thread.run_sync(self._page, session, f"{error.message}{hint}")
        return RedirectResponse(HERE, status_code=303)

    def _page(self, session: Session, problem: str) -> Response:
        examples = self._review.data.examples()
        useful = sum(bool(one.moments) and one.mark.word != "unsure" for one in examples)
        values = {
            "here": "/review",
            "csrf": session.csrf,
            "counts": self._review.counts(),
            "useful": useful,
            "least": LEAST,
            "training": self._review.training.state,
            "model": self._review.models.newest(),
            "rows": ROWS,
            "told": self._told(),
            "problem": problem,
        }
        return self._desk.page("review_data.html", values, 409 if problem else 200)

    def _told(self) -> list[Told]:
        found = []
        for wish in self._review.models.told():
            name = wish.body.name if isinstance(wish.body, ModelWish) else "?"
            model = "the model it was shipped with" if name == SHIPPED else name
            state = "asked; it hasn't answered yet" if wish.outcome is None else outcome_said(wish.outcome)
            found.append(Told(wish.camera, model, f"{state}: {wish.detail}" if wish.detail else state))
        if found:  # otherwise all judge so
            words = "the model it was shipped with", "it came later, and gets what you send from now on"
            found += [Told(name, *words) for name in self._review.models.unasked()]
        return found
