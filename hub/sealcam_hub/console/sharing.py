"""The console's room of what is shared: the list, each grant with what can be handed over of it, and revoking.

The way to a new one is `sharing_steps`'; what is made and kept `shares`', `share_copies`' and `share_drafts`'. Each
address here is the owner's alone (`roles`).
design/hub.md, "Sharing".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import cast

import segno
from anyio import to_thread
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from sealcam.wire.errors import ConfigError
from sealcam_hub import audit, share_page
from sealcam_hub.console.desk import Desk, Link
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session
from sealcam_hub.console.sharing_steps import Steps
from sealcam_hub.console.sharing_view import ShareView, clock_of, stream, view, words_of
from sealcam_hub.console.source import OpenClip
from sealcam_hub.console.stream import ClipStream
from sealcam_hub.share_copies import Copies
from sealcam_hub.share_drafts import Drafts
from sealcam_hub.share_handing import Handing, Outgoing
from sealcam_hub.shares import Share, Shares
from sealcam_hub.vault import Vault

_ID = re.compile(r"[0-9a-f]{16}")
_HANDED = {"page": ("text/html", "html"), "clip": ("application/octet-stream", "scl1")}
_HANDED |= {"grant": ("application/octet-stream", "grant")}


class SharingRoom:
    """The room, over one hub's vault, copies and grants."""

    link = Link("Sharing", "/sharing")

    def __init__(self, vault: Vault, copies: Copies, shares: Shares, root: str) -> None:
        self._vault, self._copies, self._shares, self._root = vault, copies, shares, root
        self._drafts = Drafts(vault, copies, shares, shares.clock)
        self._handing = Handing(vault.files, copies.files)
        self._desk: Desk

    def routes(self, desk: Desk) -> Sequence[Route | Mount]:
        """Its addresses."""
        self._desk, steps = desk, Steps(self._vault, self._drafts, self._shares, desk)
        post, private = ["POST"], desk.private
        return (
            Route("/sharing", private(self.all)),
            Route("/sharing/page.html", private(self.blank)),
            Route("/sharing/clip/{clip}", private(steps.choose), methods=["GET", "POST"]),
            Route("/sharing/draft/{draft}", private(steps.draft)),
            Route("/sharing/draft/{draft}/video", private(steps.draft_video)),
            Route("/sharing/draft/{draft}/terms", private(steps.terms), methods=post),
            Route("/sharing/draft/{draft}/drop", private(steps.drop), methods=post),
            Route("/sharing/draft/{draft}/share", private(steps.share), methods=post),
            Route("/sharing/{share}", private(self.one)),
            Route("/sharing/{share}/video", private(self.video)),
            Route("/sharing/{share}/give/{what}", private(self.give), methods=post),
            Route("/sharing/{share}/revoke", private(self.revoke), methods=post),
        )

    # What was shared

    async def all(self, _request: Request, session: Session) -> Response:
        """`/sharing`: every grant, the drafts of this session, and how somebody becomes a recipient."""

        def render() -> HTMLResponse:
            self._copies.tidy()
            views = [self._view(one) for one in self._shares.list()]
            stands = [one for one in views if one.state == "valid"]
            values = {
                "consents": [one for one in stands if one.consent],
                "stands": [one for one in stands if not one.consent],
                "over": [one for one in views if one.state != "valid"],
                "drafts": self._drafts.of(session.csrf),
            }
            return self._page("sharing.html", session, values)

        return await to_thread.run_sync(render)

    async def blank(self, _request: Request, _session: Session) -> Response:
        """`/sharing/page.html`: the recipient's page without a clip, to be sent to somebody who has no key yet."""
        headers = {"content-disposition": 'attachment; filename="sealcam-open.html"'}
        return HTMLResponse(await to_thread.run_sync(share_page.blank), headers=headers)

    async def one(self, request: Request, session: Session) -> Response:
        """`/sharing/{share}`: one grant, what can be done with it, and the owner's fingerprint to compare."""
        share = await to_thread.run_sync(self._share, request)
        view = await to_thread.run_sync(self._view, share)
        svg = segno.make(self._root, micro=False).svg_inline(omitsize=True, svgclass="qr", lineclass=None, border=2)
        values = {"share": view, "root": words_of(self._root), "qr": Markup(svg)}  # noqa: S704 - of hex digits
        return self._page("sharing-one.html", session, values)

    async def video(self, request: Request, session: Session) -> Response:
        """`/sharing/{share}/video`: what was shared, where it was made anew."""
        share = await to_thread.run_sync(self._share, request)
        clip = share.grant.clip.hex()
        return await stream(self._desk.log, request, session, clip, lambda: self._copies.open(clip))

    async def give(self, request: Request, session: Session) -> Response:
        """`/sharing/{share}/give/{what}`: the page, the sealed clip or the grant as a file; an entry each time."""
        await own_form(request, session.csrf)
        share = await to_thread.run_sync(self._share, request)
        what: str = request.path_params["what"]
        if what not in _HANDED:
            raise HTTPException(404)
        out = await to_thread.run_sync(self._given, share, what)
        media, ending = _HANDED[what]
        headers = {"content-type": media, "content-disposition": f'attachment; filename="{_file_name(share)}.{ending}"'}
        return ClipStream(cast(OpenClip, out), 0, out.size, 200, headers, head=False)

    async def revoke(self, request: Request, session: Session) -> Response:
        """`/sharing/{share}/revoke`."""
        await own_form(request, session.csrf)
        share = await to_thread.run_sync(self._share, request)
        await to_thread.run_sync(self._shares.revoke, share.id, audit.CONSOLE)
        await to_thread.run_sync(self._copies.tidy)
        return RedirectResponse(f"/sharing/{share.id}", status_code=303)

    # On threads, and small

    def _page(self, name: str, session: Session, values: Mapping[str, object]) -> HTMLResponse:
        return self._desk.page(name, {"here": "/sharing", "csrf": session.csrf, "clock_of": clock_of} | dict(values))

    def _view(self, share: Share) -> ShareView:
        effects = self._shares.effects(share.grant.clip)
        return view(share, self._vault, self._copies, self._handing, self._desk.clock(), effects)

    def _share(self, request: Request) -> Share:
        name: str = request.path_params["share"]
        if not _ID.fullmatch(name):
            raise HTTPException(404)
        try:
            return self._shares.find(name)
        except ConfigError as error:
            raise HTTPException(404) from error

    def _given(self, share: Share, what: str) -> Outgoing:
        share = self._shares.serve(share.id, audit.CONSOLE)
        if what == "grant":
            return Outgoing(len(share.bundle), iter([share.bundle]), lambda: None)
        return self._handing.page(share) if what == "page" else self._handing.clip(share)


def _file_name(share: Share) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", share.name.lower()).strip("-")[:40] or "somebody"
    return f"sealcam-for-{name}-{share.id}"
