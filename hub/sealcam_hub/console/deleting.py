"""Deleting from the pages: an incident, or one clip, with its key everywhere; asked for once and confirmed once.

The page says what goes and what can't be helped before anything is done. `sealcam_hub.deletion` does it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sealcam_hub.console.desk import Desk
from sealcam_hub.console.form import own_form
from sealcam_hub.console.session import Session
from sealcam_hub.deletion_source import Doom

_INCIDENT = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}")
_CLIP = re.compile(r"[0-9a-f]{32}")


class DeletionSource(Protocol):
    """What deletes: `sealcam_hub.deletion_source.Deletions` is the real one."""

    def incident(self, incident: str, /) -> Doom | None:
        """What deleting an incident would take; none where there is none."""
        ...

    def clip(self, clip: str, /) -> Doom | None:
        """What deleting a clip would take; none where there is none, or its key is gone."""
        ...

    def delete(self, doom: Doom, /) -> None:
        """Do it; a `SealcamError` where that can't be, and then nothing was done."""
        ...


class DeletingPart:
    """The room; no place in the navigation leads there, but the pages of what can be deleted."""

    link = None

    def __init__(self, source: DeletionSource) -> None:
        self._source = source

    def routes(self, desk: Desk) -> Sequence[Route]:
        """Its addresses."""
        self._desk = desk
        return (
            Route("/incident/{incident}/delete", desk.private(self.incident), methods=["GET", "POST"]),
            Route("/clip/{clip}/delete", desk.private(self.clip), methods=["GET", "POST"]),
        )

    async def incident(self, request: Request, session: Session) -> Response:
        """`/incident/{incident}/delete`: asks; sent back with POST it deletes."""
        name: str = request.path_params["incident"]
        doom = await to_thread.run_sync(self._source.incident, name) if _INCIDENT.fullmatch(name) else None
        return await self._answer(request, session, doom, f"/incident/{name}", "/timeline")

    async def clip(self, request: Request, session: Session) -> Response:
        """`/clip/{clip}/delete`: asks; sent back with POST it deletes."""
        name: str = request.path_params["clip"]
        doom = await to_thread.run_sync(self._source.clip, name) if _CLIP.fullmatch(name) else None
        after = "/timeline" if doom is None or doom.incident is None else f"/incident/{doom.incident.id}"
        return await self._answer(request, session, doom, f"/clip/{name}", after)

    async def _answer(self, request: Request, session: Session, doom: Doom | None, back: str, after: str) -> Response:
        if doom is None:
            raise HTTPException(404)
        if request.method != "POST":
            values = {"doom": doom, "back": back, "csrf": session.csrf}
            return self._desk.page("delete.html", values)
        await own_form(request, session.csrf)
        await to_thread.run_sync(partial(self._source.delete, doom))
        self._desk.streams.tell("cards")
        left = await to_thread.run_sync(self._source.incident, doom.incident.id) if doom.incident else None
        return RedirectResponse(after if doom.clip is None or left is not None else "/timeline", status_code=303)
