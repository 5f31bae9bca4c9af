"""The way to a new share, step by step: what shall leave, a look at it, to whom, all of it once more, and then.

Nothing is granted before the last step. A draft is its session's alone (`share_drafts`).
"""

from __future__ import annotations

import re
from functools import partial

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sealcam.wire.errors import ConfigError
from sealcam_hub import redact
from sealcam_hub.arguments import lasting
from sealcam_hub.console import words
from sealcam_hub.console.desk import Desk
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session
from sealcam_hub.console.sharing_view import IMPROVE, clock_of, stream
from sealcam_hub.console.upload import KIND, own_upload
from sealcam_hub.media_messages import MOST_PICTURE_BYTES
from sealcam_hub.recipient import key_name, read_recipient
from sealcam_hub.recipient_code import Codes
from sealcam_hub.redact import Redaction
from sealcam_hub.rules import Effect
from sealcam_hub.share_drafts import Beginning, Draft, Drafts, of_clip
from sealcam_hub.shares import Shares, Terms
from sealcam_hub.vault import Vault
from sealcam_hub.views import ClipView

DAYS = (("1d", "1 day"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"))
_BLANK = {"seen": "", "key": "", "name": "", "why": "share", "purpose": "", "days": "7d"}
_CLIP = re.compile(r"[0-9a-f]{32}")


class Steps:
    """What `sharing` routes to."""

    def __init__(self, vault: Vault, drafts: Drafts, shares: Shares, desk: Desk) -> None:
        self._vault, self._drafts, self._shares, self._desk = vault, drafts, shares, desk
        self._codes = Codes()

    async def choose(self, request: Request, session: Session) -> Response:
        """`/sharing/clip/{clip}`: what of it shall leave; sent back with POST a draft is made."""
        form = await own_form(request, session.csrf) if request.method == "POST" else None
        clip = await to_thread.run_sync(self._clip, request)
        if form is not None:
            redaction, upto = _chosen(form)
            await to_thread.run_sync(self._desk.log.watched, session, clip.id)  # its pictures are opened for it
            draft = await to_thread.run_sync(self._drafts.begin, session.csrf, clip, redaction, upto)
            return RedirectResponse(f"/sharing/draft/{draft.id}", status_code=303)

        lasts_s, ends = await to_thread.run_sync(self._measured, clip, session)
        veiled = await to_thread.run_sync(self._veiled, clip)
        values = {"clip": clip, "lasts_s": lasts_s, "ends": ends, "veiled": veiled}
        return self._page("sharing-clip.html", session, values)

    async def draft(self, request: Request, session: Session) -> Response:
        """`/sharing/draft/{draft}`: the next step of it."""
        draft = await self._draft(request, session)
        values: dict[str, object] = {"typed": _BLANK}
        if draft.terms is not None:
            until_ns = self._desk.clock() + draft.terms.lasting_ns
            values = {"terms": draft.terms, "key": key_name(draft.terms.recipient), "until_ns": until_ns}
        return await to_thread.run_sync(self._step, draft, session, values)

    async def draft_video(self, request: Request, session: Session) -> Response:
        """`/sharing/draft/{draft}/video`: what would leave."""
        draft = await self._draft(request, session)
        clip = draft.clip.id if draft.copy is None else draft.copy.id
        return await stream(self._desk.log, request, session, clip, lambda: self._drafts.open(draft))

    async def terms(self, request: Request, session: Session) -> Response:
        """`/sharing/draft/{draft}/terms`: to whom, what for, until when; the key typed, or a picture of its QR code.

        A key that can't be had of it leads back to the form, with what was typed.
        """
        files: dict[str, bytes] = {}
        if request.headers.get("content-type", "").startswith(KIND):
            form, files = await own_upload(request, session.csrf, MOST_PICTURE_BYTES)
        else:
            form = await own_form(request, session.csrf)
        draft = await self._draft(request, session)
        purpose = form.get("purpose", "").strip()
        if form.get("why") == "improve":
            purpose = f"{IMPROVE}: {purpose}" if purpose else IMPROVE
        days = form.get("days", "")
        if form.get("seen") != "yes":
            raise ConfigError("look at what would leave first", "then say so with the box above the names")
        if days not in dict(DAYS):
            raise HTTPException(400)
        try:
            key = await to_thread.run_sync(self._key, form.get("key", ""), files.get("picture", b""))
            self._drafts.agree(draft, Terms(key, form.get("name", "").strip(), purpose, lasting(days)))
        except ConfigError as error:
            values = {"typed": _BLANK | form, "problem": error}
            page = await to_thread.run_sync(self._step, draft, session, values)
            page.status_code = 409
            return page
        return RedirectResponse(f"/sharing/draft/{draft.id}", status_code=303)

    async def drop(self, request: Request, session: Session) -> Response:
        """`/sharing/draft/{draft}/drop`."""
        await own_form(request, session.csrf)
        draft = await self._draft(request, session)
        await to_thread.run_sync(self._drafts.drop, draft)
        return RedirectResponse("/sharing", status_code=303)

    async def share(self, request: Request, session: Session) -> Response:
        """`/sharing/draft/{draft}/share`: the last step."""
        await own_form(request, session.csrf)
        draft = await self._draft(request, session)
        share = await to_thread.run_sync(self._drafts.share, draft)
        return RedirectResponse(f"/sharing/{share.id}", status_code=303)

    def _page(self, name: str, session: Session, values: dict[str, object]) -> HTMLResponse:
        return self._desk.page(name, {"here": "/sharing", "csrf": session.csrf, "clock_of": clock_of} | values)

    def _step(self, draft: Draft, session: Session, values: dict[str, object]) -> HTMLResponse:
        changes = () if draft.redaction is None else redact.said(draft.redaction)
        shown = {"draft": draft, "changes": changes, "days": DAYS, "improve": IMPROVE}
        shown["veiled"] = self._veiled(draft.clip)
        return self._page("sharing-draft.html", session, shown | values)

    def _key(self, text: str, picture: bytes) -> bytes:
        """The key that was typed, or that a picture shows."""
        if picture and text.strip():
            raise ConfigError("there are a key and a picture", "empty the field, or choose no picture")
        return self._codes.key(picture) if picture else read_recipient(text)

    async def _draft(self, request: Request, session: Session) -> Draft:
        find = partial(self._drafts.find, request.path_params["draft"], session.csrf)
        try:
            return await to_thread.run_sync(find)
        except ConfigError as error:  # another session's is refused as one that is gone
            raise HTTPException(404) from error

    def _clip(self, request: Request) -> ClipView:
        name: str = request.path_params["clip"]
        clip = self._vault.clip(name) if _CLIP.fullmatch(name) else None
        if clip is None:
            raise HTTPException(404)
        if clip.state != "here":
            raise ConfigError("only what is here whole can be shared", f"this clip: {words.clip_state(clip)}")
        return clip

    def _veiled(self, clip: ClipView) -> bool:
        return Effect.VEILED in self._shares.effects(bytes.fromhex(clip.id))

    def _measured(self, clip: ClipView, session: Session) -> tuple[float, tuple[Beginning, ...]]:
        self._desk.log.watched(session, clip.id)
        with self._vault.open(clip.id) as opened:
            return of_clip(opened)


def _chosen(form: dict[str, str]) -> tuple[Redaction | None, int | None]:
    """What shall leave: made anew, or as it is up to a segment, or whole."""
    if form.get("way") == "anew":
        area = form.get("area", "") if form.get("black") == "yes" else ""
        if form.get("black") == "yes" and not area.strip():
            raise ConfigError("the box is missing", "draw it, or type its four sides, or take the tick away")
        return redact.of_words(form.get("people") == "yes", area, form.get("begin", ""), form.get("end", "")), None
    upto = form.get("upto", "")
    if form.get("way") != "signed" or not re.fullmatch(r"\d{0,4}", upto):
        raise HTTPException(400)
    return None, int(upto) if upto else None
